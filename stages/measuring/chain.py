"""All evaluations of a chain as tables, for the report, `dvc metrics` and `dvc plots`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.core import tables
from stages.core.files import replacing, write_json
from stages.core.params import RoundSettings
from stages.core.seal import SUMMED, write_sums
from stages.core.training import Training, read_training
from stages.measuring.alarm import alarm_rows
from stages.measuring.curves import error_curves, novelty_quantiles
from stages.measuring.distinct import distinct
from stages.measuring.outside import outside
from stages.measuring.results import condition_rows
from stages.measuring.scores import novelty_columns, score_rows
from stages.tasks import TASKS

_RESULTS = "results"
_PLOTS = ("error", "novelty", "alarm", "scores")  # files of the plots' data


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
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in (_RESULTS, *_PLOTS)}
    metrics: dict[str, Any] = {}
    for name in names:
        shown = tables.list_episodes(data / name / "demonstrations", name, TASKS.find(name)).to_pandas()
        for one in rounds:
            steps, episodes, training = _evaluation(data / name / one.name, name)
            found = _round(name, shown, steps, episodes, training)
            for part, table in found.items():
                parts[part].append(table.assign(task=name, round=one.number))
        metrics[name] = _metrics(found[_RESULTS], training)
    with replacing(plots, holds=SUMMED) as folder:
        write_csv(pd.concat(parts[_RESULTS]), results_path)
        write_json(metrics_path, metrics)
        for part in _PLOTS:
            write_csv(pd.concat(parts[part]), folder / f"{part}.csv")
        write_sums(folder, (results_path, metrics_path))


def _round(
    name: str, shown: pd.DataFrame, steps: pd.DataFrame, episodes: pd.DataFrame, training: Training
) -> dict[str, pd.DataFrame]:
    """The tables of one evaluation, by name; `shown` are the episodes of the demonstrations."""
    task = TASKS.find(name)
    beyond = (outside(episodes, shown, knobs) for knobs in (task.knobs, sorted(set(task.knobs) - task.hidden)))
    scores = score_rows(steps, episodes, task.control_period, *beyond)
    alarm = alarm_rows(steps, episodes, task.control_period, training.surprise)
    return {
        _RESULTS: condition_rows(steps, episodes).assign(rows=training.rows),
        "error": error_curves(steps, episodes, task.control_period),
        "novelty": novelty_quantiles(steps, episodes, training.threshold),
        "alarm": alarm.join(novelty_columns(scores), on="condition").assign(replaced=int(_replaced(steps, episodes))),
        "scores": scores,
    }


def _replaced(steps: pd.DataFrame, episodes: pd.DataFrame) -> bool:
    """Whether in every alarmed step, one or more, the controller held, ran away or asked the expert instead of acting.

    Then failure follows from the alarm, and that the alarm tells failures says nothing about novelty.
    """
    return bool(0 < steps["shift"].sum() == episodes["responded"].sum())


def _evaluation(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame, Training]:
    """Steps, with the condition of their episode, and episodes of an evaluation, and the figures of its training.

    Copies of an episode are left out: they are no further evidence.
    """
    steps, episodes = (
        table.to_pandas() for table in tables.read_episodes(folder / "evaluation", name, TASKS.find(name))
    )
    once = distinct(episodes)
    steps = steps.merge(once[["episode_index", "condition"]], on="episode_index", validate="many_to_one")
    return steps, once, read_training(folder / "training.json")


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
