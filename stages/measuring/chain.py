"""All evaluations of a chain as tables, for the report, `dvc metrics` and `dvc plots`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from stages.core import errors, tables
from stages.core.files import replacing, write_json
from stages.core.params import RoundSettings
from stages.core.seal import SUMS, read_sealed, write_sums
from stages.measuring.alarm import alarm_rows
from stages.measuring.curves import error_curves, novelty_quantiles
from stages.measuring.outside import outside
from stages.measuring.response import replaced
from stages.measuring.results import condition_rows
from stages.measuring.scores import novelty_columns, score_rows
from stages.tasks import TASKS


class Training(NamedTuple):
    """Figures of a training that are shown beside those of its evaluation."""

    rows: int
    threshold: float
    cv_error: float | None


def measure_chain(
    data: Path,
    names: Sequence[str],
    rounds: Sequence[RoundSettings],
    results_path: Path,
    metrics_path: Path,
    plots: Path,
) -> None:
    """Write the results, a few figures of the last round, and the folder of the plots' data, of all tasks and rounds.

    UserError where an evaluation in `data` is missing or damaged.
    """
    results, errors_over_time, novelty, alarms, told = [], [], [], [], []
    metrics: dict[str, Any] = {}
    for name in names:
        task = TASKS.find(name)
        shown = tables.read_episodes(data / name / "demonstrations", name, task)[1].to_pandas()
        for one in rounds:
            steps, episodes, training = _evaluation(data / name / one.name, name)
            rows = condition_rows(steps, episodes).assign(rows=training.rows)
            curves = error_curves(steps, episodes, task.control_period)
            quantiles = novelty_quantiles(steps, episodes, training.threshold)
            warned = alarm_rows(steps, episodes, task.control_period)
            beyond = (outside(episodes, shown, knobs) for knobs in (task.knobs, sorted(set(task.knobs) - task.hidden)))
            scores = score_rows(steps, episodes, task.control_period, *beyond)
            warned = warned.join(novelty_columns(scores), on="condition").assign(replaced=int(replaced(steps, task)))
            results.append(rows.assign(task=name, round=one.number))
            errors_over_time.append(curves.assign(task=name, round=one.number))
            novelty.append(quantiles.assign(task=name, round=one.number))
            alarms.append(warned.assign(task=name, round=one.number))
            told.append(scores.assign(task=name, round=one.number))
        metrics[name] = _metrics(results[-1], training)

    with replacing(plots, holds=("*.csv", SUMS)) as folder:
        write_csv(pd.concat(results), results_path)
        write_json(metrics_path, metrics)
        write_csv(pd.concat(errors_over_time), folder / "error.csv")
        write_csv(pd.concat(novelty), folder / "novelty.csv")
        write_csv(pd.concat(alarms), folder / "alarm.csv")
        write_csv(pd.concat(told), folder / "scores.csv")
        write_sums(folder, (results_path, metrics_path))


def _evaluation(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame, Training]:
    """Steps, with the condition of their episode, and episodes of an evaluation, and the figures of its training."""
    steps, episodes = (
        table.to_pandas() for table in tables.read_episodes(folder / "evaluation", name, TASKS.find(name))
    )
    steps = steps.merge(episodes[["episode_index", "condition"]], on="episode_index", validate="many_to_one")
    return steps, episodes, _training(folder / "training.json")


def _training(path: Path) -> Training:
    figures = read_sealed(path)
    try:
        return Training(figures["rows"], figures["threshold"], figures["cross_validation"]["error"])
    except (KeyError, TypeError):
        raise errors.UserError(f"{path}: not the whole figures of a training") from None


def _metrics(last: pd.DataFrame, training: Training) -> dict[str, Any]:
    """What one wants as columns of `dvc exp show`: success by condition, and what the policy was made of."""
    success = {row["condition"]: {"success": row["success"]} for row in last.to_dict("records")}
    return {**success, "rows": training.rows, "cv_error": training.cv_error}


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write CSV, key columns first, whole or not at all."""
    key = ["task", "round"]
    ordered = table[[*key, *(column for column in table.columns if column not in key)]]
    with replacing(path) as temporary:
        ordered.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
