"""Which worlds lie outside of what was shown."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from stages.core.episode import Bools
from stages.core.schemas import RECORDED

# Share of a knob's range by which a value may lie beyond it: the ends of what was drawn are not those of the range.
_LUCK = 0.1


def outside(worlds: pd.DataFrame, demonstrated: pd.DataFrame, knobs: Iterable[str]) -> Bools | None:
    """Of the E worlds those (E,) in which any knob lies beyond the values it had in the scripted demonstrations.

    Both tables are those of episodes. The knobs are the task's own: noise on what is seen or done makes no world one
    that was not shown. None where all was recorded by persons: their worlds are not known.
    """
    scripted = demonstrated[demonstrated["condition"] != RECORDED]
    if scripted.empty:
        return None
    beyond = np.zeros(len(worlds), dtype=bool)
    for knob in knobs:
        shown, found = scripted[f"world.{knob}"], worlds[f"world.{knob}"].to_numpy(float)
        allowed = _LUCK * (shown.max() - shown.min())
        beyond |= (found < shown.min() - allowed) | (found > shown.max() + allowed)
    return beyond
