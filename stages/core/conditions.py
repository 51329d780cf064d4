"""The conditions of a purpose, each with the ranges that its worlds are drawn from; and the file that holds them."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any, Literal, get_args

from stages.core.bounds import LARGEST
from stages.core.checks import check_ranges
from stages.core.errors import UserError, listed, quoted
from stages.core.files import write_text
from stages.core.seal import read_sealed, sealed
from stages.core.settings import Settings, ranges
from stages.core.task import Task
from stages.core.worlds import Range

Purpose = Literal["demonstrate", "practice", "evaluate"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Conditions = dict[str, dict[str, Range]]  # the ranges of knobs, by condition
_NUMBERS = (int, float)


def conditions_of(settings: Settings, task: str, purpose: Purpose) -> Conditions:
    """What `randomization` says, put together: families of knobs and what is common are spelled out.

    Evaluation has several conditions, demonstrations and practice have one each, of their own name. UserError where
    the parameters lack a part of it.
    """
    own = settings.of(settings.params.randomization, "randomization", task)
    for key in ("common", "evaluate") if purpose == "evaluate" else ("domain", "randomize"):
        settings.get(getattr(own, key), f"randomization.{task}.{key}")
    if purpose == "evaluate":
        return {name: ranges(spans) for name, spans in own.conditions().items()}
    return {purpose: ranges(own.trained(settings.get(getattr(own, purpose), f"randomization.{task}.{purpose}")))}


def find_conditions(path: Path | None, settings: Settings, name: str, task: type[Task], purpose: Purpose) -> Conditions:
    """Those in the file at `path` or, without one, those of the parameters."""
    if path is None:
        return conditions_of(settings, name, purpose)
    found = read_conditions(path, task)
    if purpose != "evaluate" and list(found) != [purpose]:
        raise UserError(f"{path}: found {listed(found) or 'no condition'}, allowed: {purpose}")
    return found


def write_conditions(path: Path, conditions: Conditions) -> None:
    """Write them as JSON, in their order: it numbers the episodes."""
    spelled = {
        name: {knob: {"low": span.low, "high": span.high} for knob, span in spans.items()}
        for name, spans in conditions.items()
    }
    write_text(path, json.dumps(sealed({"conditions": spelled}), indent=2, allow_nan=False) + "\n")


def read_conditions(path: Path, task: type[Task]) -> Conditions:
    """The conditions in that file; UserError where it is damaged, or does not hold ranges of the task's knobs."""
    conditions = _mapping(read_sealed(path).get("conditions"), f"{path}: conditions")
    return {name: _ranges(spans, f"{path}: {quoted(name)}", task) for name, spans in conditions.items()}


def _ranges(spans: Any, where: str, task: type[Task]) -> dict[str, Range]:
    found = {knob: _range(span, f"{where}.{quoted(knob)}") for knob, span in _mapping(spans, where).items()}
    for problem in check_ranges(where, found, task):
        raise UserError(problem)
    return found


def _range(span: Any, where: str) -> Range:
    low, high = (_mapping(span, where).get(end, "nothing") for end in ("low", "high"))
    # A bool is an int as well; what is not a number is at most nothing.
    if type(low) not in _NUMBERS or type(high) not in _NUMBERS or not -LARGEST <= low <= high <= LARGEST:
        raise UserError(f"{where}: found {quoted(span)}, allowed: numbers low and high, low at most high")
    return Range(float(low), float(high))


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: found {quoted(value)}, allowed: keys with values")
    return value
