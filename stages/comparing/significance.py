"""Exact tests of paired outcomes, and what they are worth when there are many.

Under "no difference" each discordant pair falls to either side like a fair coin (McNemar, Psychometrika 12, 1947), so
the test is the binomial one, whatever the number of episodes. Pairs in which both sides end alike say nothing.
"""

import numpy as np
from numpy.typing import ArrayLike

from stages.core.task import Floats


def two_sided(lost: int, gained: int) -> float:
    """The p of "B is neither better nor worse" in one condition."""
    from scipy.stats import binomtest

    discordant = lost + gained
    return float(binomtest(lost, discordant).pvalue) if discordant else 1.0


def one_sided(lost: ArrayLike, gained: ArrayLike) -> Floats:
    """The p of "B is not worse", exact: that a fair coin gives `lost` heads or more; arrays of any one shape."""
    from scipy.special import betainc

    b, c = (np.asarray(one, dtype=float) for one in (lost, gained))
    # P(X >= b), X binomial of b + c coins, is the regularized incomplete beta function of a half.
    p: Floats = np.where(b > 0, betainc(np.maximum(b, 1), c + 1, 0.5), 1.0)
    return p


def lowest(discordant: ArrayLike, sides: int) -> Floats:
    """The smallest p that so many discordant pairs could have given, had all fallen to one side."""
    coins = np.asarray(discordant, dtype=float)
    p: Floats = np.minimum(sides * 0.5**coins, 1.0)
    return p


def holm(p: ArrayLike, counted: ArrayLike = True) -> Floats:
    """P-values (..., K) adjusted for as many tests at once as are `counted` (..., K); 1 for the others.

    Rejecting where the adjusted one is at most a level errs anywhere with at most that probability, whatever the tests
    have to do with each other (Holm, Scandinavian Journal of Statistics 6, 1979). A test need not be counted that could
    not have rejected at the level by itself, given the number of its discordant pairs, which says nothing of the side
    they fall to (after Tarone, Biometrics 46, 1990).
    """
    raw = np.asarray(p, dtype=float)
    among = np.broadcast_to(np.asarray(counted, dtype=bool), raw.shape)
    order = np.argsort(np.where(among, raw, np.inf), axis=-1, kind="stable")
    left = among.sum(axis=-1, keepdims=True) - np.arange(raw.shape[-1])
    stepped = np.maximum.accumulate(np.take_along_axis(raw, order, -1) * np.maximum(left, 1), axis=-1)
    adjusted = np.empty_like(raw)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), -1)
    return np.where(among, adjusted, 1.0)
