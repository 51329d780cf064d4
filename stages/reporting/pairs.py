"""Chooses the episodes that are shown: one world, in the first round and in the last."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.core import tables
from stages.core.errors import UserError
from stages.core.task import Floats
from stages.core.wording import plural
from stages.measuring.distinct import distinct
from stages.tasks import TASKS


@dataclass(frozen=True)
class Run:
    """One episode as it was recorded, T steps long."""

    round: int
    outcome: str
    steps: pd.DataFrame  # (T rows)
    world: dict[str, float]
    threshold: float  # of novelty

    def channels(self, group: str) -> Floats:
        """The observed channels of a group (T, C)."""
        names = [name for name in map(str, self.steps) if name.rpartition("_")[0] == f"observation.{group}"]
        values: Floats = self.steps[names or [f"observation.{group}"]].to_numpy(float)
        return values


@dataclass(frozen=True)
class Pair:
    """The same world under the first round's policy and the last's (only one run where there is one round)."""

    task: str
    condition: str
    episode: int
    why: str  # it was chosen, in words
    runs: tuple[Run, ...]
    folder: Path  # of the task's data

    @property
    def rounds(self) -> list[int]:
        """The rounds of the runs."""
        return [run.round for run in self.runs]


@dataclass(frozen=True)
class Recorded:
    """The recorded evaluation of one round."""

    round: int
    steps: pd.DataFrame
    episodes: pd.DataFrame


def read_recorded(folder: Path, name: str, rows: pd.DataFrame) -> Recorded:
    """The evaluation in `folder`; UserError where its episodes are not those that `rows` of results.csv count."""
    steps, episodes = (
        table.to_pandas() for table in tables.read_episodes(folder / "evaluation", name, TASKS.find(name))
    )
    counted = dict(zip(rows["condition"].tolist(), rows["episodes"].tolist(), strict=True))
    found = distinct(episodes)["condition"].value_counts().to_dict()
    if counted != found:
        raise UserError(f"{folder / 'evaluation'}: found episodes {found}, the results count {counted}")
    return Recorded(int(rows["round"].iloc[0]), steps, episodes)


def choose_pair(data: Path, name: str, rows: pd.DataFrame, novelty: pd.DataFrame) -> Pair:
    """A typical episode that failed at first and succeeded at last, of the condition with most of these.

    Where no episode was mended, one that failed; where none failed, any. Equal counts: where shift was larger at first.
    """
    rounds = sorted({int(number) for number in rows["round"]})
    evaluations = [
        read_recorded(data / name / f"round_{number}", name, rows[rows["round"] == number])
        for number in dict.fromkeys([rounds[0], rounds[-1]])
    ]
    first = rows[rows["round"] == rounds[0]].set_index("condition")["shift"]
    chosen, why = _choose(evaluations, first)
    thresholds = novelty.groupby("round")["threshold"].first()
    runs = tuple(_run(one, int(chosen["episode_index"]), float(thresholds[one.round])) for one in evaluations)
    return Pair(name, str(chosen["condition"]), int(chosen["episode_index"]), why, runs, data / name)


def _choose(evaluations: list[Recorded], shift: "pd.Series[float]") -> tuple[dict[str, Any], str]:
    """The row of the episode in the first round, and why it."""
    first = evaluations[0].episodes
    failed = (first["outcome"] != "success").to_numpy()
    last = evaluations[-1].episodes.set_index("episode_index")["outcome"]
    mended = failed & (last.reindex(first["episode_index"]) == "success").to_numpy()
    for candidates, why in (
        (mended, "of {told} in {condition} that failed at first and succeeded at last, the one of median error"),
        (failed, "of {told} in {condition} that failed in the first round, the one of median error"),
        (np.ones(len(first), dtype=bool), "none failed; of {told} in {condition}, the one of median error"),
    ):
        if candidates.any():
            found = first[candidates]
            counts = found["condition"].value_counts()
            condition = max(shift.index.intersection(counts.index), key=lambda name: (counts[name], shift[name]))
            found = found[found["condition"] == condition].sort_values(["error", "episode_index"])
            chosen: dict[str, Any] = {str(key): value for key, value in found.iloc[(len(found) - 1) // 2].items()}
            return chosen, why.format(told=plural(len(found), "episode"), condition=condition)
    raise ValueError("an evaluation without episodes")


def _run(evaluation: Recorded, episode: int, threshold: float) -> Run:
    row = evaluation.episodes.set_index("episode_index").loc[episode]
    steps = evaluation.steps[evaluation.steps["episode_index"] == episode]
    world = {name.removeprefix("world."): float(row[name]) for name in row.index if name.startswith("world.")}
    return Run(evaluation.round, str(row["outcome"]), steps.reset_index(drop=True), world, threshold)
