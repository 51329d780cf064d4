"""Measurements in a process of their own, of which memory and processor time are known."""

import json
from pathlib import Path
import resource
import subprocess
import sys

from tests.chain import ROOT

MIB = 2**20


def run_alone(module: str, *arguments: object) -> dict[str, float]:
    """What `python -m module arguments` prints last, a JSON object of numbers; it is told on standard error as well."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(*arguments, found, file=sys.stderr, flush=True)
    return found


def cpu() -> float:
    """What this process has used [s]."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def user() -> float:
    """The same without what the kernel has used for it [s]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def resident() -> float:
    """Memory of this process [bytes]."""
    return _status("VmRSS")


def most_resident() -> float:
    """The most that it ever was, or since `count_anew` [bytes]."""
    return _status("VmHWM")


def count_anew() -> None:
    """Forget the most that was resident so far."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
