"""Run Python's collector of cyclic garbage rarely, and not at exit: what is imported is never garbage.

It looks through all objects for cycles, again and again while they grow and twice at the end. Memory that no
cycle holds, as of arrays and tables, is given back at once as ever.
"""

import atexit
import gc

_NEW = 20_000  # objects after which it looks; of its own accord after 700, a hundred times in a stage's imports


def look_less() -> None:
    """Look for garbage rarely, and not at all when the process ends: the system takes all memory back."""
    gc.set_threshold(_NEW)
    atexit.register(gc.freeze)
