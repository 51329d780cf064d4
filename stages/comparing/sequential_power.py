"""How many pairs a sequential gate reads, and how often it errs, against a test of fixed size, by simulation.

The model of a pair is that of `power`. The fixed-size test is the exact one-sided test of discordant pairs at the same
level, with the fewest pairs that give it the same power, 1 - miss, against a loss of the margin. `conditions` shares
the level out evenly, for either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from stages.comparing.power import ALL, CONDITIONS, CORRELATIONS, SEED, SUCCESS, discordant
from stages.comparing.sequential import first_settled, log_wealths
from stages.comparing.significance import one_sided
from stages.comparing.trial import Rule
from stages.core.episode import Ints
from stages.core.streams import stream

LOSSES = (0.0, 0.5, 1.0, 2.0)  # of the margin
COLUMNS = (
    *("success", "correlation", "conditions", "loss", "fixed", "pairs", "pairs_95", "saved"),
    *("failed", "cleared", "open"),
)
TOGETHER = (5, 7, ALL)  # conditions that are judged together: of reach, of pick and place, of all tasks
BUDGETS = (250, 500, 1000, 2000, 4000, 8000, 16_000)  # pairs of all conditions
BUDGET_COLUMNS = ("success", "correlation", "conditions", "pairs", "caught", "missed")
_LONGEST = 4  # times the fixed size: then it stays open
_BLOCK = 100  # runs at a time
_UNSURE = 0.01  # of the fixed size


@dataclass(frozen=True)
class Course:
    """What so many simulated uses of the test in one condition came to."""

    success: float
    correlation: float
    conditions: int
    loss: float
    fixed: int  # pairs of the fixed-size test
    pairs: float  # mean of those read
    pairs_95: float  # 95 % of the uses read at most so many
    failed: float
    cleared: float

    @property
    def saved(self) -> float:
        """Share of the fixed size that is saved in the mean."""
        return 1 - self.pairs / self.fixed

    @property
    def open(self) -> float:
        """Share of the uses that were given up."""
        return round(1 - self.failed - self.cleared, 9) + 0.0  # not minus zero


def courses(runs: int, rule: Rule) -> Iterator[Course]:
    """One for each setting and loss."""
    for success, correlation, conditions in product(SUCCESS, CORRELATIONS, CONDITIONS):
        level = rule.level / conditions
        fixed = fixed_size(success, correlation, rule.margin, level, 1 - rule.miss, runs)
        for loss in (rule.margin * times for times in LOSSES):
            states, pairs = _uses((success, correlation, loss), _LONGEST * fixed, runs, rule, level)
            shares = [float((states == state).mean()) for state in (1, 2)]
            ends = (float(pairs.mean()), float(np.quantile(pairs, 0.95)))
            yield Course(success, correlation, conditions, loss, fixed, *ends, *shares)


def fixed_size(success: float, correlation: float, loss: float, level: float, power: float, runs: int) -> int:
    """The fewest pairs, to one in a hundred, from which the exact test shows the loss with that power."""
    chances = discordant(success, loss, correlation)

    def enough(pairs: int) -> bool:
        counts = stream(SEED, "gate", "fixed", pairs).multinomial(pairs, chances, size=runs)
        return bool((one_sided(counts[:, 0], counts[:, 1]) <= level).mean() >= power)

    low, high = 1, 1 << 14
    while not enough(high):
        low, high = high, 2 * high
    while high - low > max(1, _UNSURE * low):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _uses(truth: tuple[float, float, float], most: int, runs: int, rule: Rule, level: float) -> tuple[Ints, Ints]:
    """The states and numbers of pairs (R,) of so many uses."""
    success, correlation, loss = truth
    lost, gained, _ = discordant(success, loss, correlation)
    rng = stream(SEED, "gate", "sequential", *(f"{value:g}" for value in truth))
    parts = []
    for start in range(0, runs, _BLOCK):
        drawn = rng.random((min(_BLOCK, runs - start), most))
        outcomes = (drawn >= lost).astype(np.int64) - 1 + ((drawn >= lost) & (drawn < lost + gained))
        parts.append(first_settled(*log_wealths(outcomes, rule.margin), level, rule.miss))
    states, pairs = (np.concatenate(part) for part in zip(*parts, strict=True))
    return states, pairs


@dataclass(frozen=True)
class Budget:
    """How far so many pairs get, of all conditions together, of which one is worse by the margin."""

    success: float
    correlation: float
    conditions: int
    pairs: int
    caught: float
    missed: float  # cleared within the budget


def budgets(runs: int, rule: Rule) -> Iterator[Budget]:
    """One for each setting and budget; open conditions take turns, as in `trial`."""
    for success, correlation, conditions in product(SUCCESS, CORRELATIONS, TOGETHER):
        level = rule.level / conditions
        states, ends = _uses((success, correlation, rule.margin), max(BUDGETS) // 2, runs, rule, level)
        _, idle_ends = _uses((success, correlation, 0.0), max(BUDGETS) // 2, runs, rule, level)
        others = stream(SEED, "gate", "others", conditions).integers(runs, size=(runs, conditions - 1))
        spent = ends + np.minimum(idle_ends[others], ends[:, None]).sum(axis=1)
        for pairs in BUDGETS:
            caught, missed = (float(((states == state) & (spent <= pairs)).mean()) for state in (1, 2))
            yield Budget(success, correlation, conditions, pairs, caught, missed)


def csv(found: Sequence[Course] | Sequence[Budget], columns: Sequence[str] = COLUMNS) -> str:
    """One line a setting and loss, or a setting and budget."""
    rows = [[getattr(one, name) for name in columns] for one in found]
    return "\n".join([",".join(columns), *(",".join(f"{cell:.6g}" for cell in row) for row in rows)]) + "\n"


def sentences(found: Sequence[Course], rule: Rule) -> str:
    """What is saved, by the loss there truly is, and how often it errs."""
    lines = []
    for loss in dict.fromkeys(one.loss for one in found):
        some = [one for one in found if one.loss == loss]
        saved = [100 * one.saved for one in some]
        lines.append(
            f"sequential, a true loss of {100 * loss:g} points: reads {min(saved):.0f} to {max(saved):.0f} % fewer "
            f"pairs than the test of fixed size; fails in {100 * min(one.failed for one in some):.1f} to "
            f"{100 * max(one.failed for one in some):.1f} %"
        )
    margin, miss = 100 * rule.margin, 100 * rule.miss
    return "\n".join(
        [*lines, f"allowed: level {100 * rule.level:g} %, {miss:g} % missed of a loss of {margin:g} points"]
    )
