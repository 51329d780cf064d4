"""Evaluations whose outcomes a test chooses, written as `evaluate` writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import asdict
import numpy as np
import yaml

from stages.core import tables
from stages.core.episode import Episode, Plan, Scores
from stages.core.params import round_entry
from stages.core.streams import derive, uniform
from stages.tasks import TASKS

Wins = Mapping[str, Sequence[bool]]  # condition -> whether each of its episodes succeeds


def write_evaluation(folder: Path, wins: Wins, task: str = "distance", seed: int = 1, noise: float = 0.02) -> Path:
    """A round's folder of that task: the same seed and condition give the same worlds, whatever the outcomes."""
    plans: list[tuple[Plan, bool]] = []
    for condition, outcomes in wins.items():
        for number, won in enumerate(outcomes):
            plans.append((one_plan(len(plans), condition, number, task, seed, noise), won))
    episodes = [one_episode(plan, won, task) for plan, won in plans]
    tables.write_episodes(folder / "evaluation", task, TASKS.find(task), episodes)
    return folder


def one_plan(index: int, condition: str, number: int, task: str, seed: int, noise: float) -> Plan:
    episode_seed = derive(seed, task, condition, number)
    world = {name: knob.default for name, knob in TASKS.find(task).knobs.items()}
    first = next(iter(world))
    # Without noise all worlds of a condition are one.
    world[first] = 1.0 + uniform(episode_seed, first) if noise else 1.0
    return Plan(
        index,
        condition,
        episode_seed,
        {**world, "observation_noise": 0.0, "observation_bias": 0.0, "action_noise": noise},
    )


def one_episode(plan: Plan, won: bool, task: str) -> Episode:
    kind = TASKS.find(task)
    inside, outside = (np.zeros((1, len(channels))) for channels in (kind.observation, kind.action))
    no, left = np.array([False]), np.array([0.0 if won else 1.0])
    details = dict.fromkeys(kind.detail_units, 0.0)
    outcome = "success" if won else "timeout"
    given = dict.fromkeys(kind.given_units, 0.0)
    return Episode(
        plan, inside, outside, outside, Scores.unknown(1), no, no, no, left, outcome, float(left[0]), details, given
    )


def write_params(path: Path, tasks: Sequence[str] = ("distance",), rounds: int = 2) -> Path:
    """The part of params.yaml that says which tasks and rounds there are."""
    content = {"tasks": list(tasks), "rounds": [asdict(round_entry(number)) for number in range(rounds)]}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def some(successes: int, count: int) -> list[bool]:
    """The first `successes` of `count` episodes succeed."""
    return [number < successes for number in range(count)]
