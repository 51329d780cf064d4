"""Dask's scheduler and workers on this machine, started as the README says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import json
from pathlib import Path
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import Any

import psutil

from stages.core import cluster
from stages.core.errors import UserError
from tests.chain import ROOT

PYTHON = Path(sys.executable)


@contextmanager
def dask_cluster(jobs: int, folder: Path = ROOT, python: Path = PYTHON) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of a scheduler with so many workers for the checkout in `folder`, and all their processes."""
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        with _started(folder, python, "dask", "scheduler", *options) as scheduler:
            until(file.exists)
            address: str = until(lambda: file.read_text() and json.loads(file.read_text())["address"])
            with _started(folder, python, "stages.worker", address, "--jobs", str(jobs)) as worker:
                until(lambda: workers(address) == jobs, f"{jobs} workers of the code in {folder}, and of this one's")
                yield address, [scheduler, worker, *worker.children(recursive=True)]


def workers(address: str) -> int:
    """How many workers of this very code there are."""
    try:
        return cluster.count_workers(address)
    except UserError:
        return 0


def until(met: Callable[[], Any], what: str = "what is waited for") -> Any:
    """What `met` returns, once that is true."""
    for _ in range(600):
        if found := met():
            return found
        time.sleep(0.1)
    raise AssertionError(f"a minute was not enough for {what}")


@contextmanager
def _started(folder: Path, python: Path, *arguments: str) -> Iterator[psutil.Process]:
    """A module that serves until it is ended, with all it has started."""
    with subprocess.Popen([python, "-m", *arguments], cwd=folder, stderr=subprocess.DEVNULL) as process:
        known = psutil.Process(process.pid)
        try:
            yield known
        finally:
            with suppress(psutil.NoSuchProcess):  # it has ended by itself
                every = [*known.children(recursive=True), known]
                for one in every:
                    one.kill()
                psutil.wait_procs(every, timeout=30)
