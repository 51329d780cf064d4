"""What a condition is: the worlds that were drawn in it, against those that were shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.core import tables
from stages.core.schemas import RECORDED
from stages.core.task import NOISE_KNOBS, Knob
from stages.tasks import TASKS

_LUCK = 0.1  # share of the whole range by which the ends of equal ranges may differ in what was drawn from them


@dataclass(frozen=True)
class Worlds:
    """Ranges of the knobs that differ, column by column."""

    knobs: tuple[tuple[str, str], ...]  # name with unit, meaning
    rows: tuple[tuple[str, tuple[str, ...]], ...]  # where, a range a knob


def worlds_of(task_folder: Path, name: str, first_round: int) -> Worlds:
    """The knobs' ranges as they were drawn: in the demonstrations that were scripted, and in every condition."""
    task = TASKS.find(name)
    knobs: Mapping[str, Knob] = {**task.knobs, **NOISE_KNOBS}
    shown, tried = (
        tables.list_episodes(folder, name, task).to_pandas()
        for folder in (task_folder / "demonstrations", task_folder / f"round_{first_round}" / "evaluation")
    )
    scripted = shown[shown["condition"] != RECORDED]
    parts: list[tuple[str, pd.DataFrame]] = [("demonstrated", scripted)] if len(scripted) else []
    parts += [(str(condition), group) for condition, group in tried.groupby("condition", sort=False)]
    differing = [knob for knob in knobs if _differ([part[f"world.{knob}"] for _, part in parts])]
    drawn = {knob: [_range(part[f"world.{knob}"]) for _, part in parts] for knob in differing}
    return Worlds(
        tuple((_heading(knob, knobs[knob]), knobs[knob].meaning) for knob in differing),
        tuple((where, tuple(drawn[knob][place] for knob in differing)) for place, (where, _) in enumerate(parts)),
    )


def _heading(name: str, knob: Knob) -> str:
    """The knob's name, with its unit where it has one of its own."""
    return name if knob.unit == "1" or name in NOISE_KNOBS else f"{name} [{knob.unit}]"


def _differ(parts: "list[pd.Series[float]]") -> bool:
    """Whether the parts' ranges differ by more than the luck of the draw."""
    lows, highs = [part.min() for part in parts], [part.max() for part in parts]
    allowed = _LUCK * (max(highs) - min(lows))
    return max(max(ends) - min(ends) for ends in (lows, highs)) > allowed


def _range(values: "pd.Series[float]") -> str:
    """Lowest to highest value, in two digits after the point (or more where they are small)."""
    low, high = (f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} … {high}"
