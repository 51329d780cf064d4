"""Spreads episodes over processes; the result is the same, in the same order, as in one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
import os
import sys

from stages.core.episode import Controller, Episode, Plan
from stages.core.errors import UserError
from stages.core.orphans import die_with_parent
from stages.core.rollout import advance, rollout
from stages.core.task import Task

# To start processes takes a part of a second: fewer steps than these are not worth it.
_STEPS_WORTH_A_PROCESS = 10_000
_MIXED = 16  # every so many plans are neighbours in a share: those of one condition are about as long
_ATTEMPTS = 3  # at what processes that were killed had under way


@dataclass(frozen=True)
class Compute:
    """How, not what: nothing here changes a result."""

    jobs: int = 1
    backend: str = "fork"
    lockstep: int = 12


@dataclass(frozen=True)
class _Work:
    """What a process does with its shares of the plans; its simulations are made once."""

    make: Callable[[], Task]
    controller: Controller
    max_steps: int
    lockstep: int
    tasks: list[Task] = field(default_factory=list)

    def __call__(self, plans: Sequence[Plan]) -> list[Episode]:
        """The episodes of a share."""
        return list(self.run(plans))

    def run(self, plans: Sequence[Plan]) -> Iterator[Episode]:
        """The same one by one, as they end."""
        while len(self.tasks) < min(self.lockstep, len(plans)):
            self.tasks.append(self.make())
        return advance(self.tasks, self.controller, plans, self.max_steps)

    def close(self) -> None:
        """End the simulations."""
        for task in self.tasks:
            task.close()


def run_episodes(
    make: Callable[[], Task],
    controller: Controller,
    plans: Sequence[Plan],
    max_steps: int,
    compute: Compute,
    label: str,
) -> list[Episode]:
    """The episodes of all plans, in the order of the plans, with a progress bar named `label`."""
    from tqdm import tqdm

    jobs = _jobs(compute, len(plans) * max_steps)
    work = _Work(make, controller, max_steps, compute.lockstep)
    episodes: list[Episode] = []
    with tqdm(total=len(plans), desc=label, unit="episode", mininterval=1, leave=False) as bar:
        for part in _alone(work, plans) if jobs == 1 else _together(work, plans, jobs, compute.backend):
            episodes.extend(part)
            bar.update(len(part))
    order = {plan.index: place for place, plan in enumerate(plans)}
    return sorted(episodes, key=lambda episode: order[episode.plan.index])


def _jobs(compute: Compute, steps: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = compute.jobs if compute.jobs > 0 else max(1, cores + 1 + compute.jobs)
    return max(1, min(jobs, steps // _STEPS_WORTH_A_PROCESS))


def _alone(work: _Work, plans: Sequence[Plan]) -> Iterator[list[Episode]]:
    try:
        for episode in work.run(plans):
            yield [episode]
    finally:
        work.close()


def _together(work: _Work, plans: Sequence[Plan], jobs: int, backend: str) -> Iterator[list[Episode]]:
    """The episodes of one share after the other, in the order in which they are ready.

    When a process is killed, what was under way is run again, and comes out the same. UserError when that happens
    again and again.
    """
    from concurrent.futures import BrokenExecutor

    missing = {plan.index: plan for plan in plans}
    for _ in range(_ATTEMPTS):
        try:
            shares = list(_shares(list(missing.values()), jobs, work.lockstep))
            for part in _spread(work, shares, jobs, backend):
                for episode in part:
                    del missing[episode.plan.index]
                yield part
            return
        except BrokenExecutor:
            print(f"a process was killed: {len(missing)} of {len(plans)} episodes go on in others", file=sys.stderr)
    raise UserError(
        f"compute.jobs: processes were killed {_ATTEMPTS} times (by whom? where memory ends, the system does it), "
        "allowed: fewer jobs, or backend sequential"
    )


def _shares(plans: Sequence[Plan], jobs: int, lockstep: int) -> Iterator[Sequence[Plan]]:
    """Large shares first, as one decision for many is cheap; then smaller ones, so that all processes end together.

    Source: Polychronopoulos and Kuck, Guided self-scheduling, IEEE Trans. Computers 36 (1987).
    """
    left = [plan for start in range(_MIXED) for plan in plans[start::_MIXED]]
    smallest = min(lockstep, ceil(len(plans) / jobs))
    while left:
        size = max(smallest, ceil(len(left) / (2 * jobs)))
        yield left[:size]
        left = left[size:]


def _spread(work: _Work, shares: Sequence[Sequence[Plan]], jobs: int, backend: str) -> Iterator[list[Episode]]:
    if backend == "fork" and sys.platform == "linux":
        yield from _forked(work, shares, jobs)
        return
    from joblib import Parallel, delayed

    # loky has what fork lacks: it starts anywhere.
    named = "loky" if backend == "fork" else backend
    yield from Parallel(n_jobs=jobs, backend=named, return_as="generator_unordered")(
        delayed(_run_alone)(work, share) for share in shares
    )


def _run_alone(work: _Work, plans: Sequence[Plan]) -> list[Episode]:
    return list(rollout(work.make, work.controller, plans, work.max_steps, work.lockstep))


def _forked(work: _Work, shares: Sequence[Sequence[Plan]], jobs: int) -> Iterator[list[Episode]]:
    """By copies of this process, which have all it has imported and start in an instant.

    A copy that is killed is an error (BrokenProcessPool), not a hang.
    """
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, get_context("fork"), _keep, (work, os.getpid())) as pool:
        broken = None
        for done in as_completed([pool.submit(_run_kept, share) for share in shares]):
            try:
                part = done.result()
            except BrokenProcessPool as error:
                broken = error  # shares that were done before are as good as ever
            else:
                yield part
        if broken:
            raise broken


_kept: list[_Work] = []  # in a copy: its work


def _keep(work: _Work, parent: int) -> None:
    die_with_parent(parent)
    _kept.append(work)


def _run_kept(plans: Sequence[Plan]) -> list[Episode]:
    return _kept[0](plans)
