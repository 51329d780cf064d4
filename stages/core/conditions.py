"""The conditions of a purpose, each with the ranges that its worlds are drawn from; and the file that holds them."""

import json
from pathlib import Path
from typing import Literal, get_args

from stages.core.checks import check_ranges
from stages.core.errors import UserError, listed, quoted
from stages.core.files import write_text
from stages.core.params import Ranges
from stages.core.seal import read_sealed, sealed
from stages.core.settings import Settings
from stages.core.task import Task
from stages.core.validation import MisfitError, fit

Purpose = Literal["demonstrate", "practice", "evaluate"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Conditions = dict[str, Ranges]  # the ranges of knobs, by condition


def conditions_of(settings: Settings, task: str, purpose: Purpose) -> Conditions:
    """What `randomization` says, put together: families of knobs and what is common are spelled out.

    Evaluation has several conditions, demonstrations and practice have one each, of their own name. UserError where
    the parameters lack a part of it.
    """
    own = settings.of(settings.params.randomization, "randomization", task)
    for key in ("common", "evaluate") if purpose == "evaluate" else ("domain", "randomize"):
        settings.get(getattr(own, key), f"randomization.{task}.{key}")
    if purpose == "evaluate":
        return own.conditions()
    return {purpose: own.trained(settings.get(getattr(own, purpose), f"randomization.{task}.{purpose}"))}


def find_conditions(path: Path | None, settings: Settings, name: str, task: type[Task], purpose: Purpose) -> Conditions:
    """Those in the file at `path` or, without one, those of the parameters."""
    if path is None:
        return conditions_of(settings, name, purpose)
    found = read_conditions(path, task)
    # No condition of evaluation is called as a purpose is.
    fits = not set(found) & set(PURPOSES) if purpose == "evaluate" else list(found) == [purpose]
    if not fits:
        raise UserError(f"{path}: found {listed(found) or 'no condition'}, allowed: those to {purpose}")
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
    stored = {"conditions": read_sealed(path).get("conditions")}
    try:
        conditions = fit(stored, dict[str, Conditions])["conditions"]
    except MisfitError as error:
        raise UserError(f"{path}: {error.lines[0]}") from None
    for name, spans in conditions.items():
        for problem in check_ranges(f"{path}: {quoted(name)}", spans, task):
            raise UserError(problem)
    return conditions
