"""Rolls episodes out: many simulations advance in lockstep, one batched decision a control step."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stages.core.episode import Controller, Decision, Episode, Plan, Recollection, Scores
from stages.core.promises import Asked, expert_actions, first_observation, observed, outcome
from stages.core.streams import stream
from stages.core.task import Floats, Task


def expert_controller(task: type[Task]) -> Controller:
    """The task's expert as a controller; neither its novelty nor its surprise is measured."""

    def act(observations: Floats) -> Decision:
        rows = len(observations)
        no = np.zeros(rows, dtype=bool)
        actions = expert_actions(task, task.expert(observed(task, observations)), rows)
        return Decision(actions, Scores.unknown(rows), no, no, no, Recollection.none(rows))

    return act


class _Said(NamedTuple):
    """What a controller said to one observation."""

    action: Floats  # (A,)
    scores: tuple[float, ...]
    shift: bool
    final: bool
    asked: bool
    recollection: Recollection


class _Run:
    """One episode under way in one task instance."""

    def __init__(self, task: Task, plan: Plan, max_steps: int) -> None:
        self.task, self.plan, self.max_steps = task, plan, max_steps
        self.observation_noise = _noise(plan, "observation_noise", max_steps, len(task.observation))
        self.observation_bias = _noise(plan, "observation_bias", 1, len(task.observation))
        self.action_noise = _noise(plan, "action_noise", max_steps, len(task.action))
        self.observations: list[Floats] = []
        self.said: list[_Said] = []
        self.executed: list[Floats] = []
        self.errors: list[float] = []
        self.true = first_observation(task, task.reset(Asked(plan.world), stream(plan.seed, "reset")))
        self.outcome = task.outcome  # one that begins with an outcome ends as that, after one step

    def observe(self) -> Floats:
        """What the controller sees now (O,)."""
        seen = self.true
        if self.observation_bias is not None:
            seen = seen + self.observation_bias[0]
        if self.observation_noise is not None:
            seen = seen + self.observation_noise[len(self.said)]
        self.observations.append(seen)
        return seen

    def advance(self, said: _Said) -> bool:
        """Execute one decision; true when the episode has ended."""
        frame = len(self.said)
        executed = said.action
        if frame < len(self.plan.prelude):
            executed = self.plan.prelude[frame]
        elif self.action_noise is not None and not said.final:
            executed = said.action + self.action_noise[frame]
        self.true = self.task.step(executed)
        self.said.append(said)
        self.executed.append(executed)
        self.errors.append(self.task.error)
        self.outcome = self.outcome or self.task.outcome
        return self.outcome is not None or frame + 1 == self.max_steps

    def episode(self) -> Episode:
        """The record of the episode that has ended."""
        return Episode(
            self.plan,
            np.array(self.observations),
            np.array([said.action for said in self.said]),
            np.array(self.executed),
            Scores(*np.array([said.scores for said in self.said]).T),
            Recollection.joined([said.recollection for said in self.said]).surprises(),
            np.array([said.shift for said in self.said]),
            np.array([said.asked for said in self.said]),
            np.array(self.errors),
            outcome(self.task, self.outcome),
            self.task.final_error(),
            self.task.details(),
        )


def _noise(plan: Plan, knob: str, steps: int, channels: int) -> Floats | None:
    """The noise of every step (steps, channels), from a stream that only the episode's seed decides."""
    level = plan.world[knob]
    if level == 0:
        return None
    return level * stream(plan.seed, knob).uniform(-1, 1, (steps, channels))


def rollout(
    make: Callable[[], Task], controller: Controller, plans: Sequence[Plan], max_steps: int, lockstep: int
) -> Iterator[Episode]:
    """Run every plan in up to `lockstep` simulations, which are made for it, and yield the episodes as they end."""
    tasks = [make() for _ in range(min(lockstep, len(plans)))]
    try:
        yield from advance(tasks, controller, plans, max_steps)
    finally:
        for task in tasks:
            task.close()


def advance(tasks: Sequence[Task], controller: Controller, plans: Iterable[Plan], max_steps: int) -> Iterator[Episode]:
    """Run every plan and yield the episodes as they end, in an order that depends on their lengths.

    A task may end an episode at its own time; at `max_steps` it has timed out. The tasks' simulations advance
    together, and one that is done takes the next plan. Neither their number nor the order of the plans changes a bit.
    """
    waiting = iter(plans)
    runs = [_Run(task, plan, max_steps) for task, plan in zip(tasks, waiting, strict=False)]
    while runs:
        decision = controller(np.array([run.observe() for run in runs]))
        ended = [run.advance(said) for run, said in zip(runs, _rows(decision), strict=True)]
        if not any(ended):
            continue
        going = []
        for run, over in zip(runs, ended, strict=True):
            if not over:
                going.append(run)
                continue
            yield run.episode()
            plan = next(waiting, None)
            if plan is not None:
                going.append(_Run(run.task, plan, max_steps))
        runs = going


def _rows(decision: Decision) -> Iterator[_Said]:
    actions, scores, *flags, recollection = decision
    each_scores = zip(*(score.tolist() for score in scores), strict=True)
    return map(_Said, actions, each_scores, *(flag.tolist() for flag in flags), recollection.each())
