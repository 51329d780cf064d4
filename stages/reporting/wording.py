"""Numbers and lists as a reader wants them."""

from collections.abc import Sequence
from math import floor, log10

_PREFIXES = {0: "", -1: "m", -2: "µ"}
_SCALED = ("m", "rad", "s")  # units that take a prefix
_SMALLEST = 1e-6  # less is of no interest to anybody


def percent(share: float) -> str:
    """A share in percent; 100 and 0 are said only of all and of none."""
    return f"{_hundredths(share)} %"


def interval(low: float, high: float) -> str:
    """An interval of shares in percent: `52-71 %`, with the dash that spans."""
    return f"{_hundredths(low)}\N{EN DASH}{_hundredths(high)} %"


def _hundredths(share: float) -> str:
    rounded = f"{100 * share:.0f}"
    if rounded not in ("0", "100") or share in (0, 1):
        return rounded
    finer = f"{100 * share:.1f}"
    return {"0.0": "<0.1", "100.0": ">99.9"}.get(finer, finer)


def quantity(value: float, unit: str) -> str:
    """Three digits and the unit, with the prefix that suits: `0.57 mm`, `21.5 m`."""
    if unit not in _SCALED:
        return f"{value:.3g} {unit}".strip()
    if abs(value) < _SMALLEST:
        return f"0 {unit}" if value == 0 else f"<1 µ{unit}"
    power = min(0, max(floor(log10(abs(value) * 10) / 3), min(_PREFIXES)))
    return f"{value / 1000.0**power:.3g} {_PREFIXES[power]}{unit}"


def seconds(value: float) -> str:
    """A time: `1.3 s`."""
    if value < 0.1:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
