"""Makes the page's sections, a process each: charts and films take most of the report's time."""

from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
import os
from pathlib import Path

from stages.core.orphans import die_with_parent
from stages.core.parallel import count_cores
from stages.reporting.changes import Changes
from stages.reporting.inputs import Measured
from stages.reporting.page import Section, make_section


def make_sections(data: Path, measured: Measured, changes: Mapping[str, Changes], alarms: Path | None) -> list[Section]:
    """The sections of all tasks, in their order; `alarms` is the folder of what `python -m stages.alarm` wrote."""
    names = measured.tasks
    make = partial(_make, data, measured, changes, alarms)
    try:
        with ProcessPoolExecutor(min(len(names), count_cores()), None, die_with_parent, (os.getpid(),)) as pool:
            # The last tasks take the longest.
            return list(pool.map(make, reversed(names)))[::-1]
    except BrokenExecutor:  # a process was killed
        return [make(name) for name in names]


def _make(data: Path, measured: Measured, changes: Mapping[str, Changes], alarms: Path | None, name: str) -> Section:
    return make_section(data, measured, name, changes[name], alarms)
