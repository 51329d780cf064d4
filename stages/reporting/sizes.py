"""What demonstrations buy: the share of the way that is known, and success, over the rows of the dataset."""

import pandas as pd

from stages.core.wording import plural
from stages.reporting.coverage import rank_correlation
from stages.reporting.drawing import FIRST, LAST, chart
from stages.reporting.inputs import records
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import listing, percent


def size_figures(table: pd.DataFrame) -> tuple[Figure]:
    """A panel a condition: known steps and success by the size of the dataset, the last round of each variant."""
    last = table[table["round"] == table.groupby("variant")["round"].transform("max")]
    panels = tuple(_panel(str(condition), group) for condition, group in last.groupby("condition", sort=False))
    found = rank_correlation(1 - last["shift"].to_numpy(float), last["success"].to_numpy(float))
    told = ""
    if found is not None:
        told = f" Known and success: rank correlation {found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})."
    caption = (
        "Share of the visited steps whose novelty is within the shift threshold (orange) and success with its 95 % "
        f"Wilson interval (blue) [%], over the rows that the policy knows (logarithmic).{told}"
    )
    return (Figure("What demonstrations buy", caption, panels),)


def _panel(condition: str, rows: pd.DataFrame) -> Picture:
    ordered = rows.sort_values("rows")
    with chart() as drawn:
        axes = drawn.axes
        low, high = 100 * ordered["success_low"], 100 * ordered["success_high"]
        axes.fill_between(ordered["rows"], low, high, color=LAST, alpha=0.15, linewidth=0)
        axes.plot(ordered["rows"], 100 * ordered["success"], "o-", color=LAST)
        axes.plot(ordered["rows"], 100 * (1 - ordered["shift"]), "o--", color=FIRST)
        axes.set(title=condition, xlabel="rows", ylabel="[%]", ylim=(-4, 104), xscale="log")
        told = [
            f"{plural(int(row['rows']), 'row')} {percent(1 - row['shift'])} known, {percent(row['success'])} succeed"
            for row in records(ordered)
        ]
        return drawn.picture(f"Known steps and success over rows in condition {condition}: {listing(told)}.")
