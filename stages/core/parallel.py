"""Spreads episodes over processes; the result is the same, in the same order, as in one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
import os
import sys
from uuid import uuid4

from stages.core import cluster
from stages.core.episode import Controller, Episode, Plan
from stages.core.errors import UserError
from stages.core.orphans import die_with_parent
from stages.core.rollout import advance, rollout
from stages.core.task import Task

# To start processes takes a part of a second: fewer steps than these are not worth it.
_STEPS_WORTH_A_PROCESS = 10_000
_SHARES_PER_JOB = 8  # episodes differ in length: smaller shares even that out
_ATTEMPTS = 3  # at what processes that were killed had under way


@dataclass(frozen=True)
class Compute:
    """How, not what: nothing here changes a result."""

    jobs: int = 1
    backend: str = "fork"
    lockstep: int = 12
    scheduler: str = ""  # the address of dask's


@dataclass(frozen=True)
class _Work:
    """What a process does with its shares of the plans; its simulations are made once."""

    make: Callable[[], Task]
    controller: Controller
    max_steps: int
    lockstep: int
    tasks: list[Task] = field(default_factory=list)
    name: str = field(default_factory=lambda: uuid4().hex)  # tells it from other work, in all processes

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
        for part in _alone(work, plans) if jobs == 1 else _together(work, plans, jobs, compute):
            episodes.extend(part)
            bar.update(len(part))
    order = {plan.index: place for place, plan in enumerate(plans)}
    return sorted(episodes, key=lambda episode: order[episode.plan.index])


def _jobs(compute: Compute, steps: int) -> int:
    """How many processes the work is worth and may have; 1: none but this one."""
    most = min(max(1, steps // _STEPS_WORTH_A_PROCESS), compute.jobs if compute.jobs > 0 else sys.maxsize)
    if most == 1:
        return 1
    if compute.backend == "dask":
        return max(2, min(most, cluster.count_workers(compute.scheduler)))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return most if compute.jobs > 0 else min(most, cores)


def _alone(work: _Work, plans: Sequence[Plan]) -> Iterator[list[Episode]]:
    try:
        for episode in work.run(plans):
            yield [episode]
    finally:
        work.close()


def _together(work: _Work, plans: Sequence[Plan], jobs: int, compute: Compute) -> Iterator[list[Episode]]:
    """The episodes of one share after the other, in the order in which they are ready.

    When a process is killed, what was under way is run again, and comes out the same. UserError when that happens
    again and again.
    """
    from concurrent.futures import BrokenExecutor

    missing = {plan.index: plan for plan in plans}
    for _ in range(_ATTEMPTS):
        try:
            for part in _spread(work, list(missing.values()), jobs, compute):
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


def _spread(work: _Work, plans: Sequence[Plan], jobs: int, compute: Compute) -> Iterator[list[Episode]]:
    count = jobs * _SHARES_PER_JOB
    shares = [share for start in range(count) if (share := plans[start::count])]
    if compute.backend == "fork" and sys.platform == "linux":
        yield from _forked(work, shares, jobs)
        return
    if compute.backend == "dask":
        together = jobs if compute.jobs > 0 else len(shares)
        yield from cluster.spread(partial(_run_there, work), shares, compute.scheduler, together)
        return
    from joblib import Parallel, delayed

    # loky has what fork lacks: it starts anywhere.
    named = "loky" if compute.backend == "fork" else compute.backend
    run = _run_there if named == "loky" else _run_alone
    yield from Parallel(n_jobs=jobs, backend=named, return_as="generator_unordered")(
        delayed(run)(work, share) for share in shares
    )


def _run_alone(work: _Work, plans: Sequence[Plan]) -> list[Episode]:
    return list(rollout(work.make, work.controller, plans, work.max_steps, work.lockstep))


def _run_there(work: _Work, plans: Sequence[Plan]) -> list[Episode]:
    """In a process that outlives the work: simulations are kept from share to share, until other work comes."""
    if [kept.name for kept in _kept] != [work.name]:
        for kept in _kept:
            kept.close()
        _kept[:] = [work]
    return _run_kept(plans)


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


_kept: list[_Work] = []  # in another process: its work


def _keep(work: _Work, parent: int) -> None:
    die_with_parent(parent)
    _kept.append(work)


def _run_kept(plans: Sequence[Plan]) -> list[Episode]:
    return _kept[0](plans)
