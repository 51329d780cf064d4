"""Spreads episodes over processes; the result is the same, in the same order, as in one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stages.core.episode import Controller, Episode, Plan
from stages.core.rollout import rollout
from stages.core.task import Task

# A worker process takes about a second to start: fewer steps than these are not worth it.
_STEPS_WORTH_A_WORKER = 20_000
_SHARES_PER_JOB = 4  # episodes differ in length: smaller shares even that out


@dataclass(frozen=True)
class Compute:
    """How, not what: nothing here changes a result."""

    jobs: int = 1
    backend: str = "loky"
    lockstep: int = 12


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
    episodes: list[Episode] = []
    with tqdm(total=len(plans), desc=label, unit="episode", mininterval=1, leave=False) as bar:
        if jobs == 1:
            for episode in rollout(make, controller, plans, max_steps, compute.lockstep):
                episodes.append(episode)
                bar.update()
        else:
            from joblib import Parallel, delayed

            shares = [plans[start :: jobs * _SHARES_PER_JOB] for start in range(jobs * _SHARES_PER_JOB)]
            work = (delayed(_share)(make, controller, share, max_steps, compute.lockstep) for share in shares if share)
            for part in Parallel(n_jobs=jobs, backend=compute.backend, return_as="generator_unordered")(work):
                episodes.extend(part)
                bar.update(len(part))
    order = {plan.index: place for place, plan in enumerate(plans)}
    return sorted(episodes, key=lambda episode: order[episode.plan.index])


def _share(
    make: Callable[[], Task], controller: Controller, plans: Sequence[Plan], max_steps: int, lockstep: int
) -> list[Episode]:
    return list(rollout(make, controller, plans, max_steps, lockstep))


def _jobs(compute: Compute, steps: int) -> int:
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = compute.jobs if compute.jobs > 0 else max(1, cores + 1 + compute.jobs)
    return max(1, min(jobs, steps // _STEPS_WORTH_A_WORKER))
