"""What benchmarks find, as small tables that are committed."""

from collections.abc import Iterable, Sequence
import csv
import io
import os
from pathlib import Path
import platform
from typing import NamedTuple

from stages.core.files import write_text
from tests.chain import ROOT

REPORTS = ROOT / "reports" / "benchmarks"


class Figure(NamedTuple):
    """One thing that was measured."""

    what: str
    value: float
    unit: str = "ratio"
    at_least: float | None = None  # what is wanted of it
    at_most: float | None = None

    @property
    def wanted(self) -> str:
        """The limit in words, if there is one."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"

    @property
    def met(self) -> str:
        """Whether it is kept: yes, no, or nothing where there is none."""
        if not self.wanted:
            return ""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return "yes" if low <= self.value <= high else "no"


_COLUMNS = ("what", "value", "unit", "wanted", "met")


def write_figures(name: str, figures: Sequence[Figure], folder: Path = REPORTS) -> None:
    """Write reports/benchmarks/NAME.csv, and the summary of all tables there anew."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows([one.what, f"{one.value:.4g}", one.unit, one.wanted, one.met] for one in figures)
    write_text(folder / f"{name}.csv", written.getvalue())
    write_text(folder / "summary.md", summary(folder))


def summary(folder: Path) -> str:
    """All tables, one after the other."""
    lines = ["# Benchmarks", "", "`python -m tests.benchmarks NAME` makes each of these tables anew.", ""]
    lines += [f"Measured on {_machine()}.", ""]
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        lines += [f"## {path.stem}", "", *_table(rows), ""]
    return "\n".join(lines)


def _table(rows: Iterable[dict[str, str]]) -> list[str]:
    lines = ["| what | measured | wanted | met |", "|---|---:|---:|---|"]
    for row in rows:
        unit = "" if row["unit"] == "ratio" else f" {row['unit']}"
        lines.append(f"| {row['what']} | {row['value']}{unit} | {row['wanted']} | {row['met']} |")
    return lines


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"
