"""A recording of mistaken units, rate or columns is refused, and an honest one is not, however noisy its sensors."""

from collections.abc import Callable
from pathlib import Path
import re

import numpy as np
import pytest

from stages.core.episode import Episode
from stages.core.recordings import read_shown
from stages.core.task import Floats, Task
from stages.tasks import TASKS

Shown = Callable[[str], list[Episode]]
Change = Callable[[Floats, type[Task]], Floats]
ARMS = ["kuka_joints", "kuka_reach", "kuka_reach_camera", "kuka_pick_place"]
DEGREES = 180 / np.pi


def recordings(name: str, shown: Shown) -> list[Floats]:
    """What the expert shows, as a person would record it."""
    task = TASKS.find(name)
    channels = [*task.observation, *task.action]
    columns = [channels.index(channel) for channel in task.recorded]
    return [np.hstack([episode.observations, episode.actions])[:, columns] for episode in shown(name)]


def scaled(by: float, *groups: str) -> Change:
    return lambda rows, task: rows * [by if channel.group in groups else 1 for channel in task.recorded]


def shifted(rows: Floats, task: type[Task]) -> Floats:
    return rows + [4 * (channel.group == "joint") for channel in task.recorded]


def swapped(rows: Floats, task: type[Task]) -> Floats:
    del task
    return rows[:, [*range(7, 14), *range(7), *range(14, 21)]]


def slower(rows: Floats, task: type[Task]) -> Floats:
    del task
    return rows[::10]


def faster(rows: Floats, task: type[Task]) -> Floats:
    del task
    times = np.arange(10 * len(rows)) / 10
    return np.column_stack([np.interp(times, np.arange(len(rows)), column) for column in rows.T])


def of_another(rows: Floats, task: type[Task]) -> Floats:
    """Offsets in another order than the joints."""
    offset = [channel.group == "offset" for channel in task.recorded]
    return np.where(offset, rows[::-1], rows)


LIMIT = r"found joint_\d at \S+ rad in row \d+, allowed: -\d\.\d+ to \d\.\d+ rad"
RATE = r"found joint_\d to turn \S+ rad in rows \d+ to \d+, and \S+ rad by its velocities, allowed: half to double that"
FOOT = r"found joints.* of row \d+ to lead \S+ m away from the arm's foot, allowed: 2 m, with angles in rad and ways in"
OTHERS = r"found joints.* of row \d+ to lead \S+ m away from where other rows lead, allowed: 0.05 m, with angles in rad"
MISTAKES: dict[str, tuple[list[str], Change, str]] = {
    "angles in degrees": (ARMS, scaled(DEGREES, "joint"), LIMIT),
    "angles shifted": (ARMS, shifted, LIMIT),
    "velocities in degrees": (ARMS[:1], scaled(DEGREES, "velocity"), RATE),
    "velocities turned": (ARMS[:1], scaled(-1, "velocity"), RATE),
    "no velocities": (ARMS[:1], scaled(0, "velocity"), RATE),
    "velocities for angles": (ARMS[:1], swapped, RATE),
    "a tenth of the rate": (ARMS[:1], slower, RATE),
    "ten times the rate": (ARMS[:1], faster, RATE),
    "offset in cm": (ARMS[1:3], scaled(100, "offset"), FOOT),
    "offset turned": (ARMS[1:3], scaled(-1, "offset"), OTHERS),
    "offset of other joints": (ARMS[1:3], of_another, OTHERS),
    "grasp in cm": (ARMS[3:], scaled(100, "grasp"), FOOT),
    "carry in mm": (ARMS[3:], scaled(1000, "carry"), FOOT),
    "height in cm": (ARMS[3:], scaled(100, "height"), f"{FOOT}|{OTHERS}"),
    "all in cm": (ARMS[3:], scaled(100, "grasp", "carry", "height"), FOOT),
    "grasp turned": (ARMS[3:], scaled(-1, "grasp"), OTHERS),
}


@pytest.mark.parametrize("name", ARMS)
def test_sensors_with_noise_and_bias_are_honest(name: str, shown: Shown) -> None:
    task, rng = TASKS.find(name), np.random.default_rng(0)
    observed = [channel in task.observation for channel in task.recorded]
    for rows in recordings(name, shown):
        bias, noise = 0.003 * rng.choice([-1, 1], len(observed)), rng.uniform(-0.005, 0.005, rows.shape)
        assert task.flaw(rows) is None
        assert task.flaw(rows + (bias + noise) * observed) is None
        assert name == "kuka_joints" or task.flaw(rows[:1]) is None


@pytest.mark.parametrize(
    ("name", "mistake"), [(name, mistake) for mistake, (names, _, _) in MISTAKES.items() for name in names]
)
def test_what_cannot_be_true_is_refused(name: str, mistake: str, shown: Shown) -> None:
    _, change, told = MISTAKES[mistake]
    for rows in recordings(name, shown):
        assert re.match(told, str(TASKS.find(name).flaw(change(rows, TASKS.find(name)))))


def test_every_recording_that_comes_along_is_honest(root: Path) -> None:
    files = [path for path in (root / "data" / "recordings").glob("*/*") if path.suffix in (".csv", ".parquet")]
    assert len(files) >= 7
    for path in files:
        read_shown(path, TASKS.find(path.parent.name))
