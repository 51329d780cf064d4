"""Ask the expert what to do where the policy was out of its depth, within a budget of expert steps.

What is asked here is what the next round adds. In rounds that `correct.<task>.recordings` names, a person's recording
is all that is added.

The budget pays for labels first, then for takeovers; for either, episode after episode as they ran, or with
`correct.<task>.priority` those that failed before all others.

A takeover that ends without success is kept unless `correct.<task>.keep_failed` is false, though `build` leaves such
demonstrations out: it shows what the expert does where the policy gets to, if in vain. Its steps are spent in either
case, and labels of such an episode stay. Standard error says how many there are, and whether labels left nothing for
takeovers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
import sys
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stages.core import cli, errors, parquet, tables
from stages.core.columns import values
from stages.core.episode import Ints, Plan, Steps
from stages.core.gates import BY_SURPRISE, GATES, Visited, divide
from stages.core.parallel import run_episodes
from stages.core.params import CorrectSettings
from stages.core.promises import expert_actions
from stages.core.recordings import read_shown
from stages.core.rollout import expert_controller
from stages.core.settings import Settings, load_settings
from stages.core.task import NOISE_KNOBS, Floats, Task
from stages.core.training import read_training
from stages.core.wording import plural
from stages.policies import POLICIES
from stages.tasks import TASKS

# Least number of episodes that are taken over at a time: enough to keep the cores busy.
_TOGETHER = 8


class Practised(NamedTuple):
    """An episode of practice, and what the expert is asked about it."""

    plan: Plan
    observations: Floats  # (T, O)
    executed: Floats  # (T, A)
    failed: bool
    labelled: Ints  # (M,) frames in which it says what it would do
    takeover: int | None  # the frame from which on it acts


class Answers(NamedTuple):
    """What the expert says in M frames of an episode of practice."""

    episode: int
    mode: str  # label, takeover
    frames: Ints  # (M,)
    observations: Floats  # (M, O)
    actions: Floats  # (M, A)
    succeeded: bool = True  # if it took over: within the steps it has


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    cli.add_round(parser)
    parser.add_argument("practice", type=Path, help="folder of the practice episodes")
    parser.add_argument("--training", type=Path, help="the policy's figures, with the threshold of surprise")
    parser.add_argument("--recordings", type=Path, help="folder of the recordings that params.yaml names")
    parser.add_argument("--demonstrations", type=Path, help="folder of the demonstrations, which kuka_joints follows")
    parser.add_argument("--output", type=cli.new_file(), required=True, help="the corrections, a Parquet file")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task = TASKS.find(name)
    wanted = settings.of(settings.params.correct, "correct", name)
    next_round = cli.round_number(arguments.round) + 1
    recording = wanted.recordings.get(f"round_{next_round}")
    if recording is not None:
        if arguments.recordings is None:
            raise errors.UserError(f"--recordings: found nothing, allowed: the folder of {recording} of {name}")
        table = recorded(name, task, arguments.recordings / recording, next_round)
    else:
        surprise = surprise_threshold(arguments.training, name, wanted.gate)
        practised = read_practice(arguments.practice, name, task, wanted, surprise)
        if wanted.priority == "failures":
            practised.sort(key=lambda one: not one.failed)
        answers = ask(name, task, practised, wanted, settings, arguments.demonstrations)
        table = corrections(name, task, answers, wanted.gate, next_round)
    parquet.write_table(table, arguments.output)
    print(f"{name} {arguments.round}: {plural(table.num_rows, 'row')} of corrections")


def recorded(name: str, task: type[Task], path: Path, number: int) -> pa.Table:
    """A person's corrections, as they were recorded; UserError for a recording that shows nothing."""
    observations, actions = read_shown(path, task)
    rows = len(actions)
    steps = Steps(
        np.zeros(rows, dtype=np.int64),
        np.arange(rows),
        np.full(rows, number),
        ["person"] * rows,
        observations,
        actions,
    )
    return tables.expert_table(name, task, steps)


def surprise_threshold(training: Path | None, name: str, gate: str) -> float:
    """What surprise has to exceed, for a gate that goes by it; UserError where there is no such threshold."""
    if gate not in BY_SURPRISE:
        return np.inf
    if training is None:
        raise errors.UserError(f"--training: found nothing, allowed: the figures of the policy (gate {gate})")
    threshold = read_training(training).surprise
    if threshold is None:
        others = ", ".join(one for one in GATES if one not in BY_SURPRISE)
        why = f"{training}: no threshold of surprise was calibrated"
        raise errors.UserError(f"correct.{name}.gate: found {gate}, allowed: {others} ({why})")
    return threshold


