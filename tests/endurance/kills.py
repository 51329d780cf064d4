"""Kill `dvc repro`, a stage or a worker at a random moment (SIGKILL), and run `dvc repro` again, over and over.

In the end, every hash must be that of a run that was left alone, and `stages.verify` must find nothing. A lock that DVC
was just writing may be cut off: `stages.verify --repair` is what a user is told to run then (repaired). What that does
not mend would have to be mended by hand.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil

from stages.verifying.repair import busy_is_whole, lock_is_whole
from stages.verifying.runs import broken_runs
from tests.chain import copy_repository, outputs, run
from tests.endurance.outcomes import write_outcomes
from tests.endurance.workspaces import CHAIN

SEED = 5
LATEST = 6.0  # [s] after its start that a run is killed: a few stages further than the last one came
LONGEST = 300  # [s] that a run may take; longer is a hang
# How often each is killed; a run whose worker was killed goes on to its end, which takes long.
VICTIMS = {"dvc and all below it": 0.35, "dvc alone": 0.3, "a stage": 0.25, "a worker": 0.1}


@dataclass
class Tally:
    """What became of the kills of one kind of victim."""

    counts: Counter[str] = field(default_factory=Counter)
    stages: set[str] = field(default_factory=set)

    def row(self, victim: str) -> dict[str, object]:
        """As a row of the table."""
        names = ("outlived", "repaired", "leftovers", "orphans", "different", "by_hand", "hung")
        counted = {name: self.counts[name] for name in names}
        return {"victim": victim, "tried": self.counts["tried"], "in_stages": len(self.stages), **counted}


def _start(folder: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
    with (folder.parent / "said").open("wb") as said:
        command = ["dvc", "repro"]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True)


def _below(process: psutil.Process) -> list[list[psutil.Process]]:
    """Stages that `dvc` runs, and their workers."""
    try:
        stages = [one for one in process.children() if any("stages." in word for word in one.cmdline())]
        return [stages, [worker for one in stages for worker in one.children()]]
    except psutil.NoSuchProcess:
        return [[], []]


def _kill(dvc: subprocess.Popen[bytes], victim: str, rng: np.random.Generator) -> None:
    """Kill the victim, or where there is none at this moment, all."""
    process = psutil.Process(dvc.pid)
    deadline = time.monotonic() + 15
    while victim == "a worker" and not _below(process)[1] and dvc.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if victim == "a worker":
        time.sleep(float(rng.uniform(0, 0.5)))
    stages, workers = _below(process)
    found = {"dvc alone": [process], "a stage": stages, "a worker": workers}.get(victim) or []
    if found:
        found[int(rng.integers(len(found)))].kill()
    else:
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(dvc.pid, signal.SIGKILL)


def _processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _unfinished(folder: Path) -> list[Path]:
    """What was being written, but for what a repair has set aside, and what DVC was copying into its cache.

    (That has no name by which it could be read; `stages.verify` tells of it.)
    """
    apart = (folder / ".dvc/tmp/damaged", folder / ".dvc/cache")
    return [path for path in folder.rglob(".*.tmp") if not any(path.is_relative_to(one) for one in apart)]


def _stage_of(folder: Path) -> str:
    lines = [line for line in (folder.parent / "said").read_text(errors="replace").splitlines() if "Running" in line]
    return lines[-1].split("'")[1] if lines else "none"


def _end(dvc: subprocess.Popen[bytes], tally: Tally) -> int:
    try:
        return dvc.wait(LONGEST)
    except subprocess.TimeoutExpired:
        tally.counts["hung"] += 1
        os.killpg(dvc.pid, signal.SIGKILL)
        return dvc.wait()


def _attempt(folder: Path, victim: str, tally: Tally, rng: np.random.Generator) -> bool:
    """One run that is killed; whether it came to its end all the same."""
    dvc = _start(folder)
    try:
        dvc.wait(float(rng.uniform(0.3, LATEST)))
    except subprocess.TimeoutExpired:
        _kill(dvc, victim, rng)
    else:
        return dvc.returncode == 0  # it had ended by then
    tally.counts["tried"] += 1
    tally.stages.add(_stage_of(folder))
    ended = _end(dvc, tally)
    time.sleep(0.5)
    orphans = _processes_in(folder)
    tally.counts["orphans"] += bool(orphans)
    if orphans:
        print("outlived it:", [process.as_dict(["cmdline", "create_time", "ppid"]) for process in orphans], flush=True)
    tally.counts["leftovers"] += bool(_unfinished(folder))
    tally.counts["outlived"] += ended == 0
    return ended == 0


def _finish(folder: Path, tally: Tally) -> None:
    """Run to the end, with the repair that a user is told of where a run fails."""
    for _ in range(2):
        if _end(_start(folder), tally) == 0:
            return
        tally.counts["repaired"] += 1
        print((folder.parent / "said").read_text(errors="replace")[-800:], flush=True)
        print(run(folder, "python", "-m", "stages.verify", "--repair", check=False), flush=True)
    tally.counts["by_hand"] += 1


def _life(folder: Path, wanted: dict[str, str], tallies: dict[str, Tally], left: int, rng: np.random.Generator) -> int:
    """Kill runs in the folder until one gets through; how many kills that were."""
    before = sum(tally.counts["tried"] for tally in tallies.values())
    while True:
        victim = str(rng.choice(list(VICTIMS), p=list(VICTIMS.values())))
        tally = tallies[victim]
        ended = _attempt(folder, victim, tally, rng)
        killed = sum(tally.counts["tried"] for tally in tallies.values()) - before
        runs = list(broken_runs(folder / ".dvc/cache"))
        if runs or not (lock_is_whole(folder) and busy_is_whole(folder)):  # the next run would refuse it
            tally.counts["repaired"] += 1
            print(f"half a lock or run {runs} after killing {victim} in {_stage_of(folder)}", flush=True)
            print(run(folder, "python", "-m", "stages.verify", "--repair", check=False), flush=True)
        if ended or killed >= left:
            break
    _finish(folder, tally)
    same = outputs(folder) == wanted
    looked = run(folder, "python", "-m", "stages.verify", check=False)
    if not same or "all are whole" not in looked or _unfinished(folder):
        tally.counts["different"] += 1
        print(f"different: {looked}", _unfinished(folder), flush=True)
    return killed


def main(count: int = 200) -> None:
    """Kill `count` times."""
    rng = np.random.default_rng(SEED)
    tallies = {victim: Tally() for victim in VICTIMS}
    with tempfile.TemporaryDirectory() as name:
        pristine = copy_repository(Path(name) / "pristine/repository", CHAIN)
        alone = Path(name) / "alone"
        shutil.copytree(pristine, alone)
        run(alone, "dvc", "repro")
        wanted = outputs(alone)
        killed = 0
        while killed < count:
            folder = Path(name) / f"life_{killed}/repository"
            shutil.copytree(pristine, folder)
            killed += _life(folder, wanted, tallies, count - killed, rng)
            print(
                f"{killed} of {count} kills", {victim: dict(one.counts) for victim, one in tallies.items()}, flush=True
            )
            shutil.rmtree(folder.parent)
            write_outcomes("kills", [tally.row(victim) for victim, tally in tallies.items()])
