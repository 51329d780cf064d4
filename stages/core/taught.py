"""The ranges of the worlds that are taught in: a purpose's own, and those of the families that are randomized."""

from typing import Literal

from stages.core.settings import Settings, ranges
from stages.core.worlds import Range


def taught_ranges(settings: Settings, task: str, purpose: Literal["demonstrate", "practice"]) -> dict[str, Range]:
    """The knobs that vary in a task's demonstrations or practice; UserError where the file lacks a part of it."""
    own = settings.of(settings.params.randomization, "randomization", task)
    for key in ("domain", "randomize"):
        settings.get(getattr(own, key), f"randomization.{task}.{key}")
    return ranges(own.trained(settings.get(getattr(own, purpose), f"randomization.{task}.{purpose}")))
