"""A policy in the loop, resets included, over nothing but stepSimulation: the share of the physical limit.

The limit is what the same worlds cost when the commands that the policy gave are given again and only the calls of
stepSimulation are timed: an arm that rests is quicker, its solver ends early.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from stages.core.conditions import conditions_of
from stages.core.episode import Controller, Plan
from stages.core.policy import load_policy, policy_controller
from stages.core.rollout import advance
from stages.core.settings import Settings, load_settings
from stages.core.streams import stream
from stages.core.worlds import evaluation_plans
from stages.policies import POLICIES
from stages.tasks import TASKS
from stages.tasks.kuka.dynamics import physics_steps
from tests.benchmarks.figures import Figure
from tests.chain import ROOT

_LIMITS = {"kuka_reach": 0.70, "kuka_pick_place": 0.80}
_EPISODES = 8  # of each condition
_TURNS = 5


def measure() -> list[Figure]:
    """For both tasks, with the policies of the last round of the default run."""
    settings = load_settings(ROOT / "params.yaml", TASKS, POLICIES)
    return [figure for name, limit in _LIMITS.items() for figure in _task(name, limit, settings)]


def _task(name: str, limit: float, settings: Settings) -> Iterator[Figure]:
    task, lockstep = TASKS.find(name), settings.params.compute.lockstep
    trained = load_policy(_policy(name, settings), name, POLICIES)
    controller = policy_controller(trained, "act", task)
    plans = evaluation_plans(name, task, settings, conditions_of(settings, name, "evaluate"), _EPISODES)
    tasks = [task() for _ in range(lockstep)]
    steps = settings.max_steps("evaluate", name)
    _loop(tasks, controller, plans, steps)  # makes what is made once
    turns = [(_loop(tasks, controller, plans, steps), _raw(tasks[0], controller, plans, steps)) for _ in range(_TURNS)]
    for one in tasks:
        one.close()
    yield Figure(f"{name}: physics steps a second and core, policy in the loop", median(a for a, _ in turns), "1/s")
    yield Figure(f"{name}: the same, stepSimulation alone", median(b for _, b in turns), "1/s")
    yield Figure(f"{name}: share of the limit", median(a / b for a, b in turns), at_least=limit)


def _policy(name: str, settings: Settings) -> Path:
    rounds = settings.get(settings.params.rounds, "rounds")
    return ROOT / "data" / name / rounds[-1].name / "policy.npz"


def _loop(tasks: list[Any], controller: Controller, plans: list[Plan], max_steps: int) -> float:
    """Physics steps a second of CPU time."""
    start = process_time()
    episodes = list(advance(tasks, controller, plans, max_steps))
    spent = process_time() - start
    return sum(len(one) * physics_steps(one.plan.world, tasks[0].control_period) for one in episodes) / spent


def _raw(task: Any, controller: Controller, plans: list[Plan], max_steps: int) -> float:
    """The same of stepSimulation alone, in the same worlds with the same commands."""
    spent, count = 0.0, 0
    for plan in plans:
        (episode,) = advance([task], controller, [plan], max_steps)
        task.reset(plan.world, stream(plan.seed, "reset"))
        simulation = _Timed(task)
        for action in episode.executed:
            task.step(action)
        simulation.leave()
        spent, count = spent + simulation.spent, count + simulation.count
    return count / spent


class _Timed:
    """Counts and times the physics steps of a task's simulation."""

    def __init__(self, task: Any) -> None:
        self.simulated = task.arm if hasattr(task, "arm") else task.bench
        self.client, self.spent, self.count = self.simulated.client, 0.0, 0
        self.step = self.client.stepSimulation
        self.simulated.advance = self._advance

    def _advance(self, steps: int) -> Any:
        step = self.step
        start = process_time()
        for _ in range(steps):
            step()
        self.spent += process_time() - start
        self.count += steps
        return type(self.simulated).advance(self.simulated, 0)

    def leave(self) -> None:
        """Give the simulation its own way of stepping back."""
        del self.simulated.advance
