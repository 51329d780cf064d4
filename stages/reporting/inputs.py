"""Reads what `measure` wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.core.errors import UserError
from stages.core.files import check_file
from stages.tasks import TASKS

RESULTS = (
    *("task", "round", "condition", "episodes", "success", "success_low", "success_high", "steps", "error", "shift"),
    *("crash", "error_median", "rows"),
)
ERROR_CURVES = ["task", "round", "condition", "timestamp", "low", "middle", "high"]
NOVELTY = ["task", "round", "condition", "outcome", "low", "middle", "high", "episodes", "threshold"]
ALARM = (
    *("task", "round", "condition", "failed_alarmed", "failed_quiet", "succeeded_alarmed", "succeeded_quiet"),
    "replaced",
    *("auroc", "auroc_low", "auroc_high", "warning", "surprise_warning"),
    *("hits_low", "hits_high", "false_alarms_low", "false_alarms_high"),
    *("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"),
    *("failed_surprised", "succeeded_surprised", "failed_either", "succeeded_either"),
)
DIFFERENCES = ("against", "difference", "difference_low", "difference_high", "verdict")  # of one variant from another
SCORES = (
    *("task", "round", "condition", "told", "score", "auroc", "auroc_low", "auroc_high"),
    *("advantage", "advantage_low", "advantage_high"),
)
# Empty where there is nothing to tell apart, no alarm, no knob that was moved, or no other variant to compare with.
_SPARSE = {*ALARM[8:], *SCORES[-3:], "value", *DIFFERENCES}
_WORDS = (
    *("variant", "task", "condition", "outcome", "told", "score", "by_seed"),
    *("response", "knob", "unit", "side", "against", "verdict"),
)
_NAMES = {"variant": str, "against": str}  # of variants, which may look like numbers


@dataclass(frozen=True)
class Measured:
    """The tables of `measure`, in the order in which it wrote them."""

    results: pd.DataFrame  # one row a task, round and condition
    errors: pd.DataFrame  # quantiles of the error over time
    novelty: pd.DataFrame  # quantiles of the episodes' largest novelty, as shares of the threshold
    alarm: pd.DataFrame  # what the alarm was worth, also over all conditions
    scores: pd.DataFrame  # how well each score of novelty tells failure and worlds not shown
    metrics: dict[str, Any]

    @property
    def tasks(self) -> list[str]:
        """The tasks, in the order of the results."""
        return list(dict.fromkeys(self.results["task"]))

    @property
    def rounds(self) -> dict[str, list[int]]:
        """The rounds of each task, in their order."""
        numbers = self.results.groupby("task", sort=False)["round"]
        return {str(task): sorted({int(number) for number in some}) for task, some in numbers}


def read_measured(results: Path, metrics: Path, plots: Path) -> Measured:
    """Results, metrics and plot data, whose sums were checked: they are what one run of `measure` wrote."""
    return Measured(
        read_table(results, RESULTS),
        read_table(plots / "error.csv", ERROR_CURVES),
        read_table(plots / "novelty.csv", NOVELTY),
        read_table(plots / "alarm.csv", ALARM),
        read_table(plots / "scores.csv", SCORES, empty=True),
        json.loads(metrics.read_bytes()),
    )


def read_table(path: Path, columns: Sequence[str], empty: bool = False) -> pd.DataFrame:
    """The CSV at `path`, which has these columns (and may have more); UserError where it is not so.

    Without rows it is refused, unless it may be `empty`.
    """
    check_file(path)
    try:
        # Not by default: a condition may be called `none`.
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=_NAMES)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a table ({str(error).splitlines()[0]})") from None
    missing = [column for column in columns if column not in table]
    if missing:
        raise UserError(f"{path}: columns missing: {', '.join(missing)}")
    if table.empty and not empty:
        raise UserError(f"{path}: no rows, at least one is needed")
    for column in columns if len(table) else ():
        _check_column(path, table, column)
    return table


def _check_column(path: Path, table: pd.DataFrame, column: str) -> None:
    values = table[column]
    if column in _WORDS:
        if values.isna().any() and column not in _SPARSE:
            raise UserError(f"{path}: column {column}: found an empty cell, allowed: a name")
    elif column in _SPARSE and pd.api.types.is_numeric_dtype(values):
        return
    elif not pd.api.types.is_numeric_dtype(values) or not np.isfinite(values.to_numpy(float)).all():
        raise UserError(f"{path}: column {column}: found something else, allowed: finite numbers")
    if column == "round" and not (pd.api.types.is_integer_dtype(values) and (values >= 0).all()):
        raise UserError(f"{path}: column round: found something else, allowed: whole numbers from 0")
    if column == "task":
        for name in dict.fromkeys(values):
            if name not in TASKS:
                raise UserError(f"{path}: column task: found {name}, allowed: {', '.join(TASKS)}")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The table's rows, each a mapping from column to cell."""
    return [{str(column): cell for column, cell in row.items()} for row in table.to_dict("records")]
