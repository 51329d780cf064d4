"""One small run of the real stages, in this process: every kind of file that there is, to be damaged."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
import copy
from importlib import import_module
import io
import os
from pathlib import Path
import signal
import sys
import tempfile
import traceback
from typing import Any, NamedTuple

import yaml

from stages.core import errors
from tests.chain import ROOT, change

TASKS = ("distance", "kuka_reach")
LONGEST = 60  # [s] that a stage may take with so few episodes; longer is a hang
TINY: dict[str, Any] = {
    "tasks": list(TASKS),
    "compute": {"jobs": 1},
    "practice.distance.episodes": 6,
    "evaluate.distance.episodes": 2,
    "demonstrate.kuka_reach.episodes": 3,
    "practice.kuka_reach.episodes": 2,
    "practice.kuka_reach.max_steps": 20,
    "evaluate.kuka_reach.episodes": 1,
    "evaluate.kuka_reach.max_steps": 10,
    "correct.distance.recordings": {},
    "correct.kuka_reach.gate": "all",
    "correct.kuka_reach.budget": 20,
    "train.kuka_reach.folds": 2,
}


class Ended(NamedTuple):
    """How a command ended: its status (-1 for an exception that got out, -2 for a hang) and all it said."""

    status: int
    said: str


class _Hang(BaseException):
    pass


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _Hang

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def run_stage(name: str, *arguments: object) -> Ended:
    """Run a stage's command line in this process, from its arguments to its exit status."""
    said, status, argv = io.StringIO(), 0, sys.argv
    sys.argv = [name, *map(str, arguments)]
    try:
        with redirect_stderr(said), redirect_stdout(said), _limited(LONGEST):
            errors.run(import_module(f"stages.{name}").main)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except _Hang:
        status = -2
    except BaseException:
        status = -1
        said.write(traceback.format_exc())
    finally:
        sys.argv = argv
    return Ended(status, said.getvalue())


class Run(NamedTuple):
    """A finished run: its data and its parameters."""

    folder: Path
    params: Path
    content: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"


@contextmanager
def small_run() -> Iterator[Run]:
    """Two tasks and two rounds, with a handful of episodes, in a folder that is the current one for as long."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = copy.deepcopy(yaml.safe_load((ROOT / "params.yaml").read_text()))
        content["rounds"] = content["rounds"][:2]
        for key, value in TINY.items():
            change(content, key, value)
        (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        made = Run(folder, folder / "params.yaml", content)
        os.chdir(folder)
        try:
            _run_all(made)
            yield made
        finally:
            os.chdir(here)


def _do(name: str, *arguments: object) -> None:
    ended = run_stage(name, *arguments)
    if ended.status:
        raise RuntimeError(f"{name} {arguments}: {ended}")


def _run_all(made: Run) -> None:
    _do("randomize", "--output", made.data / "conditions")
    for task in TASKS:
        data, recordings = made.data / task, ("--recordings", ROOT / "data/recordings" / task)
        shown = ("--demonstrations", data / "demonstrations")
        _do("demonstrate", task, *recordings, "--output", data / "demonstrations")
        for one in made.content["rounds"]:
            here, name = data / one["name"], one["name"]
            _do("build", task, data / one["rows"], data / one["more"], "--output", here / "dataset.parquet")
            fitted = ("--policy", here / "policy.npz", "--metrics", here / "training.json")
            _do("train", task, here / "dataset.parquet", *fitted)
            _do("evaluate", task, here / "policy.npz", *shown, "--output", here / "evaluation")
            _do("practice", task, name, here / "policy.npz", *shown, "--output", here / "practice")
            corrections = ("--output", here / "corrections.parquet")
            _do("correct", task, name, here / "practice", *recordings, *shown, *corrections)
    _do("measure", made.data, *measured(made.reports))


def measured(reports: Path) -> tuple[object, ...]:
    """The options of `measure` and `report` for the files they share."""
    return ("--results", reports / "results.csv", "--metrics", reports / "metrics.json", "--plots", reports / "plots")
