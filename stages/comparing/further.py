"""More pairs of a task: both policies act in further worlds of a condition, the same for both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from stages.core.conditions import conditions_of
from stages.core.episode import Controller, Ints, Plan
from stages.core.parallel import run_episodes
from stages.core.policy import load_policy, policy_controller
from stages.core.settings import Settings
from stages.core.task import Task
from stages.core.worlds import evaluation_plans
from stages.policies import POLICIES
from stages.tasks import TASKS

_STEPS, _FEWEST = 2400, 4  # of a condition's batch: steps about, and episodes at least


@dataclass(frozen=True)
class Contest:
    """A task, and the two policies that act in it: the baseline's and the one that is judged."""

    task: str
    settings: Settings
    demonstrations: Path
    policies: tuple[Path, Path]

    def worlds(self, most: int) -> dict[str, list[Plan]]:
        """By condition, its first `most` worlds."""
        found: dict[str, list[Plan]] = {}
        conditions = conditions_of(self.settings, self.task, "evaluate")
        for plan in evaluation_plans(self.task, TASKS.find(self.task), self.settings, conditions, most):
            found.setdefault(plan.condition, []).append(plan)
        return found

    @property
    def batch(self) -> int:
        """How many worlds of a condition are run at a time: of long episodes fewer, so that tasks take equal turns."""
        return max(_FEWEST, _STEPS // self.settings.max_steps("evaluate", self.task))

    def outcomes(self, plans: Sequence[Plan]) -> Ints:
        """For each of N worlds -1 (the baseline alone succeeded), 1 (the other alone) or 0 (N,)."""
        numbered = [replace(plan, index=place) for place, plan in enumerate(plans)]
        before, after = (self._run(controller, numbered) for controller in self._controllers)
        changes: Ints = after - before
        return changes

    def _run(self, controller: Controller, plans: Sequence[Plan]) -> Ints:
        """Whether it succeeds in each world (N,), as 0 or 1."""
        longest = self.settings.max_steps("evaluate", self.task)
        episodes = run_episodes(self.make, controller, plans, longest, self.settings.params.compute, self.task)
        return np.array([episode.outcome == "success" for episode in episodes], dtype=np.int64)

    @cached_property
    def make(self) -> Callable[[], Task]:
        """What makes instances of the task."""
        return TASKS.find(self.task).prepare(self.demonstrations)

    @cached_property
    def _controllers(self) -> list[Controller]:
        task, response = TASKS.find(self.task), self.settings.response(self.task)
        return [policy_controller(load_policy(path, self.task, POLICIES), response, task) for path in self.policies]
