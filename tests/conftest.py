"""What the tests share: the committed parameters, stages run as a user runs them, a short chain of two tasks."""

import stages  # noqa: F401, I001  # sets what must be set before numpy is imported

from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
import copy
import csv
from importlib import import_module
import io
import json
from pathlib import Path
import signal
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from stages.core import errors, schemas, tables
from stages.core.episode import Episode
from stages.core.schemas import SCORES
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings
from stages.core.rollout import expert_controller
from stages.core.worlds import plan_episodes, with_noise
from stages.core.settings import Settings, load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS

# A job in the background of a shell ignores it, and so would what is started here to be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
ROUNDS = 3


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    output: str


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The committed parameters."""
    return load_settings(ROOT / "params.yaml", TASKS, POLICIES)


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """The content of the committed parameters."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
    return content


@pytest.fixture
def content(committed: dict[str, Any]) -> dict[str, Any]:
    """The content of the committed parameters, to be changed."""
    return copy.deepcopy(committed)


Stage = Callable[..., Ended]


@pytest.fixture(scope="session")
def stage() -> Stage:
    """Runs a stage's command line in this process."""

    def run(name: str, *arguments: object) -> Ended:
        said, status = io.StringIO(), 0
        with pytest.MonkeyPatch.context() as patch, redirect_stderr(said), redirect_stdout(said):
            patch.setattr("sys.argv", [name, *map(str, arguments)])
            try:
                errors.run(import_module(f"stages.{name}").main)
            except SystemExit as error:
                status = int(error.code or 0)
        return Ended(status, said.getvalue())

    return run


class Chain(NamedTuple):
    """A chain that was run: the folder it ran in and its parameters."""

    data: Path
    params: Path


@pytest.fixture(scope="session")
def chain(stage: Stage, committed: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Both tasks that have rounds, every stage and three rounds of them, in small."""
    folder = tmp_path_factory.mktemp("chain")
    content = copy.deepcopy(committed)
    content["tasks"], content["rounds"] = ["distance", "kuka_reach"], content["rounds"][:ROUNDS]
    content["compute"] = {"jobs": 1}
    content["practice"]["distance"]["episodes"] = 30
    content["evaluate"]["distance"]["episodes"] = 150
    content["demonstrate"]["kuka_reach"].update(episodes=8, max_steps=60)
    content["practice"]["kuka_reach"].update(episodes=5, max_steps=40)
    content["evaluate"]["kuka_reach"].update(episodes=2, max_steps=30)
    content["correct"]["kuka_reach"].update(budget=70, gate="shift", mode="takeover")
    made = Chain(folder / "data", folder / "params.yaml")
    made.params.write_text(yaml.safe_dump(content))
    for task in content["tasks"]:
        _run_chain(stage, task, made)
    return made


def _run_chain(stage: Stage, task: str, chain: Chain) -> None:
    data = chain.data / task
    recordings = ("--recordings", ROOT / "data" / "recordings" / task)
    shown = ("--demonstrations", data / "demonstrations")
    common = ("--params", chain.params)

    def do(name: str, *arguments: object) -> None:
        ended = stage(name, *arguments, *common)
        assert ended.status == 0, ended.output

    do("demonstrate", task, *recordings, "--output", data / "demonstrations")
    rows, more = data / "demonstrations" / schemas.STEPS, data / "demonstrations" / schemas.EPISODES
    for number in range(ROUNDS):
        here, name = data / f"round_{number}", f"round_{number}"
        do("build", task, rows, more, "--output", here / "dataset.parquet")
        metrics = ("--metrics", here / "training.json")
        do("train", task, here / "dataset.parquet", "--policy", here / "policy.npz", *metrics)
        do("evaluate", task, here / "policy.npz", *shown, "--output", here / "evaluation")
        do("practice", task, name, here / "policy.npz", *shown, "--output", here / "practice")
        output = ("--output", here / "corrections.parquet")
        do("correct", task, name, here / "practice", *recordings, *shown, *output)
        rows, more = here / "dataset.parquet", here / "corrections.parquet"


class Measured(NamedTuple):
    """What `measure` wrote of the chain, and where."""

    rows: list[dict[str, str]]
    metrics: dict[str, Any]
    folder: Path


def measure(stage: Stage, data: Path, params: Path, folder: Path) -> str:
    """Run the stage; what it said."""
    outputs = ("--results", folder / "results.csv", "--metrics", folder / "metrics.json", "--plots", folder / "plots")
    ended = stage("measure", data, *outputs, "--params", params)
    assert ended.status == 0, ended.output
    return ended.output


@pytest.fixture(scope="session")
def measured(chain: Chain, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The chain, measured."""
    folder = tmp_path_factory.mktemp("measured")
    measure(stage, chain.data, chain.params, folder)
    with (folder / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Measured(rows, json.loads((folder / "metrics.json").read_text()), folder)


@pytest.fixture(scope="session")
def shown(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Episode]]:
    """Noisy episodes of a task's expert, in the worlds in which params.yaml has it demonstrated."""
    known: dict[str, list[Episode]] = {}

    def show(name: str) -> list[Episode]:
        if name not in known:
            task = TASKS.find(name)
            spans = (settings.params.randomization or {}).get(name)
            drawn = spans.demonstrate or {} if spans else {}
            plans = plan_episodes(with_noise(task.knobs, 0.0, 0.005), drawn, 4, "shown", 11, name)
            known[name] = run_episodes(task, expert_controller(task), plans, 2400, ComputeSettings(jobs=1), name)
        return known[name]

    return show


@pytest.fixture(scope="session")
def shown_folder(
    shown: Callable[[str], list[Episode]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Those episodes as the folder that `Task.prepare` takes."""

    def folder(name: str) -> Path:
        path = tmp_path_factory.getbasetemp() / "shown" / name
        if not path.exists():
            tables.write_episodes(path, name, TASKS.find(name), shown(name))
        return path

    return folder


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `task_name` runs for every task there is."""
    if "task_name" in metafunc.fixturenames:
        metafunc.parametrize("task_name", TASKS)


Same = Callable[[Iterable[Episode], Iterable[Episode]], None]


@pytest.fixture(scope="session")
def assert_same() -> Same:
    """Fails unless both are the same episodes, bit for bit, in whatever order."""

    def compare(some: Iterable[Episode], others: Iterable[Episode]) -> None:
        ours, theirs = (sorted(part, key=lambda episode: episode.plan.index) for part in (some, others))
        for one, other in zip(ours, theirs, strict=True):
            assert one.plan.index == other.plan.index
            for name in ("observations", "actions", "executed", "shift", "responded", "asked", "errors"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), (one.plan.index, name)
            for name, here, there in zip(SCORES, one.scores, other.scores, strict=True):
                assert np.array_equal(here, there, equal_nan=True), (one.plan.index, name)
            assert (one.outcome, one.error, one.details) == (other.outcome, other.error, other.details)

    return compare
