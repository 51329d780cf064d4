"""What the alarm was worth in a task: a table, and a sentence that follows from it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.measuring.alarm import ALL
from stages.reporting.inputs import records
from stages.reporting.wording import listing, plural, seconds

Row = dict[str, Any]

COLUMNS = (
    *("round", "failed, alarmed", "failed, not", "succeeded, alarmed", "succeeded, not"),
    *("AUROC for failure", "from the first second alone", "median warning"),
)


@dataclass(frozen=True)
class Alarm:
    """Rows of text in the order of COLUMNS, and a verdict."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    verdict: str


def judge_alarm(alarm: pd.DataFrame) -> Alarm:
    """The rows of alarm.csv of one task, all conditions together, round by round."""
    rows = records(alarm[alarm["condition"] == ALL])
    return Alarm(COLUMNS, [_cells(row) for row in rows], _verdict(rows))


def _cells(row: Row) -> tuple[str, ...]:
    counts = ("failed_alarmed", "failed_quiet", "succeeded_alarmed", "succeeded_quiet")
    areas = (_area(row, name) for name in ("auroc", "start_auroc"))
    return (str(row["round"]), *(f"{row[count]:,}" for count in counts), *areas, _time(row["warning"]))


def _area(row: Row, name: str) -> str:
    if pd.isna(row[name]):
        return "\N{EN DASH}"
    return f"{row[name]:.2f} ({row[f'{name}_low']:.2f}\N{EN DASH}{row[f'{name}_high']:.2f})"


def _time(value: float) -> str:
    return "\N{EN DASH}" if pd.isna(value) else seconds(value)


def _verdict(rows: list[Row]) -> str:
    """The first round and the last, in words; no judgement where the alarm made the failures itself."""
    if any(row["replaced"] for row in rows):
        return (
            "Here the alarm has a say: where it rises, the policy no longer acts by itself. So these failures follow "
            "from the alarm, and how well it foretells failure cannot be read from them."
        )
    told = "; ".join(_told(row) for row in ([rows[0], rows[-1]] if len(rows) > 1 else rows))
    return f"The alarm rose {told}."


def _told(row: Row) -> str:
    failed = row["failed_alarmed"] + row["failed_quiet"]
    succeeded = row["succeeded_alarmed"] + row["succeeded_quiet"]
    lead = f" (typically {seconds(row['warning'])} before the end)" if row["failed_alarmed"] else ""
    parts = [f"in {row['failed_alarmed']:,} of {plural(failed, 'episode')} that failed{lead}"] if failed else []
    others = f"{succeeded:,}" if failed else plural(succeeded, "episode")
    parts += [f"in {row['succeeded_alarmed']:,} of {others} that succeeded"] if succeeded else []
    return f"in round {row['round']} {listing(parts)}{'' if failed else ' (none failed)'}"
