"""No process outlives the one it works for: its result would come when another has taken over."""

import os
from pathlib import Path
import signal
import sys

_SET_PARENT_DEATH_SIGNAL, _SIGKILL = 1, 9  # prctl(2), signal(7)


def die_with_parent(parent: int | None = None) -> None:
    """End this process when its parent does, however that ends (Linux); at once where that has happened already.

    `parent` is its process id; None: DVC, whose id a stage is not told.
    """
    if sys.platform != "linux":
        return
    from ctypes import CDLL

    CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, _SIGKILL)
    if os.getppid() != parent and (parent or _left_to_the_system()):
        os.write(2, b"error: what this process worked for has ended\n")  # nothing is imported yet, nothing buffered
        os._exit(1)


def work_for(parent: int) -> None:
    """In a process that `parent` has made: end when it does, and without a word where a user interrupts both."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _left_to_the_system() -> bool:
    """Whether the first process has taken this one over, as it does with all whose parents have ended."""
    return os.getppid() == 1 and b"dvc" not in Path("/proc/1/cmdline").read_bytes()
