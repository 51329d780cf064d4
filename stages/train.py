"""Clone the policy: cross-validate by episode, fit on all rows, calibrate the thresholds of novelty and surprise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
import sys
from typing import Any

from msgspec.structs import asdict, replace
import numpy as np

from stages.core import cli, errors, parquet, schemas, tables
from stages.core.episode import Ints, Steps
from stages.core.files import write_json
from stages.core.folds import folds_by_block, folds_by_episode
from stages.core.params import PolicySettings, ShiftSettings
from stages.core.policy import Policy, Trained, save_policy
from stages.core.seal import sealed
from stages.core.settings import load_settings
from stages.core.task import Channel, Floats
from stages.core.wording import plural
from stages.policies import POLICIES
from stages.policies.calibration import Calibrated, calibrate
from stages.policies.surprise import calibrate_surprise
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("dataset", type=Path, help="the dataset, a Parquet file")
    parser.add_argument("--policy", type=cli.new_file(".npz"), required=True, help="where the policy goes (.npz)")
    parser.add_argument("--metrics", type=cli.new_file(".json"), required=True, help="where its figures go (.json)")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task = TASKS.find(name)
    cloning = settings.of(settings.params.policy, "policy", name)
    folds = settings.of(settings.params.train, "train", name).folds
    shift = settings.of(settings.params.shift, "shift", name)
    table = parquet.read_table(arguments.dataset, schemas.expert_schema(name, task))
    steps = tables.expert_steps(table, task)
    kind = POLICIES.find(cloning.kind)
    if cloning.neighbors > len(steps):
        key, allowed = f"{arguments.params}: policy.{name}.neighbors", f"at most the {len(steps)} rows of the dataset"
        raise errors.UserError(f"{key}: found {cloning.neighbors}, allowed: {allowed}")

    policy = kind.fit(steps, cloning, task.observation)
    if not np.isfinite(policy.act(steps.observations[:1]).novelty).all():
        raise errors.UserError(f"policy kind {cloning.kind}: found no novelty, allowed: a number, for the alarm")
    threshold, alarm = choose_threshold(steps, cloning, shift, task.observation)
    surprise, surprises = choose_surprise(steps, cloning, shift, task.observation)
    figures = {
        "rows": len(steps),
        "episodes": len(np.unique(steps.episode)),
        "threshold": threshold,
        "surprise": surprises,
        "alarm": alarm,
        "cross_validation": cross_validate(kind, steps, cloning, folds, task.observation),
    }
    write_json(arguments.metrics, sealed(figures))
    save_policy(arguments.policy, Trained(name, cloning.kind, policy, threshold, surprise))
    print(f"{arguments.policy}: {cloning.kind} of {plural(len(steps), 'row')}; the alarm rises above {threshold:.3g}")


def cross_validate(
    kind: type[Policy], steps: Steps, settings: PolicySettings, folds: int, observation: Sequence[Channel]
) -> dict[str, Any]:
    """How far the clone's actions are from the expert's on rows it has not seen.

    Rows of one episode stay together. Where there are fewer episodes than two, contiguous blocks of rows are left out
    instead; where rows are too few for that as well, there is no figure.

    `error` is the root of the mean square over rows and channels, `relative` its share of the same for the
    constant that predicts best, and `neighbors` holds `error` for other numbers of neighbours.
    """
    splits = list(_splits(steps, folds))
    own = settings.neighbors
    candidates = sorted({1, max(1, own // 2), own, 2 * own}) if kind.by_neighbors else [own]
    smallest = min((len(learned) for learned, _ in splits), default=0)
    counts = [count for count in candidates if count <= smallest]
    errors = _errors(kind, steps, settings, counts, splits, observation) if counts else []
    by_neighbors = {str(count): error for count, error in zip(counts, errors, strict=True)}
    error = by_neighbors.get(str(settings.neighbors))
    spread = float(np.sqrt(np.mean((steps.actions - steps.actions.mean(axis=0)) ** 2)))
    return {
        "error": error,
        "relative": error / spread if error is not None and spread > 0 else None,
        "folds": len(splits),
        "by": "episode" if len(np.unique(steps.episode)) > 1 else "block of rows",
        "neighbors": by_neighbors,
    }


def _splits(steps: Steps, folds: int) -> Iterator[tuple[Ints, Ints]]:
    """Row numbers learned from and left out, fold by fold."""
    episodes = len(np.unique(steps.episode))
    if episodes > 1:
        yield from folds_by_episode(steps.episode, min(folds, episodes))
    elif len(steps) > 1:
        yield from folds_by_block(len(steps), min(folds, len(steps)))


def _errors(
    kind: type[Policy],
    steps: Steps,
    settings: PolicySettings,
    counts: Sequence[int],
    splits: Sequence[tuple[Ints, Ints]],
    observation: Sequence[Channel],
) -> list[float]:
    """The error for each of these numbers of neighbours; the rows left out are looked up once for them all."""
    squares: list[list[Floats]] = [[] for _ in counts]
    most = replace(settings, neighbors=max(counts))
    for learned, left_out in splits:
        policy = kind.fit(steps.subset(learned), most, observation)
        answers = policy.act_by(steps.observations[left_out], counts)
        for parts, answer in zip(squares, answers, strict=True):
            parts.append((answer - steps.actions[left_out]) ** 2)
    return [float(np.sqrt(np.mean(np.concatenate(parts)))) for parts in squares]


def choose_threshold(
    steps: Steps, cloning: PolicySettings, shift: ShiftSettings, observation: Sequence[Channel]
) -> tuple[float, dict[str, Any]]:
    """The shift threshold, as set or calibrated, and what is to be known of it.

    That is: the score that is compared with it and the features in which it is a distance; if it was calibrated, from
    how many episodes, and how often an episode like them would alarm: as asked for, and about (`false_alarms`), or at
    most so often (`proven`).
    """
    score: dict[str, Any] = {
        "score": f"largest distance of an episode to the {ordinal(cloning.neighbors)} nearest row",
        "neighbors": cloning.neighbors,
        "features": {group: asdict(one) for group, one in cloning.features.items()},
        "calibrated": shift.fixed is None,
    }
    if shift.fixed is not None:
        return shift.fixed, score
    if shift.quantile is None:
        raise errors.UserError("shift quantile: found nothing, allowed: a share, where the threshold is null")
    found = calibrate(steps, cloning, shift.quantile, observation)
    asked = round(1 - shift.quantile, 9)
    if found.false_alarms > asked:
        print(
            f"shift threshold: {found.episodes} demonstrated episodes are too few for a false-alarm rate of "
            f"{asked:.3g}, at most {found.false_alarms:.3g} is promised",
            file=sys.stderr,
        )
    return found.threshold, {**score, **_told(found, asked)}


def choose_surprise(
    steps: Steps, cloning: PolicySettings, shift: ShiftSettings, observation: Sequence[Channel]
) -> tuple[float, dict[str, Any] | None]:
    """The surprise that is as rare in demonstrations as novelty above the threshold, and what is to be known of it.

    Infinite, and nothing, where that threshold was set, or too few demonstrations can be surprising.
    """
    if shift.fixed is not None or shift.quantile is None:
        return np.inf, None
    found = calibrate_surprise(steps, cloning, shift.quantile, observation)
    if found is None:
        return np.inf, None
    score = (
        "largest root mean square distance of an episode, over features and in spreads, "
        f"to what followed the {cloning.neighbors} nearest rows of the step before"
    )
    asked = round(1 - shift.quantile, 9)
    return found.threshold, {"score": score, "threshold": found.threshold, **_told(found, asked)}


def _told(found: Calibrated, asked: float) -> dict[str, Any]:
    return {
        "episodes": found.episodes,
        "rank": found.rank,
        "false_alarms": found.false_alarms,
        "proven": found.proven,
        "false_alarms_asked": asked,
    }


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


if __name__ == "__main__":
    errors.run(main)
