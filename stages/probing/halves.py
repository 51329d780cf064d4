"""How far a world must be moved until half of the episodes alarm or fail, and how sure that is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.comparing.shares import wilson
from stages.core.task import Floats


class Half(NamedTuple):
    """A distance with its 95 % interval; infinity: farther than was tried."""

    distance: float
    low: float
    high: float


def half_distance(distances: Sequence[float], hits: Sequence[int], episodes: int) -> Half:
    """Where the share of `hits` of so many `episodes` crosses a half; distances ascend from 0, straight lines between.

    A share, once reached, is taken to hold farther out. The interval holds the distances at which the Wilson interval
    of the share does not rule out a half. Simulated, it covers as often as Wilson's does where shares rise steadily,
    and 90 to 97 % of the time where they linger just below a half: the largest of several is too large there.
    """
    shares = np.array([(hit / episodes, *wilson(hit, episodes)) for hit in hits]).T  # share, low, high
    middle, low, high = np.maximum.accumulate(shares, axis=1)
    return Half(*(_crossing(np.array(distances, dtype=float), one) for one in (middle, high, low)))


def _crossing(distances: Floats, shares: Floats) -> float:
    """The first distance at which the ascending shares reach a half."""
    reached = np.flatnonzero(shares >= 0.5)
    if not len(reached):
        return np.inf
    place = int(reached[0])
    if place == 0:
        return float(distances[0])
    before, after = shares[place - 1], shares[place]
    near, far = distances[place - 1], distances[place]
    return float(near + (far - near) * (0.5 - before) / (after - before))
