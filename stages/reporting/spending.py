"""What corrections buy: success over the rows that they added, variant by variant."""

from textwrap import fill

from matplotlib.axes import Axes
import pandas as pd

from stages.reporting.drawing import chart
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import listing, percent

# Okabe and Ito's palette; after it colours repeat, and lines are dashed.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8F98")
_STYLES = ("-", "--", ":")
_LONGEST = 40  # characters of a line beside a chart


def spending_figures(table: pd.DataFrame) -> tuple[Figure, Figure]:
    """Success over rows beyond those of round 0: of all conditions together, and a panel a condition."""
    grown = table.assign(added=table["rows"] - table.groupby("variant")["rows"].transform("min"))
    together = grown.groupby(["variant", "added"], sort=False, as_index=False).agg({"success": "mean"})
    panels = [_panel(str(condition), group, False) for condition, group in grown.groupby("condition", sort=False)]
    caption = (
        "Success [%], the mean of all conditions, after each round, over the expert steps that corrections have added "
        "to the demonstrations so far."
    )
    return (
        Figure("What corrections buy", caption, (_panel("all conditions", together, True),)),
        Figure("Condition by condition", "The same in each condition.", tuple(panels)),
    )


def _panel(title: str, table: pd.DataFrame, explained: bool) -> Picture:
    with chart(*((6.4, 2.9) if explained else (3.0, 2.3))) as drawn:
        axes, told = drawn.axes, []
        for place, (variant, group) in enumerate(table.groupby("variant", sort=False)):
            colour, style = COLOURS[place % len(COLOURS)], _STYLES[place // len(COLOURS) % len(_STYLES)]
            (line,) = axes.plot(group["added"], 100 * group["success"], label=str(variant), color=colour)
            line.set(linestyle=style, marker="o", markersize=3.5)
            told.append(f"{variant} {percent(float(group['success'].iloc[-1]))}")
        axes.set(title=title, xlabel="expert steps", ylabel="success [%]", ylim=(-4, 104))
        axes.locator_params(axis="x", nbins=5)
        if explained:
            beside(axes)
        return drawn.picture(f"Success over expert steps, {title}; in the end {listing(told)}.")


def beside(axes: Axes) -> None:
    """Name the lines beside the chart, where they cover nothing."""
    if axes.figure is not None:
        axes.figure.subplots_adjust(right=0.58)
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    for name in legend.get_texts():
        name.set_text(fill(name.get_text(), _LONGEST))  # what goes over the edge is cut off
