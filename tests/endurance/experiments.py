"""Queued experiments over two workers, two at a time: none is lost, and each is what it would have been alone."""

import csv
import io
from pathlib import Path
import time

from tests.chain import ran, run
from tests.endurance.outcomes import write_outcomes
from tests.endurance.workspaces import committed_run

LONGEST = 3600  # [s] that the queue may take
CHAIN = {"tasks": ["distance"], "evaluate.distance.episodes": 30}


def _overrides(count: int) -> dict[str, str]:
    """As many different experiments, by name."""
    return {f"try-{number}": f"evaluate.distance.max_steps={10 + number}" for number in range(count)}


def _wait(folder: Path, names: list[str]) -> None:
    """Until none of them waits or runs."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        states = run(folder, "dvc", "queue", "status")
        if not any(
            name in line and ("Queued" in line or "Running" in line) for name in names for line in states.splitlines()
        ):
            return
        time.sleep(5)


def _results(folder: Path, revision: str) -> tuple[str, list[list[str]]]:
    """dvc.lock and the results of a revision."""
    lock = run(folder, "git", "show", f"{revision}:dvc.lock", check=False)
    results = run(folder, "git", "show", f"{revision}:reports/results.csv", check=False)
    return lock, list(csv.reader(io.StringIO(results)))


def main(count: int = 20) -> None:
    """Queue `count` experiments, run them two at a time, and each again by itself in a clone with an empty cache."""
    with committed_run(CHAIN) as folder:
        every = _overrides(count)
        for name, setting in every.items():
            run(folder, "dvc", "exp", "run", "--queue", "-n", name, "-S", setting, "measure")
        run(folder, "dvc", "queue", "start", "-j", "2")
        _wait(folder, list(every))
        listed = run(folder, "dvc", "exp", "list", "--name-only").split()
        lost = [name for name in every if name not in listed]
        if lost:
            print(run(folder, "dvc", "queue", "status"), flush=True)
        run(folder.parent, "git", "clone", "-q", str(folder), "clone")
        clone = folder.parent / "clone"
        different = []
        for name, setting in every.items():
            # By force: in the clone's own workspace, one after the other, nothing taken from a cache.
            output = run(clone, "dvc", "exp", "run", "--force", "-n", name, "-S", setting, "measure")
            assert ran(output), output
            if name not in lost and _results(clone, name) != _results(folder, name):
                different.append(name)
            run(clone, "git", "checkout", "-q", "--", ".")
            print(name, "different" if name in different else "the same", flush=True)
        run(folder, "dvc", "queue", "stop", check=False)
    counted = {"tried": count, "lost": len(lost), "different": len(different)}
    write_outcomes("experiments", [{"workers": 2, **counted}])
