"""What the scripts here find, as small tables that are committed."""

from collections.abc import Mapping, Sequence
import csv
import io
from pathlib import Path

from stages.core.files import write_text
from tests.chain import ROOT

REPORTS = ROOT / "reports" / "endurance"

# What must be 0 in each of the tables.
BAD = ("used", "crashed", "hung", "unclear", "touched", "ran_code", "different", "by_hand", "lost", "missed")


def write_outcomes(name: str, rows: Sequence[Mapping[str, object]], folder: Path = REPORTS) -> None:
    """Write reports/endurance/NAME.csv, and the summary of all tables there anew."""
    written = io.StringIO()
    table = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(folder / f"{name}.csv", written.getvalue())
    write_text(folder / "summary.md", summary(folder))


def summary(folder: Path) -> str:
    """A line a table: how much was tried, and how much of it went wrong."""
    lines = ["| script | tried | went wrong | of which |", "|---|---:|---:|---|"]
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        wrong = {name: sum(int(row[name]) for row in rows) for name in BAD if name in rows[0]}
        told = ", ".join(f"{name} {count}" for name, count in wrong.items())
        tried = sum(int(row["tried"]) for row in rows)
        lines.append(f"| `{path.stem}` | {tried:,} | {sum(wrong.values())} | {told} |")
    return (
        "# Endurance\n\n`python -m tests.endurance NAME` makes each of these tables anew.\n\n" + "\n".join(lines) + "\n"
    )
