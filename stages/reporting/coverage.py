"""How much of what a policy visits is known to it, and what that is worth."""

import numpy as np
import pandas as pd

from stages.comparing.shares import NORMAL
from stages.core.task import Floats
from stages.core.wording import plural
from stages.reporting.charts import by_condition
from stages.reporting.drawing import MUTED, chart, round_colour
from stages.reporting.inputs import records
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import listing, percent

_LEAST = 5  # pairs for a correlation
_SURE = 1 - 1e-9


def coverage_figure(rows: pd.DataFrame, novelty: pd.DataFrame) -> Figure:
    """The share of visited steps within the threshold against success, a panel a condition and a dot a round."""
    panels = tuple(_panel(condition, group) for condition, group in by_condition(rows))
    thresholds = novelty.groupby("round")["threshold"].first()
    sizes = rows.groupby("round")["rows"].first()
    ends = list(dict.fromkeys([sizes.index[0], sizes.index[-1]]))
    told = [f"{plural(int(sizes[one]), 'row')} in round {one} (threshold {thresholds[one]:.3g})" for one in ends]
    moved = " A larger threshold alone moves dots to the right." if thresholds.max() > thresholds.min() else ""
    caption = (
        "Share of the visited steps whose novelty was within the shift threshold [%], against success [%]: a dot a "
        "round, joined in their order. To the right: more of the way is known; up: more episodes succeed. "
        f"What is known: {listing(told)}.{moved} {_together(rows)}"
    )
    return Figure("How much of what is visited is known", caption, panels)


def _together(rows: pd.DataFrame) -> str:
    """How the share known and success go together, over conditions and rounds."""
    found = rank_correlation(1 - rows["shift"].to_numpy(float), rows["success"].to_numpy(float))
    if found is None:
        return ""
    middle, low, high = found
    return (
        f"Over the {len(rows)} pairs of condition and round, the share known and success have a rank correlation of "
        f"{middle:.2f} ({low:.2f} to {high:.2f})."
    )


def rank_correlation(some: Floats, others: Floats) -> tuple[float, float, float] | None:
    """Spearman's correlation of C pairs with its 95 % interval; none where either never changes, or C is below 5.

    The interval is Fisher's with the variance of Bonett and Wright (Psychometrika 65, 2000, 23-28). It takes the pairs
    to be independent, which rounds of one condition are not: it is rather too short.
    """
    from scipy.stats import spearmanr

    if len(some) < _LEAST or np.ptp(some) == 0 or np.ptp(others) == 0:
        return None
    found = float(np.clip(spearmanr(some, others).statistic, -_SURE, _SURE))
    reach = NORMAL * np.sqrt((1 + found**2 / 2) / (len(some) - 3))
    low, high = np.tanh(np.arctanh(found) + np.array([-reach, reach]))
    return found, float(low), float(high)


def _panel(condition: str, rows: pd.DataFrame) -> Picture:
    rounds = rows["round"].tolist()
    with chart() as drawn:
        axes = drawn.axes
        axes.plot(100 * (1 - rows["shift"]), 100 * rows["success"], color=MUTED, linewidth=1, zorder=1)
        for row in records(rows):
            colour = round_colour(row["round"], rounds)
            axes.plot([100 * (1 - row["shift"])], [100 * row["success"]], "o", color=colour, clip_on=False)
        axes.set(title=condition, xlabel="known [%]", ylabel="success [%]", xlim=(-4, 104), ylim=(-4, 104))
        told = [
            f"round {row['round']} {percent(1 - row['shift'])} known, {percent(row['success'])} succeed"
            for row in records(rows)
        ]
        return drawn.picture(f"Known steps against success in condition {condition}: {listing(told)}.")
