"""Is B worse than A, settled after as few pairs as it takes: tests that may be looked at after every one of them.

Two bets are made on every pair, and never taken back. One wins where A succeeded alone, and is a losing game unless B
is worse; the other wins where B held its own, and is a losing game if B is worse by the margin. The wealth in a game
that is not favourable exceeds 1 / level at any time with probability at most level (Ville, 1939), so the first bet that
comes so far settles the question, whenever one looks: `worse`, or `cleared` of the margin.

Stakes grow wealth fastest if B is worse by the margin, or by more if it looks so (Kelly; Waudby-Smith and Ramdas,
Journal of the Royal Statistical Society B 86, 2024, on bounded means); the share of pairs that are discordant is
learned on the way. It does what Wald's sequential ratio test does (Annals of Mathematical Statistics 16, 1945), without
being told that share. In between, where B is worse by less than the margin, either answer may come.

A pair's outcome is -1 (lost: A succeeded alone), 1 (gained) or 0; outcomes (..., N) are in the order they came in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stages.core.episode import Bools, Ints
from stages.core.task import Floats

# What the bets on `worse` and `cleared` believe before the first pair: this share of pairs is discordant, as firmly as
# if so many pairs had said it. The fewer are, the more is staked; too much on `worse` costs more than too little.
_BELIEFS = ((0.15, 20), (0.1, 10))
_MARGIN_FIRMNESS = 1000  # pairs: how firmly it is believed that B, if worse, is worse by the margin
_MOST_ON_WORSE, _MOST_ON_CLEARED = 0.9, 0.95  # of the wealth is ever at stake: one pair must not ruin it


class Settled(NamedTuple):
    """How a question ended, and after how many pairs."""

    state: str  # failed: worse; cleared: of the margin; open: neither yet
    pairs: int
    worse: float  # the wealth of the first bet then
    cleared: float  # that of the second


def settle(outcomes: ArrayLike, margin: float, level: float, miss: float) -> Settled:
    """What the outcomes (N,) of a condition settle, read until they do.

    `level`: how often `failed` may be said of what is not worse; `miss`: how often `cleared` of what is worse by the
    margin.
    """
    changes = np.asarray(outcomes, dtype=np.int64)
    worse, cleared = log_wealths(changes, margin)
    state, last = first_settled(worse, cleared, level, miss)
    if not len(changes):
        return Settled("open", 0, 1.0, 1.0)
    place = int(last) - 1
    return Settled(_STATES[int(state)], int(last), float(np.exp(worse[place])), float(np.exp(cleared[place])))


_STATES = ("open", "failed", "cleared")


def first_settled(worse: Floats, cleared: Floats, level: float, miss: float) -> tuple[Ints, Ints]:
    """Of wealths (..., N): the state (...), a place in open, failed and cleared, and the number of pairs read (...)."""
    failed, fine = _first(worse >= -np.log(level)), _first(cleared >= -np.log(miss))
    state = np.where(failed == fine, 0, np.where(failed < fine, 1, 2))
    read: Ints = np.minimum(np.minimum(failed, fine) + 1, worse.shape[-1])
    return state, read


def _first(true: Bools) -> Ints:
    """The place (...) of the first that is true of (..., N), N where none is."""
    ended = np.concatenate([true, np.ones((*true.shape[:-1], 1), dtype=bool)], axis=-1)
    return np.asarray(ended.argmax(axis=-1))


def log_wealths(outcomes: Ints, margin: float) -> tuple[Floats, Floats]:
    """The logarithms of both wealths after each pair (..., N): against "not worse", and against "worse by the margin".

    A stake hangs on earlier pairs alone.
    """
    seen = np.arange(outcomes.shape[-1])
    discordant, balance = (_before(part) for part in (np.abs(outcomes), outcomes))
    for_worse, for_cleared = ((share * pairs + discordant) / (pairs + seen) for share, pairs in _BELIEFS)
    loss = np.maximum(margin, (margin * _MARGIN_FIRMNESS - balance) / (_MARGIN_FIRMNESS + seen))
    on_worse = np.minimum(loss / for_worse, _MOST_ON_WORSE)
    on_cleared = np.minimum(_stake_on_cleared(for_cleared, margin), _MOST_ON_CLEARED / (1 - margin))
    worse: Floats = np.log1p(-on_worse * outcomes).cumsum(axis=-1)
    cleared: Floats = np.log1p(on_cleared * (outcomes + margin)).cumsum(axis=-1)
    return worse, cleared


def _before(parts: Ints) -> Ints:
    """The sum (..., N) of all that came before each."""
    sums: Ints = parts.cumsum(axis=-1) - parts
    return sums


def _stake_on_cleared(share: Floats, margin: float) -> Floats:
    """What makes the second wealth grow fastest if nothing is worse and that share of pairs is discordant.

    The root of the expected logarithm's derivative, share/2 log(1 + (1 + d) x) + share/2 log(1 - (1 - d) x) +
    (1 - share) log(1 + d x), d the margin: its numerator is quadratic.
    """
    up, down = 1 + margin, 1 - margin
    win, lose, same = share / 2 * up, share / 2 * down, (1 - share) * margin
    square = -(win * down * margin + lose * up * margin + same * up * down)
    linear = win * (margin - down) - lose * (up + margin) + same * (up - down)
    root: Floats = (-linear - np.sqrt(linear**2 - 4 * square * margin)) / (2 * square)
    return root
