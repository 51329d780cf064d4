"""Makes the page's sections and studies, a process each: charts and films take most of the report's time."""

from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
import os
from pathlib import Path
from typing import Any, NamedTuple

from stages.core.orphans import work_for
from stages.core.parallel import count_cores
from stages.reporting.changes import Changes
from stages.reporting.inputs import Measured
from stages.reporting.page import Section, make_section
from stages.reporting.studies import Finding, read_studies


class Parts(NamedTuple):
    """What the page is put together from."""

    sections: list[Section]  # of all tasks, in their order
    studies: list[Finding]


def make_parts(
    data: Path, measured: Measured, changes: Mapping[str, Changes], alarms: Path | None, studies: Path | None
) -> Parts:
    """The parts of the page; `alarms` is the folder that `python -m stages.alarm` writes to."""
    make = {name: partial(make_section, data, measured, name, changes[name], alarms) for name in measured.tasks}
    # The last tasks take the longest, so they are begun with.
    *sections, found = _all([*reversed(make.values()), partial(read_studies, studies)])
    return Parts(sections[::-1], found)


def _all(parts: list[Callable[[], Any]]) -> list[Any]:
    """What each of them makes."""
    try:
        with ProcessPoolExecutor(min(len(parts), count_cores()), None, work_for, (os.getpid(),)) as pool:
            return [one.result() for one in [pool.submit(part) for part in parts]]
    except BrokenExecutor:  # a process was killed
        return [part() for part in parts]
