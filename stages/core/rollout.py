"""Rolls episodes out: many simulations advance in lockstep, one batched decision a control step."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from stages.core.episode import Controller, Decision, Episode, Plan, Recollection
from stages.core.promises import Asked, expert_actions, first_observation, observed, outcome
from stages.core.streams import stream
from stages.core.task import Floats, Task

_TOGETHER = 64  # steps whose noise is drawn at a time


def expert_controller(task: type[Task]) -> Controller:
    """The task's expert as a controller; neither its novelty nor its surprise is measured."""

    def act(observations: Floats) -> Decision:
        rows = len(observations)
        no = np.zeros(rows, dtype=bool)
        actions = expert_actions(task, task.expert(observed(task, observations)), rows)
        return Decision(actions, no, no, no, Recollection.none(rows))

    return act


class _Run:
    """One episode under way in one task instance."""

    def __init__(self, task: Task, plan: Plan, max_steps: int) -> None:
        self.task, self.plan, self.max_steps = task, plan, max_steps
        self.observation_noise = _noise(plan, "observation_noise", len(task.observation))
        bias = _noise(plan, "observation_bias", len(task.observation))
        self.observation_bias = None if bias is None else next(bias)
        self.action_noise = _noise(plan, "action_noise", len(task.action))
        self.observations: list[Floats] = []
        self.decisions: list[Decision] = []  # each on a batch of observations ...
        self.rows: list[int] = []  # ... of which this one was of this run
        self.executed: list[Floats] = []
        self.errors: list[float] = []
        self.true = first_observation(task, task.reset(Asked(plan.world), stream(plan.seed, "reset")))
        self.outcome = task.outcome  # one that begins with an outcome ends as that, after one step

    def observe(self) -> Floats:
        """What the controller sees now (O,)."""
        seen = self.true
        if self.observation_bias is not None:
            seen = seen + self.observation_bias
        if self.observation_noise is not None:
            seen = seen + next(self.observation_noise)
        self.observations.append(seen)
        return seen

    def advance(self, decision: Decision, row: int) -> bool:
        """Execute that row of a decision; true when the episode has ended."""
        frame = len(self.rows)
        executed = decision.actions[row]
        noise = None if self.action_noise is None else next(self.action_noise)  # that of the frame, used or not
        if frame < len(self.plan.prelude):
            executed = self.plan.prelude[frame]
        elif noise is not None and not decision.final[row]:
            executed = executed + noise
        self.true = self.task.step(executed)
        self.decisions.append(decision)
        self.rows.append(row)
        self.executed.append(executed)
        self.errors.append(self.task.error)
        self.outcome = self.outcome or self.task.outcome
        return self.outcome is not None or frame + 1 == self.max_steps

    def episode(self) -> Episode:
        """The record of the episode that has ended."""
        said = Decision.joined(self.decisions, self.rows)
        return Episode(
            self.plan,
            np.array(self.observations),
            said.actions,
            np.array(self.executed),
            said.recollection.scores(),
            said.shift,
            said.final | said.asked,
            said.asked,
            np.array(self.errors),
            outcome(self.task, self.outcome),
            self.task.final_error(),
            self.task.details(),
            self.task.given(),
        )


def _noise(plan: Plan, knob: str, channels: int) -> Iterator[Floats] | None:
    """The noise of step after step (channels,), from a stream that only the episode's seed decides; None for none."""
    level = plan.world[knob]
    return None if level == 0 else _drawn(level, stream(plan.seed, knob), channels)


def _drawn(level: float, rng: np.random.Generator, channels: int) -> Iterator[Floats]:
    """Many steps at a time, which is quicker, but never as many as an episode may have and hardly any has."""
    while True:
        yield from level * rng.uniform(-1, 1, (_TOGETHER, channels))


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
        ended = [run.advance(decision, row) for row, run in enumerate(runs)]
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
