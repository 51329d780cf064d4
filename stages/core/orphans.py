"""No process outlives the one it works for: its result would come when another has taken over."""

import os
import sys

_SET_PARENT_DEATH_SIGNAL, _SIGKILL = 1, 9  # prctl(2), signal(7)


def die_with_parent(parent: int | None = None) -> None:
    """End this process when its parent does, however that ends (Linux); at once where `parent` is no longer it."""
    if sys.platform != "linux":
        return
    from ctypes import CDLL

    CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, _SIGKILL)
    if parent not in (None, os.getppid()):
        os._exit(1)
