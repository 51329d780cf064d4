"""Which knobs to move, and how far: a file in reports/alarm/ that names them."""

from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta

from stages.core.checks import check_ranges
from stages.core.documents import parse_yaml
from stages.core.errors import UserError
from stages.core.files import check_file
from stages.core.params import Count, Number, Range, Section
from stages.core.task import NOISE_KNOBS, Task
from stages.core.validation import MisfitError, fit

SHOWN = "shown"  # the knob and the side of worlds that are not moved


class Ends(Section, frozen=True):
    """How far a knob is moved below and above the values that were demonstrated; a side without an end is left out."""

    low: Number | None = None
    high: Number | None = None


class Probe(Section, frozen=True):
    """The knobs that are moved, one at a time, in so many equal steps to each end, and the episodes at each value."""

    steps: Count
    episodes: Count
    knobs: Annotated[dict[str, Ends], Meta(min_length=1)]


class Point(NamedTuple):
    """A value of a knob, beyond the demonstrated range by a distance, both in the knob's unit."""

    knob: str
    side: str  # below or above
    value: float
    distance: float


def read_probe(path: Path, task: type[Task]) -> Probe:
    """The probe in a file; UserError where it is not one, or has ends that the task's knobs do not."""
    check_file(path)
    try:
        probe = fit(parse_yaml(path.read_bytes(), path), Probe)
    except MisfitError as error:
        raise UserError(f"{path}: {error.lines[0]}") from None
    for problem in check_ranges(f"{path}: knobs", _spans(probe, task), task):
        raise UserError(problem)
    return probe


def _spans(probe: Probe, task: type[Task]) -> dict[str, Range]:
    """From end to end of each knob; where a side has none, from or to the default."""
    defaults = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    spans = {}
    for name, ends in probe.knobs.items():
        low, high = (defaults.get(name, 0.0) if end is None else end for end in (ends.low, ends.high))
        spans[name] = Range(low, high)
    return spans


def points(probe: Probe, knob: str, shown: Range, whole: bool = False) -> list[Point]:
    """The values that a knob takes outside of the range shown, side by side, near ones first.

    UserError for an end within that range, and for a step to it that is not whole where the knob's values must be.
    """
    ends, found = probe.knobs[knob], list[Point]()
    for side, edge, end in (("below", shown.low, ends.low), ("above", shown.high, ends.high)):
        if end is None:
            continue
        if (end - edge) * (1 if side == "above" else -1) <= 0:
            raise UserError(
                f"knobs.{knob}: found an end of {end:g} {side}, allowed: beyond the {edge:g} that was shown"
            )
        for number in range(1, probe.steps + 1):
            value = edge + (end - edge) * number / probe.steps
            if whole and not value.is_integer():
                raise UserError(f"knobs.{knob}: found {value:g} on the way to {end:g}, allowed: whole numbers")
            found.append(Point(knob, side, value, abs(value - edge)))
    return found
