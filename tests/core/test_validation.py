"""What the quick reading of settings refuses is told line by line, and nothing else is told."""

from copy import deepcopy
import math
from pathlib import Path
from typing import Any

import msgspec
from msgspec.inspect import type_info
import numpy as np
import pytest
import yaml

from stages.core.checks import PER_TASK
from stages.core.misfits import misfits
from stages.core.params import Params, Range, Section
from stages.core.validation import MisfitError, fit

TASK = "kuka_reach_camera"
ODD: tuple[object, ...] = (
    *(None, True, 0, 1, -1, 2**63, 10**400, 1.5, 1e200, math.nan, -math.inf),
    *("", "text", "text\n", "shift", b"bytes", [], [None], ["text"], {}, {"text": 1}, {1: 2}, {None: {}}),
)


def places(content: Any) -> list[tuple[Any, Any]]:
    """All mappings and lists in there, each with all of its keys or places."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, value in inner for place in ((content, key), *places(value))]


def refused(content: Any) -> bool:
    try:
        msgspec.convert(content, Params)
    except msgspec.ValidationError:
        return True
    return False


def test_whatever_is_refused_is_told_and_nothing_else(root: Path) -> None:
    whole, kind = yaml.safe_load((root / "params.yaml").read_text()), type_info(Params)
    assert not list(misfits(whole, kind))
    for section in PER_TASK:  # one task is as good as all, and quicker
        whole[section] = {TASK: whole[section][TASK]}
    rng, seen = np.random.default_rng(0), set()
    for _ in range(800):
        content = deepcopy(whole)
        all_places = places(content)
        for number in rng.integers(len(all_places), size=rng.integers(1, 4)):
            holder, key = all_places[number]
            holder[key] = ODD[rng.integers(len(ODD))]
        wrong = refused(content)
        assert bool(list(misfits(content, kind))) is wrong
        seen.add(wrong)
    assert seen == {True, False}


def test_everything_is_told_in_the_order_of_the_keys() -> None:
    wrong = {"low": "one", "high": math.inf, "middle": 3, 4: 5}
    with pytest.raises(MisfitError) as told:
        fit(wrong, Range)
    assert told.value.lines == [
        "low: found 'one', allowed: a number",
        "high: found inf, allowed: a finite number",
        "middle: found an unknown key, allowed: low, high",
        "4: found 4, allowed: text",
    ]


def test_values_that_are_right_one_by_one_may_be_wrong_together() -> None:
    assert fit({"low": 1, "high": 1}, Range) == Range(low=1.0, high=1.0)
    with pytest.raises(MisfitError) as told:
        fit({"low": 2, "high": 1}, Range)
    assert told.value.lines == ["the file: found low 2, high 1, allowed: low at most high"]


class Loose(Section, frozen=True):
    value: str | int | float | bool | list[str] | None


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, ["a", "b"]])
def test_of_several_types_each_is_allowed(value: object) -> None:
    assert fit({"value": value}, Loose).value == value


def test_of_several_types_all_are_told() -> None:
    with pytest.raises(MisfitError) as told:
        fit({"value": [1]}, Loose)
    [line] = told.value.lines
    assert line.startswith("value: found a list of 1, allowed: ")
    for words in ("text", "a whole number", "a number", "true or false", "nothing", "a list"):
        assert words in line
