"""What a process does with the plans that are its part."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from stages.core.episode import Controller, Episode, Plan
from stages.core.rollout import advance
from stages.core.task import Task

_TOGETHER = 256  # instances that advance together of a task without a simulation


@dataclass(frozen=True)
class Work:
    """What a process does with its shares of the plans; its simulations are made once."""

    make: Callable[[], Task]
    controller: Controller
    max_steps: int
    lockstep: int
    tasks: list[Task] = field(default_factory=list)
    name: str = field(default_factory=lambda: uuid4().hex)  # tells it from other work, in all processes

    def prepare(self, most: int) -> int:
        """Make what `most` episodes can be under way in, and say how many that are."""
        if not self.tasks:
            self.tasks.append(self.make())
        wanted = self.lockstep if self.tasks[0].simulated else _TOGETHER
        while len(self.tasks) < min(wanted, most):
            self.tasks.append(self.make())
        return len(self.tasks)

    def run(self, plans: Iterable[Plan], most: int) -> Iterator[Episode]:
        """The episodes of these plans, `most` of them at most, as they end."""
        self.prepare(most)
        return advance(self.tasks[:most], self.controller, plans, self.max_steps)

    def close(self) -> None:
        """End the simulations."""
        for task in self.tasks:
            task.close()