def read_practice(
    folder: Path, name: str, task: type[Task], wanted: CorrectSettings, surprise: float = np.inf
) -> list[Practised]:
    """The practice episodes, each with the frames that the gate opens; UserError for episodes of anything else.

    `surprise` is the threshold that a gate may go by.
    """
    steps, episodes = tables.read_episodes(folder, name, task)
    found = list(dict.fromkeys(episodes["condition"].to_pylist()))
    if found != ["practice"]:
        raise errors.UserError(f"{folder}: found episodes of {errors.listed(found)}, allowed: practice")
    observations = tables.matrix(steps, "observation", task.observation)
    executed = tables.matrix(steps, "executed", task.action)
    shift, surprised, error = values(steps["shift"]), values(steps["surprise"]) > surprise, values(steps["error"])
    knobs = {**task.knobs, **NOISE_KNOBS}
    practised = []
    slices = tables.episode_slices(values(steps["episode_index"]))
    for row, part in zip(episodes.to_pylist(), slices, strict=True):
        world = {knob: row[f"world.{knob}"] for knob in knobs}
        plan = Plan(row["episode_index"], row["condition"], row["seed"], world)
        visited = Visited(row["seed"], row["outcome"] != "success", shift[part], surprised[part], error[part])
        asked = divide(GATES[wanted.gate](visited), wanted.mode, visited.shift)
        practised.append(Practised(plan, observations[part], executed[part], visited.failed, *asked))
    return practised


def ask(
    name: str,
    task: type[Task],
    practised: Sequence[Practised],
    wanted: CorrectSettings,
    settings: Settings,
    demonstrations: Path | None,
) -> list[Answers]:
    """All answers that the budget pays for, by episode, as the rows of one belong together: labels, then a takeover."""
    labels = list(label(task, practised, wanted.budget))
    left = wanted.budget - sum(len(one.frames) for one in labels)
    takeovers = list(take_over(name, task, practised, left, settings, demonstrations))
    if not left and any(one.takeover is not None for one in practised) and labels:
        print(f"{name}: labels took the budget of {wanted.budget:,} steps, none is left to take over", file=sys.stderr)
    mention_failures(name, takeovers)
    kept = [one for one in takeovers if one.succeeded or wanted.keep_failed]
    place = {one.plan.index: number for number, one in enumerate(practised)}
    return sorted([*labels, *kept], key=lambda one: place[one.episode])


def label(task: type[Task], practised: Sequence[Practised], budget: int) -> Iterator[Answers]:
    """The expert's answers to observations, episode after episode until the budget is spent."""
    for episode in practised:
        frames = episode.labelled[:budget]
        budget -= len(frames)
        if len(frames):
            seen = episode.observations[frames]
            yield Answers(episode.plan.index, "label", frames, seen, expert_actions(task, task.expert(seen), len(seen)))


def take_over(
    name: str,
    task: type[Task],
    practised: Sequence[Practised],
    budget: int,
    settings: Settings,
    demonstrations: Path | None,
) -> Iterator[Answers]:
    """The expert's own steps from where it takes over to the end of the episode, until the budget is spent.

    Up to that moment the episode is replayed exactly; after it the expert's motion is as noisy as in demonstrations.
    The expert gets as many steps of its own as an episode of practice has, however late it is called.
    """
    noise = settings.noise(name, "demonstration")
    plans = iter([_takeover(one, one.takeover, noise) for one in practised if one.takeover is not None])
    limit = settings.max_steps("practice", name)
    make, controller = task.prepare(demonstrations), expert_controller(task)
    # As many as the budget pays for if they take all the steps they may: what is run beyond it is work in vain.
    while budget and (share := list(islice(plans, max(_TOGETHER, budget // limit)))):
        longest = limit + max(len(plan.prelude) for plan in share)
        for episode in run_episodes(make, controller, share, longest, settings.params.compute, f"{name}: correct"):
            first = len(episode.plan.prelude)
            frames = np.arange(first, min(len(episode), first + min(budget, limit)))
            budget -= len(frames)
            if len(frames):
                # What comes after its own steps comes by chance: others that run with it are called later.
                succeeded = episode.outcome == "success" and len(episode) <= first + limit
                seen, acted = episode.observations[frames], episode.actions[frames]
                yield Answers(episode.plan.index, "takeover", frames, seen, acted, succeeded)


def mention_failures(name: str, answers: Sequence[Answers]) -> None:
    """Say how many of these takeovers ended without success, and how many of their rows are theirs."""
    failed = [one for one in answers if not one.succeeded]
    if failed:
        rows, theirs = (sum(len(one.frames) for one in part) for part in (answers, failed))
        told = f"{len(failed)} of {len(answers)} takeovers ended without success, {theirs:,} of {rows:,} rows"
        print(f"{name}: {told}", file=sys.stderr)


def _takeover(episode: Practised, first: int, noise: float) -> Plan:
    world = {**episode.plan.world, "action_noise": noise}
    return replace(episode.plan, world=world, prelude=episode.executed[:first])


def corrections(name: str, task: type[Task], answers: Iterable[Answers], gate: str, number: int) -> pa.Table:
    """The expert's answers as rows that the round of that number adds."""
    none = Answers(0, "label", np.arange(0), np.empty((0, len(task.observation))), np.empty((0, len(task.action))))
    parts = [none, *answers]
    episode = np.concatenate([np.full(len(part.frames), part.episode) for part in parts])
    modes = [part.mode for part in parts for _ in part.frames]
    rows = len(episode)
    steps = Steps(
        episode,
        np.concatenate([part.frames for part in parts]),
        np.full(rows, number),
        ["correction"] * rows,
        np.concatenate([part.observations for part in parts]),
        np.concatenate([part.actions for part in parts]),
    )
    return tables.expert_table(name, task, steps, gate, modes, episode)


if __name__ == "__main__":
    errors.run(main)
