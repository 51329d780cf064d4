"""Where the expert is asked: from an episode the policy ran, the frames at which to correct it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from stages.core.episode import Bools, Ints
from stages.core.streams import stream
from stages.core.task import Floats

_RANDOM_SHARE = 0.2  # of the frames that the random gate asks for


@dataclass(frozen=True)
class Visited:
    """What a gate sees of an episode of T steps."""

    seed: int
    failed: bool
    shift: Bools  # (T,)
    surprised: Bools  # (T,)
    errors: Floats  # (T,) left to the goal after each step


def shift(visited: Visited) -> Ints:
    """Frames whose novelty was above the threshold."""
    return np.flatnonzero(visited.shift)


def surprise(visited: Visited) -> Ints:
    """Frames whose surprise was above its threshold: what is seen there is not what followed where this was known."""
    return np.flatnonzero(visited.surprised)


def either(visited: Visited) -> Ints:
    """Frames in which novelty or surprise was above its threshold."""
    return np.flatnonzero(visited.shift | visited.surprised)


def failure(visited: Visited) -> Ints:
    """The stretch before a failure: from the step that came nearest to the goal to the end."""
    if not visited.failed:
        return np.empty(0, dtype=np.int64)
    return np.arange(int(visited.errors.argmin()), len(visited.errors))


def random(visited: Visited) -> Ints:
    """A fixed share of the frames, drawn at random: what the other gates must beat."""
    drawn = stream(visited.seed, "random gate").random(len(visited.errors))
    return np.flatnonzero(drawn < _RANDOM_SHARE)


def everything(visited: Visited) -> Ints:
    """All frames (Ross et al., DAgger, AISTATS 2011)."""
    return np.arange(len(visited.errors))


GATES: Mapping[str, Callable[[Visited], Ints]] = {
    "shift": shift,
    "surprise": surprise,
    "either": either,
    "failure": failure,
    "random": random,
    "all": everything,
}
BY_SURPRISE = ("surprise", "either")  # gates that go by the threshold of surprise


def divide(gated: Ints, mode: str, shift: Bools) -> tuple[Ints, int | None]:
    """Of the frames (M,) that a gate opens, those to be labelled, and the one from which on the expert acts, if any.

    To mix is to take over from the first of them whose novelty is above the threshold, and to label those before it, or
    all where there is none.
    """
    starts = {"label": gated[:0], "takeover": gated, "mixed": gated[shift[gated]]}[mode]
    return (gated[gated < starts[0]], int(starts[0])) if len(starts) else (gated, None)
