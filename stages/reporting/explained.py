"""Where the worst episode of a task went wrong, and which known moments the policy's answer was made of there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stages.core import tables
from stages.core.columns import values
from stages.core.policy import load_policy
from stages.core.task import Floats, vector
from stages.core.wording import plural
from stages.explaining.moment import read_moment
from stages.explaining.votes import Explanation, Voter, explain, read_known
from stages.policies import POLICIES
from stages.reporting.drawing import FIRST, INK, LAST, MUTED, chart
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import seconds
from stages.tasks import TASKS
from stages.tasks.kuka.kinematics import JOINTS, tool_and_jacobian

_JOINTS = vector("joint", "rad", JOINTS)
_POINTS = 150  # at most about so many of a curve are drawn
_NEAR = 20  # frames of a known episode that are drawn, before and after the one that voted
_NO_NEARER = 0.05  # of the way that was come nearer at all: less is none
_VIEWS = {"from above": (0, 1), "from the side": (1, 2)}
_AXES = ("x [m]", "y [m]", "z [m]")


@dataclass(frozen=True)
class Explained:
    """A sentence or two, and what they mean as a drawing."""

    sentence: str
    figure: Figure


@dataclass(frozen=True)
class _Worst:
    """An episode of T steps as it was recorded, and the step to look at."""

    round: int
    episode: int
    steps: pa.Table  # (T rows)
    step: int
    why: str  # this step, in words


def explain_worst(data: Path, name: str, rows: pd.DataFrame) -> Explained | None:
    """The worst episode of the last round with a failure (of the last round where there is none), explained.

    `rows`: those of results.csv of the task. None for a task without an arm: its way cannot be drawn.
    """
    task = TASKS.find(name)
    if not set(_JOINTS) <= set(task.observation):
        return None
    failing = rows[rows["success"] < 1]["round"]
    number = int((failing if len(failing) else rows["round"]).max())
    folder = data / name / f"round_{number}"
    worst = _worst(folder, name, number)
    trained = load_policy(folder / "policy.npz", name, POLICIES)
    known = read_known(folder / "dataset.parquet", name, task, trained)
    told = explain(trained, known, task, read_moment(folder / "evaluation", name, task, worst.episode, worst.step))
    panels = (*(_way(worst, told, known, title) for title in _VIEWS), _novelty(worst, told))
    caption = (
        "The tool's way in this episode (dark, the step a ring) and, in grey, the parts of demonstrations and "
        "corrections whose moments voted: the larger the dot, the more it counts. Right: novelty over the episode, "
        "with the threshold (dashed)."
    )
    return Explained(_sentence(worst, told), Figure("Where the worst episode went wrong", caption, panels))


def _worst(folder: Path, name: str, number: int) -> _Worst:
    """Of the episodes that failed, or of all where none did, the one with most left to the goal."""
    steps, episodes = tables.read_episodes(folder / "evaluation", name, TASKS.find(name))
    failed = pc.not_equal(episodes["outcome"], "success")
    some = episodes.filter(failed) if pc.any(failed).as_py() else episodes
    episode = int(values(some["episode_index"])[int(np.argmax(values(some["error"])))])
    taken = steps.filter(pc.equal(steps["episode_index"], episode))
    return _Worst(
        number, episode, taken, *_step(values(taken["error"]), values(taken["novelty"]), some is not episodes)
    )


def _step(errors: Floats, novelty: Floats, failed: bool) -> tuple[int, str]:
    """The step to look at in an episode: where a failure ceased to come nearer, or that of largest novelty."""
    gained = errors[0] - errors.min()
    nearest = int(np.argmax(errors <= errors.min() + _NO_NEARER * gained))
    if failed and 0 < nearest < len(errors) - 1:
        return nearest + 1, "where it ceased to come nearer to its goal"  # an error is that after the step
    return int(np.nanargmax(novelty)), "that of the largest novelty"


def _sentence(worst: _Worst, told: Explanation) -> str:
    moment = told.moment
    ratio = told.novelty / told.threshold
    alarm = "the alarm was up" if told.shift else "no alarm"
    nearest = told.voters[0]
    voted = f"{plural(len(told.voters), 'known moment')} of {plural(_episodes(told), 'episode')}"
    answer = "The answer was made of" if told.mean is not None else "The policy answers without rows; nearest were"
    return (
        f"Round {worst.round}, condition {moment.condition}, episode {moment.episode}: {moment.outcome} after "
        f"{moment.steps} steps. Step {moment.step}, at {seconds(moment.time)}, is {worst.why}; novelty was "
        f"{ratio:.2g} times the threshold there ({alarm}). {answer} {voted}, the nearest at distance "
        f"{nearest.distance:.2g} ({nearest.source}, round {nearest.round}, episode {nearest.episode}, frame "
        f"{nearest.frame})."
    )


def _episodes(told: Explanation) -> int:
    return len({(voter.round, voter.episode) for voter in told.voters})


def _way(worst: _Worst, told: Explanation, known: pa.Table, title: str) -> Picture:
    """The episode's way and those of the episodes that voted, in one view."""
    across, up = _VIEWS[title]
    way = _tool(worst.steps)
    thin = way[:: max(1, len(way) // _POINTS)]
    with chart() as drawn:
        axes = drawn.axes
        for part in _around(known, told.voters):
            axes.plot(part[:, across], part[:, up], color=MUTED, alpha=0.4, linewidth=0.8, zorder=1)
        places = _tool(known.take([voter.row for voter in told.voters]))
        sizes = [4 + 120 * abs(voter.weight or 0) for voter in told.voters]
        axes.scatter(places[:, across], places[:, up], s=sizes, color=LAST, linewidths=0, zorder=3)
        axes.plot(thin[:, across], thin[:, up], color=INK, linewidth=1.2, zorder=2)
        axes.plot(way[worst.step, across], way[worst.step, up], "o", color=FIRST, fillstyle="none", zorder=4)
        axes.set(title=title, xlabel=_AXES[across], ylabel=_AXES[up])
        axes.set_aspect("equal", adjustable="datalim")
        return drawn.picture(f"The tool's way in the episode, and the known moments that voted, {title}.")


def _novelty(worst: _Worst, told: Explanation) -> Picture:
    times, novelty = values(worst.steps["timestamp"]), values(worst.steps["novelty"])
    frames = np.unique(np.append(np.arange(0, len(times), max(1, len(times) // _POINTS)), worst.step))
    with chart() as drawn:
        axes = drawn.axes
        axes.plot(times[frames], novelty[frames], color=INK, linewidth=1.2)
        axes.axhline(told.threshold, color=MUTED, linestyle="--", linewidth=1)
        axes.plot([times[worst.step]], [novelty[worst.step]], "o", color=FIRST, fillstyle="none")
        axes.set(title="novelty", xlabel="time [s]", ylabel="novelty")
        axes.set_ylim(bottom=0)
        return drawn.picture(f"Novelty over time; at the step {told.novelty:.3g}, threshold {told.threshold:.3g}.")


def _tool(rows: pa.Table) -> Floats:
    """Where the tool is in each of N rows (N, 3) [m]."""
    return tool_and_jacobian(tables.matrix(rows, "observation", _JOINTS))[0]


def _around(known: pa.Table, voters: Sequence[Voter]) -> Iterator[Floats]:
    """The tool's way about the moments that voted (N, 3) [m], one for each episode that they are of.

    Rows of an episode stand next to each other.
    """
    rounds, episodes = (values(known[name]) for name in ("round", "episode_index"))
    for number, episode in dict.fromkeys((voter.round, voter.episode) for voter in voters):
        chosen = [voter.row for voter in voters if (voter.round, voter.episode) == (number, episode)]
        rows = np.arange(max(min(chosen) - _NEAR, 0), min(max(chosen) + _NEAR + 1, len(known)))
        inside = rows[(rounds[rows] == number) & (episodes[rows] == episode)]
        yield _tool(known.take(inside[:: max(1, len(inside) // _NEAR)]))
