"""What the results say about a task, in sentences that follow from the numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.reporting.inputs import records
from stages.reporting.wording import interval, listing, percent, plural

RELIABLE = 0.95  # share of episodes from which on a condition counts as mastered

Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Three sentences on a task, and the change of success by condition."""

    learned: str
    failed: str
    changed: str
    changes: tuple[tuple[str, str, str], ...]  # condition, success in the first round, in the last

    @property
    def text(self) -> str:
        """The sentences in a row."""
        return " ".join([self.learned, self.failed, self.changed])


def judge(rows: pd.DataFrame) -> Verdict:
    """The verdict on the rows of results.csv of one task."""
    rounds = sorted(set(rows["round"].tolist()))
    first, last = (_of_round(rows, number) for number in (rounds[0], rounds[-1]))
    short = [condition for condition, row in first.items() if row["success"] < RELIABLE]
    return Verdict(
        _learned(rounds[0], first),
        _failed(first, short),
        _changed(rounds, first, last, short),
        tuple((condition, percent(row["success"]), percent(last[condition]["success"]))
              for condition, row in first.items() if condition in last),
    )  # fmt: skip


def _of_round(rows: pd.DataFrame, number: int) -> dict[str, Row]:
    """The rows of a round by condition."""
    return {row["condition"]: row for row in records(rows[rows["round"] == number])}


def _success(row: Row) -> str:
    share, span = percent(row["success"]), interval(row["success_low"], row["success_high"])
    return f"{share} of {row['episodes']:,}, interval {span}"


def _learned(number: int, first: dict[str, Row]) -> str:
    good = [f"{condition} ({_success(row)})" for condition, row in first.items() if row["success"] >= RELIABLE]
    steps = plural(int(next(iter(first.values()))["rows"]), "step")
    if not good:
        return f"From {steps} of demonstration, the policy of round {number} is reliable in no condition."
    return f"From {steps} of demonstration, the policy of round {number} is reliable in {listing(good)}."


def _failed(first: dict[str, Row], short: Sequence[str]) -> str:
    if not short:
        return f"It falls short in no condition: all reach {percent(RELIABLE)}."
    parts = [f"{condition} ({_success(first[condition])})" for condition in short]
    shares = [f"{percent(first[condition]['shift'])} of the steps in {condition}" for condition in short]
    return f"It falls short in {listing(parts)}; novelty was above the threshold in {listing(shares)}."


def _changed(rounds: list[int], first: dict[str, Row], last: dict[str, Row], short: Sequence[str]) -> str:
    if len(rounds) == 1:
        return "No round of corrections followed."
    added = int(next(iter(last.values()))["rows"] - next(iter(first.values()))["rows"])
    span = plural(len(rounds) - 1, "round")
    if added == 0:
        return f"{span[0].upper()}{span[1:]} of corrections added no row."
    mended = [_movement(condition, first[condition], last[condition]) for condition in short if condition in last]
    lost = [
        _movement(condition, first[condition], row)
        for condition, row in last.items()
        if condition in first and condition not in short and row["success"] < first[condition]["success"]
    ]
    opening = f"{span} of corrections added {plural(added, 'row')}"
    told = "; ".join(mended) or "there was nothing to mend"
    rest = f" Elsewhere something was lost: {'; '.join(lost)}." if lost else " Nothing was lost elsewhere."
    return f"{opening}: {told}.{rest if len(short) < len(first) else ''}"


def _movement(condition: str, before: Row, after: Row) -> str:
    """How a condition's success moved, and whether the intervals leave doubt."""
    if after["success"] == before["success"]:
        return f"{condition} stayed at {percent(after['success'])}"
    rose = after["success"] > before["success"]
    apart = after["success_low"] > before["success_high"] if rose else after["success_high"] < before["success_low"]
    remarks = ["still short of reliable"] if rose and after["success"] < RELIABLE else []
    remarks += [] if apart else ["the intervals overlap, so this may be chance"]
    moved = f"{condition} {'rose' if rose else 'fell'} from {percent(before['success'])} to {percent(after['success'])}"
    span = interval(after["success_low"], after["success_high"])
    return f"{moved} ({'; '.join([f'interval {span}', *remarks])})"
