"""The conditions of a purpose: what the parameters say, put together, and the file of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.core.conditions import PURPOSES, conditions_of, find_conditions, read_conditions, write_conditions
from stages.core.errors import UserError
from stages.core.seal import sealed
from stages.core.settings import Settings
from stages.tasks import TASKS


def test_what_is_written_is_read(settings: Settings, task_name: str, tmp_path: Path) -> None:
    if task_name not in (settings.params.randomization or {}):
        pytest.skip(f"params.yaml has no worlds for {task_name}")
    for purpose in PURPOSES:
        conditions = conditions_of(settings, task_name, purpose)
        write_conditions(tmp_path / "found.json", conditions)
        read = read_conditions(tmp_path / "found.json", TASKS.find(task_name))
        # The order of conditions numbers the episodes.
        assert [*read.items()] == [*conditions.items()]


def test_what_is_taught_knows_nothing_of_evaluation(settings: Settings, task_name: str) -> None:
    for purpose in ("demonstrate", "practice"):
        assert list(conditions_of(settings, task_name, purpose)) == [purpose]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "conditions: found nothing, allowed: keys with values"),
        ([], "conditions: found a list of 0, allowed: keys with values"),
        ({"far": 1}, "far: found 1"),
        ({"far": {"mass": {"low": 1, "high": 2}}}, "far.mass: found an unknown knob, allowed: start"),
        ({"far": {"start": [1, 2]}}, "far.start: found a list"),
        ({"far": {"start": {"low": 1}}}, "far.start.high: found nothing, allowed: a value"),
        ({"far": {"start": {"low": 2, "high": 1}}}, "low at most high"),
        ({"far": {"observation_noise": {"low": -1, "high": 1}}}, "far.observation_noise.low: found -1.0"),
        ({"far": {"start": {"low": True, "high": 2}}}, "far.start"),
        ({"far": {"start": {"low": "1", "high": 2}}}, "far.start"),
        ({"far": {"start": {"low": float("nan"), "high": 2}}}, "far.start"),
        ({"far": {"start": {"low": 0, "high": float("inf")}}}, "far.start"),
    ],
)
def test_a_file_of_anything_else_is_refused_in_one_line(content: Any, found: str, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps(sealed({"conditions": content})))
    with pytest.raises(UserError) as error:
        read_conditions(path, TASKS.find("distance"))
    assert str(path) in str(error.value)
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_a_range_that_was_changed_by_hand_is_not_believed(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    write_conditions(path, conditions_of(settings, "distance", "evaluate"))
    path.write_text(path.read_text().replace("11.5", "11.6"))
    with pytest.raises(UserError, match="not whole"):
        read_conditions(path, TASKS.find("distance"))


def test_the_file_of_another_purpose_is_refused(settings: Settings, tmp_path: Path) -> None:
    path, task = tmp_path / "found.json", TASKS.find("distance")
    with pytest.raises(UserError, match="no such file"):
        find_conditions(path, settings, "distance", task, "practice")
    write_conditions(path, conditions_of(settings, "distance", "evaluate"))
    with pytest.raises(UserError, match=r"found near, far.*, allowed: those to practice"):
        find_conditions(path, settings, "distance", task, "practice")
    write_conditions(path, conditions_of(settings, "distance", "practice"))
    with pytest.raises(UserError, match=r"found practice, allowed: those to evaluate"):
        find_conditions(path, settings, "distance", task, "evaluate")
