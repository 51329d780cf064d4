"""The interval of a difference between paired shares.

The score interval of Tango (Statistics in Medicine 17, 1998, 891-908): all differences that the score test does not
reject. It needs no correction where a count is zero and stays within -1 and 1; Newcombe's method 10 (the same volume,
2635-2650) is simpler, but its tails are uneven. Enumerated exactly (50 to 500 pairs, 0.5 to 30 % of them discordant, of
these half to all lost), the 95 % interval covers 93.3 to 96.7 % where ten discordant pairs or more are to be expected,
95.0 % in the mean, and 93.2 to 100 % where there are fewer.

Letters: N pairs, of which `lost` (A succeeded alone) and `gained` (B succeeded alone) are discordant; the difference is
B's share minus A's. All functions take arrays of any one shape.
"""

import numpy as np
from numpy.typing import ArrayLike

from stages.core.task import Floats

_HALVINGS = 52  # of an interval at most 2 long: to the last bits


def score_statistic(lost: ArrayLike, gained: ArrayLike, pairs: ArrayLike, difference: ArrayLike) -> Floats:
    """How many standard errors the data lie above `difference`, in (-1, 1): normal in the limit if it is true.

    The variance is that of the most likely shares which differ by `difference`.
    """
    b, c, n, delta = (np.asarray(one, dtype=float) for one in (gained, lost, pairs, difference))
    linear = (2 * n - b + c) * delta - b - c
    constant = -c * delta * (1 - delta)
    # The root of 2n q^2 + linear q + constant: the share of `lost`, given the difference.
    share = (np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0)) - linear) / (4 * n)
    variance = n * np.maximum(2 * share + delta * (1 - delta), 0)
    above = b - c - n * delta
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(above == 0, 0.0, above / np.sqrt(variance))
    return found


def score_interval(lost: ArrayLike, gained: ArrayLike, pairs: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of the interval for the difference; swapping `lost` and `gained` mirrors it, to the last bit."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    return -_upper_end(gained, lost, pairs, z), _upper_end(lost, gained, pairs, z)


def _upper_end(lost: ArrayLike, gained: ArrayLike, pairs: ArrayLike, z: float) -> Floats:
    """The largest difference of which the data lie at most `z` standard errors below, by halving."""
    b, c, n = (np.asarray(one, dtype=float) for one in (gained, lost, pairs))
    low, high = (b - c) / n, np.ones(np.broadcast(b, c, n).shape)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        inside = score_statistic(c, b, n, middle) >= -z
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    end: Floats = low
    return end
