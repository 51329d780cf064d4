"""Turn the evaluations of all tasks and rounds into numbers and plot data.

Rounds and tasks are those of params.yaml, not the folders that happen to be there.
"""

from pathlib import Path
import sys
from typing import Any, NamedTuple

import pandas as pd

from stages.core import cli, errors, tables
from stages.core.files import replacing, write_json
from stages.core.seal import read_sealed, write_sums
from stages.core.settings import load_settings
from stages.measuring.alarm import alarm_rows
from stages.measuring.curves import error_curves, novelty_quantiles
from stages.measuring.outside import outside
from stages.measuring.response import replaced
from stages.measuring.results import condition_rows
from stages.measuring.scores import novelty_columns, score_rows
from stages.policies import POLICIES
from stages.tasks import TASKS


class Training(NamedTuple):
    """Figures of a training that are shown beside those of its evaluation."""

    rows: int
    threshold: float
    cv_error: float | None


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    parser.add_argument("data", type=Path, help="folder that holds <task>/<round>/evaluation and <task>/demonstrations")
    parser.add_argument("--results", type=Path, required=True, help="the full result (.csv)")
    parser.add_argument("--metrics", type=Path, required=True, help="a few figures of the last round (.json)")
    parser.add_argument("--plots", type=Path, required=True, help="folder for the plots' data")
    arguments = parser.parse_args()
    settings = load_settings(arguments.params, TASKS, POLICIES)
    names = settings.get(settings.params.tasks, "tasks")
    rounds = settings.get(settings.params.rounds, "rounds")
    _mention_leftovers(arguments.data, names, [one.name for one in rounds])

    results, errors_over_time, novelty, alarms, told = [], [], [], [], []
    metrics: dict[str, Any] = {}
    for name in names:
        task = TASKS.find(name)
        shown = tables.read_episodes(arguments.data / name / "demonstrations", name, task)[1].to_pandas()
        for one in rounds:
            steps, episodes, training = _evaluation(arguments.data / name / one.name, name)
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

    write_csv(pd.concat(results), arguments.results)
    write_json(arguments.metrics, metrics)
    with replacing(arguments.plots) as folder:
        write_csv(pd.concat(errors_over_time), folder / "error.csv")
        write_csv(pd.concat(novelty), folder / "novelty.csv")
        write_csv(pd.concat(alarms), folder / "alarm.csv")
        write_csv(pd.concat(told), folder / "scores.csv")
        write_sums(folder, (arguments.results, arguments.metrics))


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


def _mention_leftovers(data: Path, names: list[str], rounds: list[str]) -> None:
    """Say which rounds' outputs are not counted: `dvc checkout` removes them."""
    for name in names:
        for folder in sorted((data / name).glob("round_*")):
            if folder.name not in rounds:
                print(
                    f"{folder}: left over from a longer chain, not counted (dvc checkout removes it)", file=sys.stderr
                )


if __name__ == "__main__":
    errors.run(main)
