"""What a parameter changes: success over its values, with intervals."""

from typing import Any

from matplotlib.axes import Axes
import pandas as pd

from stages.reporting.drawing import chart, round_colour
from stages.reporting.inputs import records
from stages.reporting.picture import Figure, Picture
from stages.reporting.spending import COLOURS, beside
from stages.reporting.wording import interval, listing, percent

_APART = 0.08  # of the way from one value to the next, between conditions


def sweep_figure(table: pd.DataFrame) -> Figure:
    """A panel a condition: success with its interval over the values (`variant`), a colour a round."""
    panels = tuple(_panel(str(condition), group) for condition, group in table.groupby("condition", sort=False))
    caption = "Success [%] with its 95 % Wilson interval, value by value; all values are judged by the same seeds."
    return Figure("Value by value", caption, panels)


def _panel(condition: str, table: pd.DataFrame) -> Picture:
    rounds, places = sorted(set(table["round"].tolist())), _places(table)
    with chart() as drawn:
        axes, told = drawn.axes, []
        for number, group in table.groupby("round"):
            colour = round_colour(int(str(number)), rounds)
            for row in records(group):
                _mark(axes, places[str(row["variant"])], row, colour)
            if number == rounds[-1]:
                spans = [(str(row["variant"]), percent(row["success"]), _interval(row)) for row in records(group)]
                told = [f"{value} {share} ({span})" for value, share, span in spans]
        axes.set(title=condition, ylabel="success [%]", ylim=(-4, 104), xlim=(-0.5, len(places) - 0.5))
        axes.set_xticks(range(len(places)), list(places))
        return drawn.picture(f"Success in condition {condition}, value by value: {listing(told)}.")


def sweep_svg(table: pd.DataFrame, parameter: str) -> bytes:
    """The last round in one chart, a colour a condition."""
    last = table[table["round"] == table["round"].max()]
    places = _places(last)
    groups = list(last.groupby("condition", sort=False))
    with chart(6.4, 3.2) as drawn:
        axes = drawn.axes
        for number, (condition, group) in enumerate(groups):
            colour, shift = COLOURS[number % len(COLOURS)], _APART * (number - (len(groups) - 1) / 2)
            at = [places[str(variant)] + shift for variant in group["variant"]]
            axes.plot(at, 100 * group["success"], color=colour, linewidth=1, label=str(condition))
            for place, row in zip(at, records(group), strict=True):
                _mark(axes, place, row, colour)
        axes.set(xlabel=parameter, ylabel=f"success in round {last['round'].iloc[0]} [%]", ylim=(-4, 104))
        axes.set_xticks(range(len(places)), list(places))
        beside(axes)
        return drawn.picture(f"Success over {parameter}, condition by condition.").content


def _mark(axes: Axes, place: float, row: dict[str, Any], colour: str) -> None:
    """One share with its interval."""
    axes.vlines(place, 100 * row["success_low"], 100 * row["success_high"], color=colour, linewidth=2)
    axes.plot([place], [100 * row["success"]], "o", color=colour)


def _places(table: pd.DataFrame) -> dict[str, int]:
    return {str(variant): place for place, variant in enumerate(dict.fromkeys(table["variant"]))}


def _interval(row: dict[str, Any]) -> str:
    return interval(row["success_low"], row["success_high"])
