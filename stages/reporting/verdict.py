"""What the results say about a task, in sentences that follow from the numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.core.wording import plural
from stages.reporting.inputs import records
from stages.reporting.wording import interval, listing, percent

MASTERED = 0.95  # share of episodes that succeed, from which on a condition does not fall short

Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What was learned, where it failed, what was added and what is left, and the change of success by condition."""

    learned: str
    failed: str
    added: str
    left: str  # nothing where there is one round alone
    changes: tuple[tuple[str, str, str], ...]  # condition, success in the first round, in the last

    @property
    def text(self) -> str:
        """The sentences in a row."""
        return " ".join(filter(None, [self.learned, self.failed, self.added, self.left]))


def judge(rows: pd.DataFrame) -> Verdict:
    """The verdict on the rows of results.csv of one task."""
    rounds = sorted(set(rows["round"].tolist()))
    first, last = (_of_round(rows, number) for number in (rounds[0], rounds[-1]))
    short = [condition for condition, row in first.items() if row["success"] < MASTERED]
    return Verdict(
        _learned(rounds[0], first),
        _failed(first, short),
        _added(rounds, first, last),
        _left(rounds[-1], last) if len(rounds) > 1 else "",
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
    good = [f"{condition} ({_success(row)})" for condition, row in first.items() if row["success"] >= MASTERED]
    steps = plural(int(next(iter(first.values()))["rows"]), "step")
    where = f"in {percent(MASTERED)} of the episodes or more in {listing(good) if good else 'no condition'}"
    return f"From {steps} of demonstration, the policy of round {number} succeeds {where}."


def _failed(first: dict[str, Row], short: Sequence[str]) -> str:
    if not short:
        return "It falls short in no condition."
    parts = [f"{condition} ({_success(first[condition])})" for condition in short]
    shares = [f"{percent(first[condition]['shift'])} of the steps in {condition}" for condition in short]
    return f"It falls short in {listing(parts)}; novelty was above the threshold in {listing(shares)}."


def _added(rounds: list[int], first: dict[str, Row], last: dict[str, Row]) -> str:
    """What the corrections cost."""
    if len(rounds) == 1:
        return "No round of corrections followed."
    added = int(next(iter(last.values()))["rows"] - next(iter(first.values()))["rows"])
    return f"{plural(len(rounds) - 1, 'round')} of corrections added {plural(added, 'row')}."


def _left(number: int, last: dict[str, Row]) -> str:
    """Where the last round falls short, and how its episodes end there."""
    short = {condition: row for condition, row in last.items() if row["success"] < MASTERED}
    if not short:
        return f"Round {number} falls short in no condition."
    told = [f"{condition} ({_success(row)}; {_endings(row)})" for condition, row in short.items()]
    return f"Round {number} still falls short in {listing(told)}."


def _endings(row: Row) -> str:
    failed, crashed = (round(row["episodes"] * share) for share in (1 - row["success"], row["crash"]))
    if crashed == failed:
        return f"{failed:,} crashed"
    late = f"{failed - crashed:,} ran out of time"
    return f"{crashed:,} crashed, {late}" if crashed else late
