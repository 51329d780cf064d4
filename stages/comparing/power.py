"""How often the gate fails where it should, and where it should not, by simulation.

The model of a pair: the baseline succeeds with the share p, the version judged with p - d, d the true worsening, and
the two outcomes have the correlation r (the phi coefficient), because both act in the same worlds. So

    P(lost) = p - s,  P(gained) = p - d - s,  s = p (p - d) + r sqrt(p (1 - p) (p - d) (1 - p + d)),

s the share of worlds in which both succeed, at most p - d. With r = 0 the two know nothing of each other: as if
each had drawn its own worlds. From one round to the next, r was measured from -0.23 to 1, 0.6 in the median, in the 15
cases of 50 worlds or more in which both succeeded in some and failed in others. Of the conditions that are judged
together, one is made worse, the others are not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from stages.comparing.decision import failing
from stages.comparing.shares import wilson
from stages.core.episode import Bools
from stages.core.streams import stream

SEED = 1
SUCCESS = (0.8, 0.95)  # share, of the baseline
CORRELATIONS = (0.0, 0.5)
ALL = 22  # conditions of all tasks that params.yaml runs
CONDITIONS = (1, ALL)  # that are judged together
EPISODES = (  # of each condition
    *(50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000),
    *(1200, 1400, 1600, 1800, 2000, 2500, 3000, 3500, 4000),
)
WORSENINGS = tuple(points / 100 for points in range(11))
PLOTTED = (0.95, 0.5, ALL)  # success, correlation and conditions of the chart
CAUGHT = 0.95  # share of worsenings as large as the margin that one wants caught


@dataclass(frozen=True)
class Setting:
    """What a simulation assumes."""

    success: float
    correlation: float
    conditions: int
    episodes: int
    worsening: float


@dataclass(frozen=True)
class Power:
    """How often the gate failed, with the 95 % Wilson interval of that share."""

    setting: Setting
    failing: float
    low: float
    high: float


def settings(episodes: Sequence[int] = EPISODES, worsenings: Sequence[float] = WORSENINGS) -> list[Setting]:
    """All that is simulated, in the order in which it is listed."""
    return [Setting(*one) for one in product(SUCCESS, CORRELATIONS, CONDITIONS, episodes, worsenings)]


def simulate(chosen: Sequence[Setting], runs: int, margin: float, level: float) -> Iterator[Power]:
    """The power in each setting, from so many simulated uses of the gate."""
    for one in chosen:
        failed = int(_failures(one, runs, margin, level).sum())
        low, high = wilson(failed, runs)
        yield Power(one, failed / runs, low, high)


def _failures(setting: Setting, runs: int, margin: float, level: float) -> Bools:
    """Whether each use of the gate (R,) failed."""
    names = (f"{value:g}" for value in (setting.success, setting.correlation, setting.episodes, setting.worsening))
    rng = stream(SEED, "gate", "power", *names, setting.conditions)
    worse = discordant(setting.success, setting.worsening, setting.correlation)
    as_good = discordant(setting.success, 0.0, setting.correlation)
    counts = [
        rng.multinomial(setting.episodes, worse if place == 0 else as_good, size=runs)
        for place in range(setting.conditions)
    ]
    lost, gained, _ = np.moveaxis(np.stack(counts, axis=1), -1, 0)  # (R, K) each
    return np.asarray(failing(lost, gained, setting.episodes, margin, level).any(axis=1))


def discordant(success: float, worsening: float, correlation: float) -> tuple[float, float, float]:
    """The probabilities that a pair is lost, is gained, and is neither."""
    after = success - worsening
    spread = (success * (1 - success) * after * (1 - after)) ** 0.5
    both = min(success * after + correlation * spread, after)
    return success - both, after - both, 1 - success - after + 2 * both


def episodes_needed(powers: Sequence[Power], worsening: float) -> dict[tuple[float, float, int], int | None]:
    """By success, correlation and conditions: the fewest episodes simulated that catch the worsening surely enough.

    Surely enough: even the lower end of the interval is at least the share wanted. None: not even the most did.
    """
    needed: dict[tuple[float, float, int], int | None] = {}
    for one in powers:
        key = (one.setting.success, one.setting.correlation, one.setting.conditions)
        needed.setdefault(key, None)
        enough = one.setting.worsening == worsening and one.low >= CAUGHT
        if enough and needed[key] is None:
            needed[key] = one.setting.episodes
    return needed
