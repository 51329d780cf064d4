"""What may be done where the alarm rises: act on, hold or ask the expert, by a table and in a sentence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.comparing.shares import wilson
from stages.measuring.alarm import ALL
from stages.reporting.inputs import read_table, records
from stages.reporting.wording import interval, percent

COLUMNS = (
    *("round", "response", "condition", "success", "crash", "out of time"),
    *("episodes alarmed", "expert steps an episode", "of all steps"),
)
_NEEDED = (
    *(
        "task",
        "round",
        "response",
        "condition",
        "episodes",
        "success",
        "success_low",
        "success_high",
        "crash",
        "timeout",
        "alarmed",
    ),
    *("steps", "asked", "asked_share"),
)


@dataclass(frozen=True)
class Responses:
    """Rows of text in the order of the columns, all conditions together and one by one, and a verdict."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    detail: list[tuple[str, ...]]
    verdict: str


def read_responses(folder: Path | None, task: str) -> Responses | None:
    """What was tried with a task's policies, as `python -m stages.alarm responses` wrote it; none where it was not."""
    path = folder / f"{task}-responses.csv" if folder else None
    if path is None or not path.is_file():
        return None
    return judge_responses(read_table(path, _NEEDED))


def judge_responses(table: pd.DataFrame) -> Responses:
    """The rows of that table."""
    together = records(_together(table))
    return Responses(
        COLUMNS, [_cells(row) for row in together], [_cells(row) for row in records(table)], _verdict(together)
    )


def _together(table: pd.DataFrame) -> pd.DataFrame:
    """All conditions, of which each has as many episodes: their means."""
    grouped = table.groupby(["round", "response"], sort=False)
    means = grouped[["success", "crash", "timeout", "alarmed", "steps", "asked"]].mean()
    means["episodes"] = grouped["episodes"].sum()
    means["asked_share"] = means["asked"] / means["steps"]
    ends = [wilson(round(row["success"] * row["episodes"]), int(row["episodes"])) for row in records(means)]
    return means.assign(
        success_low=[low for low, _ in ends], success_high=[high for _, high in ends], condition=ALL
    ).reset_index()


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    success = f"{percent(row['success'])} ({interval(row['success_low'], row['success_high'])})"
    shares = (percent(row[name]) for name in ("crash", "timeout", "alarmed"))
    names = (str(row["round"]), row["response"], row["condition"])
    return (*names, success, *shares, f"{row['asked']:.1f}", percent(row["asked_share"]))


def _verdict(together: list[dict[str, Any]]) -> str:
    """Round by round, what each response comes to."""
    parts = []
    for number in dict.fromkeys(row["round"] for row in together):
        by = {row["response"]: row for row in together if row["round"] == number}
        if {"act", "hold", "ask"} <= by.keys():
            asked, held = by["ask"], by["hold"]
            parts.append(
                f"In round {number}, {percent(by['act']['success'])} succeed where the policy acts on, "
                f"{percent(held['success'])} where it holds ({percent(held['alarmed'])} are alarmed, "
                f"{percent(held['timeout'])} run out of time), and {percent(asked['success'])} where the expert is "
                f"asked, for {asked['asked']:.1f} expert steps an episode ({percent(asked['asked_share'])} of all)."
            )
    return " ".join(parts)
