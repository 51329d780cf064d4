"""The known rows behind a policy's answer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stages.core import parquet, schemas, tables
from stages.core.errors import UserError
from stages.core.policy import Trained
from stages.core.task import Floats, Task
from stages.explaining.moment import Moment
from stages.policies.memory import weighted_mean


@dataclass(frozen=True)
class Voter:
    """A known row: where it is from, how near it is, what it says and how much that counts."""

    row: int  # of the dataset
    source: str
    round: int  # that added it
    episode: int  # in the dataset
    frame: int
    practice_episode: int | None  # in which it was asked for
    distance: float
    weight: float | None  # of all weights, which add up to 1; None: rows do not vote
    action: Floats  # (A,)


@dataclass(frozen=True)
class Explanation:
    """What a policy answers in a moment, and why."""

    kind: str  # of policy
    moment: Moment
    answer: Floats  # (A,) the policy's own
    novelty: float
    threshold: float
    surprise_threshold: float | None
    voters: tuple[Voter, ...]  # nearest first
    mean: Floats | None  # (A,) of their actions, by weight; None: rows do not vote

    @property
    def shift(self) -> bool:
        """Whether the alarm rose."""
        return self.novelty > self.threshold


def read_known(path: Path, name: str, task: type[Task], trained: Trained) -> pa.Table:
    """The dataset at `path`; UserError where the policy knows other rows, for its memory is in the dataset's order."""
    table = parquet.read_table(path, schemas.expert_schema(name, task))
    known = trained.policy.arrays().get("actions")
    if known is None:
        raise UserError(f"policy kind {trained.kind}: it keeps no rows, so that none can be named")
    if not np.array_equal(known, tables.matrix(table, "action", task.action)):
        raise UserError(f"{path}: found other rows than those that the policy beside it was trained on")
    return table


def explain(trained: Trained, known: pa.Table, task: type[Task], moment: Moment) -> Explanation:
    """The policy's answer in that moment, with the rows of `known`, its dataset, that it is made of."""
    asked = moment.observation[None]
    answer, votes = trained.policy.act(asked), trained.policy.votes(asked)
    rows, weights = votes.rows[0], votes.weights[0]
    actions = tables.matrix(known, "action", task.action)[rows]
    mean = weighted_mean(weights[None], actions[None])[0] if trained.policy.by_neighbors else None
    shares = [None] * len(rows) if mean is None else (weights / weights.sum()).tolist()
    voters = tuple(
        _voter(known, int(row), float(distance), share, action)
        for row, distance, share, action in zip(rows, votes.distances[0], shares, actions, strict=True)
    )
    novelty = float(answer.novelty[0])
    surprise = None if np.isinf(trained.surprise_threshold) else trained.surprise_threshold
    return Explanation(trained.kind, moment, answer.actions[0], novelty, trained.threshold, surprise, voters, mean)


def _voter(known: pa.Table, row: int, distance: float, weight: float | None, action: Floats) -> Voter:
    names = ("source", "round", "episode_index", "frame_index", "practice_episode")
    source, number, episode, frame, practised = (known[name][row].as_py() for name in names)
    return Voter(row, source, number, episode, frame, practised, distance, weight, action)
