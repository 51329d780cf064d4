"""Clone the policy: cross-validate by episode, fit on all rows, calibrate the shift threshold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.core import cli, errors, tables
from stages.core.episode import Ints, Steps
from stages.core.files import write_json
from stages.core.params import PolicySettings, ShiftSettings
from stages.core.policy import Policy, Trained, save_policy
from stages.core.seal import sealed
from stages.core.settings import load_settings
from stages.core.task import Channel, Floats
from stages.policies import POLICIES
from stages.policies.memory import Memory
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("dataset", type=Path, help="the dataset, a Parquet file")
    parser.add_argument("--policy", type=Path, required=True, help="where the policy goes (.npz)")
    parser.add_argument("--metrics", type=Path, required=True, help="where the figures of training go (.json)")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task = TASKS.find(name)
    cloning = settings.of(settings.params.policy, "policy", name)
    folds = settings.of(settings.params.train, "train", name).folds
    shift = settings.of(settings.params.shift, "shift", name)
    table = tables.read_table(arguments.dataset, tables.expert_schema(name, task))
    steps = tables.expert_steps(table, task)
    kind = POLICIES.find(cloning.kind)

    policy = kind.fit(steps, cloning, task.observation)
    threshold = calibrate(steps, cloning, shift, task.observation)
    figures = {
        "rows": len(steps),
        "episodes": len(np.unique(steps.episode)),
        "threshold": threshold,
        "cross_validation": cross_validate(kind, steps, cloning, folds, task.observation),
    }
    write_json(arguments.metrics, sealed(figures))
    save_policy(arguments.policy, Trained(name, cloning.kind, policy, threshold))


def subset(steps: Steps, rows: Ints) -> Steps:
    """Those rows (M,) of the steps."""
    return Steps(
        steps.episode[rows],
        steps.frame[rows],
        steps.round[rows],
        [steps.source[row] for row in rows],
        steps.observations[rows],
        steps.actions[rows],
    )


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
    by_neighbors = {
        str(count): _error(kind, steps, settings.model_copy(update={"neighbors": count}), splits, observation)
        for count in candidates
        if count <= smallest
    }
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
    from sklearn.model_selection import GroupKFold, KFold

    episodes = len(np.unique(steps.episode))
    if episodes > 1:
        yield from GroupKFold(min(folds, episodes)).split(steps.observations, groups=steps.episode)
    elif len(steps) > 1:
        yield from KFold(min(folds, len(steps))).split(steps.observations)


def _error(
    kind: type[Policy],
    steps: Steps,
    settings: PolicySettings,
    splits: Sequence[tuple[Ints, Ints]],
    observation: Sequence[Channel],
) -> float:
    squares: list[Floats] = []
    for learned, left_out in splits:
        policy = kind.fit(subset(steps, learned), settings, observation)
        squares.append((policy.act(steps.observations[left_out]).actions - steps.actions[left_out]) ** 2)
    return float(np.sqrt(np.mean(np.concatenate(squares))))


def calibrate(steps: Steps, cloning: PolicySettings, shift: ShiftSettings, observation: Sequence[Channel]) -> float:
    """The shift threshold: as set, or the quantile over episodes of an episode's largest novelty, left out by itself.

    An episode, not a step, is what raises an alarm: a quantile of single steps would alarm in every other episode.
    """
    if shift.threshold is not None:
        return shift.threshold
    if shift.quantile is None:
        raise errors.UserError("shift quantile: found nothing, allowed: a share, where the threshold is null")
    slices = tables.episode_slices(steps.episode)
    if len(slices) < 2:
        raise errors.UserError(
            "shift threshold: found null and 1 episode, allowed: a number, or at least 2 episodes to calibrate on"
        )
    largest = []
    everything = np.arange(len(steps))
    for part in slices:
        rest = subset(steps, np.delete(everything, part))
        memory = Memory.of(rest, cloning, observation)
        largest.append(memory.recall(steps.observations[part]).novelty.max())
    return float(np.quantile(largest, shift.quantile, method="higher"))


if __name__ == "__main__":
    errors.run(main)
