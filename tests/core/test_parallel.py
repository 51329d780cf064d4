"""A process that is killed costs what it had under way, and nothing else."""

from collections.abc import Callable
from contextlib import suppress
import os
from pathlib import Path
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from stages.core import parallel
from stages.core.episode import Episode, Plan
from stages.core.errors import UserError
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings
from stages.core.rollout import expert_controller
from stages.core.task import NOISE_KNOBS, Floats, World
from stages.tasks.distance import Distance
from tests.chain import ROOT

STEPS = 20
DEFAULTS = {knob: known.default for knob, known in NOISE_KNOBS.items()}
PLANS = [Plan(index, "test", index, {"start": 0.5 + index / 10, **DEFAULTS}) for index in range(40)]


class Deadly(Distance):
    """Kills its process in one of the worlds, as often as there are files to be used up."""

    def __init__(self, lives: Path) -> None:
        self.lives = lives

    def reset(self, world: World, rng: np.random.Generator) -> Floats:
        if world["start"] == PLANS[17].world["start"]:
            for file in self.lives.iterdir():
                file.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().reset(world, rng)


@pytest.fixture(autouse=True)
def few_steps_are_worth_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_STEPS_WORTH_A_PROCESS", "_STEPS_WORTH_A_COPY", "_STEPS_WORTH_A_SIMULATION"):
        monkeypatch.setattr(parallel, name, 1)


def test_simulations_are_as_many_as_the_work_is_worth_and_as_are_asked_for_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel, "_STEPS_WORTH_A_SIMULATION", 100)
    asked = [parallel._lockstep(ComputeSettings(lockstep=5), steps) for steps in (0, 1, 99, 400, 900, 1600, 10**9)]
    assert asked == [1, 1, 1, 2, 3, 4, 5]


def together(lives: Path, backend: str) -> list[Episode]:
    def make() -> Deadly:
        return Deadly(lives)

    return run_episodes(make, expert_controller(Distance), PLANS, STEPS, ComputeSettings(2, backend, 3), "test")


@pytest.mark.parametrize("backend", ["fork", "loky"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_killed_process_had_under_way_is_run_again(
    times: int,
    backend: str,
    tmp_path: Path,
    assert_same: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(times):
        (tmp_path / str(number)).touch()
    episodes = together(tmp_path, backend)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err.count("a process was killed") == times
    alone = run_episodes(Distance, expert_controller(Distance), PLANS, STEPS, ComputeSettings(jobs=1), "test")
    assert [episode.plan.index for episode in episodes] == list(range(len(PLANS)))
    assert_same(episodes, alone)


class Told(Distance):
    """Writes down which process makes it and which ends it."""

    def __init__(self, told: Path) -> None:
        self.told = told
        self.tell("made")

    def tell(self, what: str) -> None:
        with self.told.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")

    def close(self) -> None:
        self.tell("ended")


def test_copies_of_a_process_make_no_simulations_of_their_own(tmp_path: Path) -> None:
    told = tmp_path / "told"
    compute = ComputeSettings(2, "fork", 3)
    assert len(run_episodes(lambda: Told(told), expert_controller(Distance), PLANS, STEPS, compute, "test")) == 40
    made, ended = f"made {os.getpid()}", f"ended {os.getpid()}"
    lines = told.read_text().splitlines()
    assert set(lines) == {made, ended}
    assert lines.count(made) == lines.count(ended)


@pytest.mark.parametrize(("failure", "kind"), [(ValueError("odd"), RuntimeError), (UserError("odd"), UserError)])
def test_an_error_in_a_copy_of_the_process_is_told(failure: Exception, kind: type[Exception]) -> None:
    """One that is ours, with the place it comes from."""

    class Faulty(Distance):
        def step(self, action: Floats) -> Floats:
            raise failure

    with pytest.raises(kind, match="odd") as raised:
        run_episodes(Faulty, expert_controller(Distance), PLANS, STEPS, ComputeSettings(2, "fork", 3), "test")
    assert ("raise failure" in str(raised.value)) == (kind is RuntimeError)


def test_no_plans_are_no_episodes() -> None:
    assert run_episodes(Distance, expert_controller(Distance), [], STEPS, ComputeSettings(2, "fork", 3), "test") == []


def test_copies_are_no_more_than_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    copies, fork = [], os.fork

    def counted() -> int:
        copies.append(None)
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    run_episodes(Distance, expert_controller(Distance), PLANS[:3], STEPS, ComputeSettings(16, "fork", 3), "test")
    assert len(copies) == 3


def test_copies_for_which_there_is_no_room_are_told() -> None:
    program = """
import resource
from stages.core import errors
from tests.core.test_parallel import *
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
compute = ComputeSettings(30, "fork", 3)
errors.run(lambda: run_episodes(Distance, expert_controller(Distance), PLANS, 2400, compute, "test"))
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in ended.stderr


def test_processes_that_are_killed_again_and_again_are_an_error(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / str(number)).touch()
    with pytest.raises(UserError, match="processes were killed 3 times"):
        together(tmp_path, "fork")


# Two workers, each in an episode that does not end; the stage is one of DVC's.
ENDLESS = """
import os, sys, time
from stages.core import errors, parallel
from stages.core.params import ComputeSettings
from stages.tasks.distance import Distance
from tests.core.test_parallel import PLANS
parallel._STEPS_WORTH_A_COPY = 1
class Endless(Distance):
    def reset(self, world, rng):
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(600)
errors.run(lambda: parallel.run_episodes(
    Endless, None, PLANS, 20, ComputeSettings(2, "fork", 1), "test"))
"""
# What DVC does: it starts a stage, and waits.
STARTER = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_outlives_a_killed_dvc(root: Path) -> None:
    environment = {**os.environ, "DVC_STAGE": "test", "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", STARTER, ENDLESS]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as starter:
        try:
            assert starter.stdout is not None
            workers = [psutil.Process(int(starter.stdout.readline())) for _ in range(2)]
            stage = psutil.Process(starter.pid).children()
        finally:
            starter.kill()
    assert len(stage) == 1
    assert psutil.wait_procs([*stage, *workers], timeout=30)[1] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_stage_whose_dvc_was_killed_before_it_began_does_not_begin(root: Path, tmp_path: Path) -> None:
    """The shell ends at once, and its child wakes up without a parent."""
    said = tmp_path / "said"
    child = f"sleep 0.5; echo $$ >{said}; exec {sys.executable} -c 'import stages; print(1)' >>{said}"
    command = ["sh", "-c", f"sh -c {shlex.quote(child)} & exit"]
    subprocess.run(command, cwd=root, env={**os.environ, "DVC_STAGE": "test"}, check=True)
    while not (said.exists() and said.read_text().endswith("\n")):
        time.sleep(0.01)
    pid = said.read_text().split()[0]
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(pid)).wait(timeout=30)
    assert said.read_text() == f"{pid}\n"
