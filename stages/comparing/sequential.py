"""A paired test that may be looked at after every episode, and stopped whenever one likes.

Under "no difference" every discordant pair falls to either side like a fair coin. Bet on it: the wealth of one who
bets as if the coin's bias were drawn from a beta distribution is a martingale, and it ever exceeds 1 / level with
probability at most level (Ville, 1939). So the largest wealth so far bounds the evidence at any time, which a p-value
looked at over and over does not (Robbins, Annals of Mathematical Statistics 41, 1970; Ramdas, Grunwald, Vovk and
Shafer, Statistical Science 38, 2023).
"""

import numpy as np
from numpy.typing import ArrayLike

from stages.core.task import Floats

_PRIOR = 1.0  # of the beta distribution, both parameters: every bias as likely


def log_wealth(lost: ArrayLike, gained: ArrayLike) -> Floats:
    """The logarithm of the wealth after so many pairs lost and gained; arrays of any one shape."""
    from scipy.special import betaln

    b, c = (np.asarray(one, dtype=float) for one in (lost, gained))
    wealth: Floats = betaln(b + _PRIOR, c + _PRIOR) - betaln(_PRIOR, _PRIOR) + (b + c) * np.log(2)
    return wealth


def anytime_p(lost: ArrayLike, gained: ArrayLike) -> Floats:
    """A p-value after each of T episodes (..., T), from the counts so far: valid at whatever moment it is read."""
    highest = np.maximum.accumulate(log_wealth(lost, gained), axis=-1)
    p: Floats = np.exp(-np.maximum(highest, 0.0))
    return p
