"""Work on further machines: a real scheduler and two worker processes, as the README has them started."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
import os
from pathlib import Path
import signal
import socket
import sys
import time
from typing import Any

import numpy as np
import pytest
import yaml

from stages.core import cluster, parallel
from stages.core.episode import Plan
from stages.core.errors import UserError
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings
from stages.core.rollout import expert_controller
from stages.core.task import NOISE_KNOBS, Floats, World
from stages.tasks.kuka_reach import KukaReach
from tests.conftest import Stage
from tests.serving import dask_cluster, until, workers

pytestmark = pytest.mark.xdist_group("cluster")
DEFAULTS = {knob: known.default for knob, known in {**KukaReach.knobs, **NOISE_KNOBS}.items()}
PLANS = [Plan(index, "test", index, {**DEFAULTS, "goal_y": index / 100}) for index in range(48)]
STEPS = 12


def told(folder: Path, deadly: bool) -> Callable[[], KukaReach]:
    """Tasks that write down each of their episodes; if deadly, the first of all kills its process, once."""

    class Told(KukaReach):  # in here, because a worker cannot import a module of tests
        def reset(self, world: World, rng: np.random.Generator) -> Floats:
            with (folder / f"{os.getpid()}.txt").open("a") as file:
                file.write(f"{world['goal_y']}\n")
            if deadly and world["goal_y"] == 0 and not (folder / "killed").exists():
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().reset(world, rng)

    return Told


@pytest.fixture(autouse=True)
def few_steps_are_worth_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_STEPS_WORTH_A_PROCESS", "_STEPS_WORTH_A_SIMULATION"):
        monkeypatch.setattr(parallel, name, 1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """That of a scheduler with two workers."""
    with dask_cluster(2) as (known, _):
        yield known


@pytest.mark.parametrize(("jobs", "deadly"), [(2, False), (-1, True)])
def test_workers_make_the_same_bytes_and_one_that_is_killed_costs_its_share_alone(
    address: str, jobs: int, deadly: bool, tmp_path: Path, assert_same: Callable[..., None]
) -> None:
    compute = ComputeSettings(jobs, "dask", 3, address)
    controller = expert_controller(KukaReach)
    episodes = run_episodes(told(tmp_path, deadly), controller, PLANS, STEPS, compute, "test")
    alone = run_episodes(KukaReach, controller, PLANS, STEPS, ComputeSettings(jobs=1), "test")
    assert [episode.plan.index for episode in episodes] == list(range(len(PLANS)))
    assert_same(episodes, alone)

    runs = Counter(float(line) for file in tmp_path.glob("*.txt") for line in file.read_text().split())
    again = {goal for goal, times in runs.items() if times > 1}
    first = {plan.world["goal_y"] for plan in PLANS if plan.index % parallel._MIX < 2}  # a quarter: the first share
    assert len(runs) == len(PLANS)
    assert 0.0 in again if deadly else not again
    assert again <= first
    until(lambda: workers(address) == 2)


def test_shares_are_begun_in_their_order(address: str) -> None:
    def begun(share: int) -> tuple[int, float]:
        now = time.monotonic()
        time.sleep(0.05)  # longer than it takes the other worker to begin
        return share, now

    found = list(cluster.spread(begun, range(20), address, 20))
    order = [share for share, _ in sorted(found, key=lambda one: one[1])]
    assert sorted(order) == list(range(20))
    assert all(abs(place - share) <= 1 for place, share in enumerate(order)), order


def test_workers_of_another_checkout_are_not_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "checkout", lambda: "imitation-another")
    with pytest.raises(UserError, match=r"^compute.scheduler: found no worker of this very code .*\(2 others\)"):
        cluster.count_workers(address)


@pytest.fixture
def params(content: dict[str, Any], tmp_path: Path) -> Callable[[str], Path]:
    """Parameters that name a scheduler."""

    def write(address: str) -> Path:
        content["compute"] = {"backend": "dask", "scheduler": address}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
        return tmp_path / "params.yaml"

    return write


@pytest.mark.parametrize("listening", [False, True])
def test_where_no_scheduler_answers_it_is_told(
    listening: bool, params: Callable[[str], Path], stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:
            silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        output = tmp_path / "demonstrations"
        ended = stage("demonstrate", "kuka_reach", "--params", params(address), "--output", output)
    assert ended.status == 2
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith(f"error: compute.scheduler: found no scheduler at {address}")
    assert not output.exists()


def test_where_dask_is_not_installed_it_is_told(
    params: Callable[[str], Path], stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed.core", None)
    where = params("tcp://127.0.0.1:8786")
    ended = stage("demonstrate", "kuka_reach", "--params", where, "--output", tmp_path / "demonstrations")
    assert ended == (2, "error: compute.backend: found dask, which is not installed: pip install distributed\n")


@pytest.mark.parametrize(
    "address", ["foo", "tcp://host", "tcp://host:", "tcp://a b:8786", "tcp://[::1", "tcp://host:123456", ""]
)
def test_a_worker_takes_no_address_that_the_parameters_refuse(address: str, stage: Stage) -> None:
    ended = stage("worker", address)
    assert ended == (2, f"error: scheduler: found {address!r}, allowed: such as tcp://host:8786\n")


@pytest.mark.parametrize("jobs", [0, -3])
def test_a_worker_of_no_process_is_refused(jobs: int, stage: Stage) -> None:
    ended = stage("worker", "tcp://localhost:1", "--jobs", jobs)
    assert ended == (2, f"error: --jobs: found {jobs}, allowed: at least 1\n")
