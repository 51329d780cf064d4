"""Both cores over one: wall time of rollouts of 200 episodes and more, with each backend.

The machine's own limit stands first: what two processes gain that do nothing but stepSimulation.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context

import psutil

from stages.core.conditions import conditions_of
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings
from stages.core.policy import load_policy, policy_controller
from stages.core.settings import Settings, load_settings
from stages.core.worlds import evaluation_plans
from stages.policies import POLICIES
from stages.tasks import TASKS
from stages.tasks.kuka.arm import Arm
from stages.tasks.kuka.dynamics import TORQUES, Dynamics
from stages.tasks.kuka.incremental import ITERATIONS
from stages.tasks.kuka.kinematics import JOINTS
from tests.benchmarks.figures import Figure
from tests.benchmarks.quiet import in_turns, timed
from tests.chain import ROOT
from tests.serving import dask_cluster

NAMES = ("kuka_reach", "kuka_pick_place")
EPISODES = 200
WANTED, MOST = 3, 8  # rounds
SWINGS, SWING = 500, 240  # movements of the arm, and the physics steps of each


def measure() -> list[Figure]:
    """For both arms' tasks with the trained policy of the last round, as `dvc checkout` brings it."""
    alone = {str(jobs): partial(timed, partial(swing, jobs)) for jobs in (1, 2)}
    limit = in_turns(alone, WANTED, MOST)["2"].wall
    lockstep = _settings().params.compute.lockstep
    figures = [Figure("stepSimulation alone, two processes over one: the machine's limit", limit)]
    here = [ComputeSettings(2, backend, lockstep) for backend in ("fork", "loky")]
    for name in NAMES:
        figures += _gains(name, here, [])
    # Last: what the distributed engine brings into this process would be copied with it.
    with dask_cluster(2) as (address, servers):
        for name in NAMES:
            figures += _gains(name, [ComputeSettings(-1, "dask", lockstep, address)], servers)
    return figures


def _gains(name: str, ways: Sequence[ComputeSettings], servers: Sequence[psutil.Process]) -> Iterator[Figure]:
    """What two processes gain over one on the task, each way; `servers` are those that work for it."""
    run = rollouts(name)
    every: dict[str, ComputeSettings] = {
        "one": ComputeSettings(1, "sequential", ways[0].lockstep),
        **{way.backend: way for way in ways},
    }
    for compute in every.values():
        run(compute)  # loky starts its processes the first time
    turns = {way: partial(timed, partial(run, compute), servers) for way, compute in every.items()}
    for way, found in in_turns(turns, WANTED, MOST).items():
        what = f"{name}: two processes over one, {way}"
        yield Figure(what, found.wall, at_least=1.8)
        # What the wall time comes to where nobody else is at work and both end together.
        yield Figure(f"{what}: twice one's CPU time over theirs", 2 * found.cpu, at_least=1.8)
        yield Figure(f"{what}: cores that others used meanwhile", 100 * found.others, "%")


def swing(jobs: int) -> None:
    """Move the arm back and forth in so many processes, which share the work."""
    processes = [get_context("fork").Process(target=_swing, args=(SWINGS // jobs,)) for _ in range(jobs)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a process that swings ended with status {process.exitcode}")


def _swing(times: int) -> None:
    arm = Arm(TORQUES, without=("visual", "collision"), iterations=ITERATIONS, ground=False)
    for _ in range(times):
        arm.reset([0.0] * JOINTS, Dynamics())
        arm.command([0.5] * JOINTS)
        arm.advance(SWING)


def rollouts(name: str) -> Callable[[ComputeSettings], None]:
    """What runs the task's held-out worlds, `EPISODES` of them or a few more."""
    settings = _settings()
    task = TASKS.find(name)
    trained = load_policy(ROOT / "data" / name / "round_3" / "policy.npz", name, POLICIES)
    wanted = settings.of(settings.params.evaluate, "evaluate", name)
    conditions = conditions_of(settings, name, "evaluate")
    plans = evaluation_plans(name, task, settings, conditions, -(-EPISODES // len(conditions)))
    controller = policy_controller(trained, settings.response(name), task)

    def run(compute: ComputeSettings) -> None:
        run_episodes(task.prepare(None), controller, plans, wanted.max_steps or 0, compute, name)

    return run


def _settings() -> Settings:
    return load_settings(ROOT / "params.yaml", TASKS, POLICIES)
