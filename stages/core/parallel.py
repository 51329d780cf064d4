"""Spreads episodes over processes; the result is the same, in the same order, as in one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from math import sqrt
import os
import sys

from stages.core.episode import Controller, Episode, Plan
from stages.core.errors import UserError
from stages.core.params import ComputeSettings
from stages.core.rollout import rollout
from stages.core.task import Task
from stages.core.work import Work

# To start a process takes a part of a second, but a copy of this one some milliseconds: fewer steps are not worth it.
_STEPS_WORTH_A_PROCESS = 10_000
_STEPS_WORTH_A_COPY = 1_000
# To make a simulation takes as long as so many decisions; n that advance together save all but 1 / n of these.
_STEPS_WORTH_A_SIMULATION = 200
_MIX = 8  # neighbouring plans are alike: shares take every eighth
_ATTEMPTS = 3  # at what processes that were killed had under way


def run_episodes(
    make: Callable[[], Task],
    controller: Controller,
    plans: Sequence[Plan],
    max_steps: int,
    compute: ComputeSettings,
    label: str,
) -> list[Episode]:
    """The episodes of all plans, in the order of the plans, with a progress bar named `label`."""
    from tqdm import tqdm

    steps = len(plans) * max_steps
    jobs = _jobs(compute, steps, len(plans))
    work = Work(make, controller, max_steps, _lockstep(compute, steps // jobs))
    episodes: list[Episode] = []
    bar = tqdm(total=len(plans), desc=label, unit="episode", mininterval=1, leave=False)
    with bar, closing(work):
        for part in _alone(work, plans) if jobs == 1 else _together(work, plans, jobs, compute):
            episodes.extend(part)
            bar.update(len(part))
    order = {plan.index: place for place, plan in enumerate(plans)}
    return sorted(episodes, key=lambda episode: order[episode.plan.index])


def _jobs(compute: ComputeSettings, steps: int, plans: int) -> int:
    """How many processes so many steps of so many plans are worth and may have; 1: none but this one."""
    worth = _STEPS_WORTH_A_COPY if _forks(compute) else _STEPS_WORTH_A_PROCESS
    most = min(max(1, min(plans, steps // worth)), compute.jobs if compute.jobs > 0 else sys.maxsize)
    if most == 1 or compute.backend == "sequential":
        return 1
    if compute.backend == "dask":
        from stages.core import cluster

        return max(2, min(most, cluster.count_workers(compute.scheduler)))
    return most if compute.jobs > 0 else min(most, count_cores())


def _lockstep(compute: ComputeSettings, steps: int) -> int:
    """How many simulations a process with so many steps to do is to make: at the square root the sum is least."""
    return min(compute.lockstep, max(1, round(sqrt(steps / _STEPS_WORTH_A_SIMULATION))))


def count_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forks(compute: ComputeSettings) -> bool:
    return compute.backend == "fork" and sys.platform == "linux"


def _alone(work: Work, plans: Sequence[Plan]) -> Iterator[list[Episode]]:
    for episode in work.run(plans, len(plans)):
        yield [episode]


def _together(work: Work, plans: Sequence[Plan], jobs: int, compute: ComputeSettings) -> Iterator[list[Episode]]:
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


def _spread(work: Work, plans: Sequence[Plan], jobs: int, compute: ComputeSettings) -> Iterator[list[Episode]]:
    if _forks(compute):
        from stages.core.copies import forked

        yield from forked(work, plans, jobs)
        return
    mixed = [plan for start in range(_MIX) for plan in plans[start::_MIX]]
    shares = list(_shares(mixed, jobs, work.lockstep))
    if compute.backend == "dask":
        from stages.core import cluster

        together = jobs if compute.jobs > 0 else len(shares)
        yield from cluster.spread(partial(_run_there, work), shares, compute.scheduler, together)
        return
    from joblib import Parallel, delayed

    # loky has what fork lacks: it starts anywhere.
    named = "loky" if compute.backend == "fork" else compute.backend
    run = _run_there if named == "loky" else _run_alone
    # Arrays travel as they are: files of them, which the processes keep open, would be waited for a second at the end.
    start = Parallel(n_jobs=jobs, backend=named, return_as="generator_unordered", max_nbytes=None)
    yield from start(delayed(run)(work, share) for share in shares)


def _shares(plans: Sequence[Plan], jobs: int, least: int) -> Iterator[Sequence[Plan]]:
    """Large ones first, because the end of each leaves its simulations idle; then ever smaller, to end together.

    Source: guided self-scheduling, Polychronopoulos and Kuck, IEEE Transactions on Computers, 1987.
    """
    done = 0
    while done < len(plans):
        size = max(min(least, -(-len(plans) // jobs)), (len(plans) - done) // (2 * jobs))
        yield plans[done : done + size]
        done += size


def _run_alone(work: Work, plans: Sequence[Plan]) -> list[Episode]:
    return list(rollout(work.make, work.controller, plans, work.max_steps, work.lockstep))


_kept: list[Work] = []  # in a process of loky or dask: its work


def _run_there(work: Work, plans: Sequence[Plan]) -> list[Episode]:
    """In a process that outlives the work: simulations are kept from share to share, until other work comes."""
    if [kept.name for kept in _kept] != [work.name]:
        for kept in _kept:
            kept.close()
        _kept[:] = [work]
    return list(_kept[0].run(plans, len(plans)))
