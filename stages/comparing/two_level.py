"""What several training seeds tell of a share of success, when all are judged in the same worlds.

S seeds, each judged in the same E worlds, make a table of outcomes (S, E) whose rows differ by what was learned and
whose columns differ by how hard the world is. The analysis of variance of such a table (both random, one outcome a
cell) keeps the two apart: what a new seed would change, and what new episodes would.

The interval is for the share that all seeds would have in all worlds. Its variance is that of the table's mean,

    V = (M_seeds + max(M_worlds - M_rest, 0)) / (S E),   M: mean squares, M_seeds at least M_rest,

the number of episodes that would be worth as much, m (1 - m) / V (m the mean), takes the place of their number in
Wilson's interval, and a quantile of Student's t that of the normal one (after Korn and Graubard, Survey Methodology 24,
1998; degrees of freedom after Hillis, Statistics in Medicine 26, 2007, where readers are our seeds and cases our
worlds).

The bootstrap in two levels is beside it: seeds and worlds are drawn anew, each with replacement (Davison and Hinkley,
Bootstrap Methods and their Application, 1997, section 3.8; Owen, Annals of Applied Statistics 1, 2007, for crossed
levels; Agarwal et al., NeurIPS 2021, for seeds). Its percentiles are too narrow for few seeds, as three draws say
little of where a fourth would lie.
"""

from dataclasses import dataclass

import numpy as np

from stages.comparing.shares import CONFIDENCE
from stages.core.episode import Bools
from stages.core.streams import stream
from stages.core.task import Floats

_DIGITS = 12  # what is less is rounding
_DRAWS = 1000
_BLOCK = 250  # draws at a time: the table of counts stays small


@dataclass(frozen=True)
class Spread:
    """The share of success over all seeds and worlds, and what it hangs on."""

    mean: float
    low: float
    high: float
    seed_sd: float  # of the share, from seed to seed, were each judged in all worlds
    episode_sd: float  # of one seed's share, from one draw of as many worlds to the next
    bootstrap_low: float
    bootstrap_high: float


@dataclass(frozen=True)
class _Squares:
    """The mean squares of a table (S, E)."""

    seeds: float
    worlds: float
    rest: float


def spread(success: Bools) -> Spread:
    """What outcomes (S, E) tell, S and E at least 2.

    Where every episode ended alike, nothing tells how alike seeds are: the interval is that of E episodes.
    """
    squares = _mean_squares(success.astype(float))
    seeds, worlds = success.shape
    world_variance = max(squares.worlds - squares.rest, 0.0) / seeds
    return Spread(
        float(success.mean()),
        *interval(success),
        float(np.sqrt(max(round(squares.seeds - squares.rest, _DIGITS), 0.0) / worlds)),
        float(np.sqrt((world_variance + squares.rest) / worlds)),
        *bootstrap(success),
    )


def _mean_squares(table: Floats) -> _Squares:
    seeds, worlds = table.shape
    by_seed, by_world = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    rest = table - by_seed - by_world + table.mean()
    return _Squares(
        worlds * float(by_seed.var(ddof=1)),
        seeds * float(by_world.var(ddof=1)),
        float((rest**2).sum()) / ((seeds - 1) * (worlds - 1)),
    )


def interval(success: Bools) -> tuple[float, float]:
    """Both ends of the 95 % interval of the share, from outcomes (S, E)."""
    from scipy.special import stdtrit

    squares, mean = _mean_squares(success.astype(float)), float(success.mean())
    seeds, worlds = success.shape
    among = max(squares.seeds, squares.rest)
    total = among + max(squares.worlds - squares.rest, 0.0)
    freedom = (seeds - 1) * (total / among) ** 2 if among > 0 else np.inf
    quantile = float(stdtrit(min(freedom, 1e6), 0.5 + CONFIDENCE / 2))
    worth = mean * (1 - mean) * seeds * worlds / total if total > 0 else worlds
    return _wilson(mean, float(np.clip(worth, 1, seeds * worlds)), quantile)


def _wilson(mean: float, episodes: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval (JASA 22, 1927) of a share of so many episodes, which need not be a whole number."""
    square = quantile**2 / episodes
    half = quantile * np.sqrt(mean * (1 - mean) / episodes + square / (4 * episodes)) / (1 + square)
    centre = (mean + square / 2) / (1 + square)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def bootstrap(success: Bools) -> tuple[float, float]:
    """The 95 % percentiles of the share over seeds and worlds drawn anew, from outcomes (S, E); the same every time."""
    table = success.astype(float)
    seeds, worlds = table.shape
    rng = stream(1, "seeds", "bootstrap")
    means = []
    for _ in range(_DRAWS // _BLOCK):
        rows = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=_BLOCK) / seeds
        columns = rng.multinomial(worlds, np.full(worlds, 1 / worlds), size=_BLOCK) / worlds
        means.append(((rows @ table) * columns).sum(axis=1))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail]).tolist()
    return low, high
