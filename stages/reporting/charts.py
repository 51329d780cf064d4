"""The charts of a task: one panel a condition, colours for rounds."""

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
import numpy as np
import pandas as pd

from stages.core.wording import plural
from stages.reporting.drawing import INK, LAST, MUTED, chart, round_colour
from stages.reporting.inputs import records
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import interval, listing, percent, quantity

_WIDE = 200  # an axis that spans more than this factor has a mark a decade
_LEAST = 0.01  # of the threshold: smaller novelty is drawn at the lower edge
_DECADES = 1e-5  # of the largest value: what is smaller is drawn at the lower edge


def success_figure(rows: pd.DataFrame) -> Figure:
    """Success by round with its interval, a panel a condition."""
    panels = tuple(_success_panel(condition, group) for condition, group in by_condition(rows))
    caption = (
        "Share of evaluation episodes that succeed [%], round by round, with its 95 % Wilson interval. "
        "Every round is judged in the same worlds."
    )
    return Figure("Success by round", caption, panels)


def _success_panel(condition: str, rows: pd.DataFrame) -> Picture:
    rounds = rows["round"].tolist()
    with chart() as drawn:
        axes = drawn.axes
        axes.plot(rows["round"], 100 * rows["success"], color=MUTED, linewidth=1, zorder=1)
        for row in records(rows):
            colour = round_colour(row["round"], rounds)
            axes.vlines(row["round"], 100 * row["success_low"], 100 * row["success_high"], color=colour, linewidth=2.5)
            axes.plot([row["round"]], [100 * row["success"]], "o", color=colour)
        axes.set(title=condition, xlabel="round", ylabel="success [%]", ylim=(-4, 104), xticks=rounds)
        axes.set_xlim(rounds[0] - 0.4, rounds[-1] + 0.4)
        told = [
            f"round {row['round']} {percent(row['success'])} ({interval(row['success_low'], row['success_high'])})"
            for row in records(rows)
        ]
        return drawn.picture(f"Success in condition {condition}: {listing(told)}.")


def error_figure(curves: pd.DataFrame, unit: str) -> Figure:
    """The error over time in the first and the last round, a panel a condition."""
    top = float(curves["high"].max()) or 1.0
    positive = curves["low"][curves["low"] > 0]
    floor = max(top * _DECADES, float(positive.min()) / 2 if len(positive) else 0.0)
    panels = tuple(_error_panel(condition, group, unit, (floor, 2 * top)) for condition, group in by_condition(curves))
    caption = (
        f"What is left to the goal [{unit}, logarithmic] over time [s]: median over all episodes, and the band that "
        "holds 90 % of them, in the first and the last round. An episode that has ended keeps its last error."
    )
    return Figure("Error over time", caption, panels)


def _error_panel(condition: str, curves: pd.DataFrame, unit: str, span: tuple[float, float]) -> Picture:
    rounds = sorted(set(curves["round"]))
    told = []
    with chart() as drawn:
        axes = drawn.axes
        for number in dict.fromkeys([rounds[0], rounds[-1]]):
            part = curves[curves["round"] == number]
            low, middle, high = (part[level].clip(lower=span[0]) for level in ("low", "middle", "high"))
            colour = round_colour(number, rounds)
            axes.fill_between(part["timestamp"], low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(part["timestamp"], middle, color=colour, label=f"round {number}")
            told.append(f"in round {number} the median ends at {quantity(float(part['middle'].iloc[-1]), unit)}")
        axes.set(title=condition, xlabel="time [s]", ylabel=f"error [{unit}]", yscale="log", ylim=span)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlim(left=0)
        axes.legend(loc="best")
        return drawn.picture(f"Error over time in condition {condition}: {listing(told)}.")


def novelty_figure(quantiles: pd.DataFrame) -> Figure:
    """The largest novelty of the episodes against the threshold, a panel a condition."""
    positive = quantiles[["low", "middle", "high"]].to_numpy()
    positive = positive[positive > 0]
    span = (
        (max(_LEAST, min(0.5, positive.min() / 1.5)), max(2.0, positive.max() * 1.5)) if len(positive) else (0.5, 2.0)
    )
    panels = tuple(_novelty_panel(condition, group, span) for condition, group in by_condition(quantiles))
    caption = (
        "The largest novelty of an episode, as a multiple of the round's shift threshold (dashed line, logarithmic): "
        "median and 5 to 95 % of the episodes that succeeded (dots) and that failed (crosses). An alarm that tells "
        "failures apart has its crosses above the line and its dots below."
    )
    return Figure("Novelty against the threshold", caption, panels)


def _novelty_panel(condition: str, quantiles: pd.DataFrame, span: tuple[float, float]) -> Picture:
    rounds = sorted(set(quantiles["round"]))
    told = []
    with chart() as drawn:
        axes = drawn.axes
        axes.axhline(1, color=INK, linestyle="--", linewidth=1)
        for row in records(quantiles):
            failed = row["outcome"] == "failure"
            place = row["round"] + (0.12 if failed else -0.12)
            colour = round_colour(row["round"], rounds)
            low, middle, high = np.clip([row["low"], row["middle"], row["high"]], *span).tolist()
            axes.vlines(place, low, high, color=colour, linewidth=1.5)
            axes.plot([place], [middle], "X" if failed else "o", color=colour, markersize=7 if failed else 5)
            count = plural(row["episodes"], "episode")
            told.append(f"round {row['round']} {row['outcome']} ({count}) {row['middle']:.2g} times")
        axes.set(title=condition, xlabel="round", ylabel="novelty / threshold", yscale="log", ylim=span, xticks=rounds)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if span[1] < _WIDE * span[0] else (1.0,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(rounds[0] - 0.4, rounds[-1] + 0.4)
        return drawn.picture(f"Largest novelty against the threshold in condition {condition}: {listing(told)}.")


def cost_figure(rows: pd.DataFrame) -> Figure:
    """How many rows the dataset of each round holds."""
    sizes = rows.drop_duplicates("round").set_index("round")["rows"].astype(int)
    rounds, base = sizes.index.tolist(), int(sizes.iloc[0])
    with chart(4.2, 2.3) as drawn:
        axes = drawn.axes
        axes.bar(rounds, [base] * len(rounds), color=MUTED, width=0.6, label="demonstrated")
        axes.bar(rounds, sizes - base, bottom=base, color=LAST, width=0.6, label="corrections")
        for number, size in sizes.items():
            axes.annotate(f"{size:,}", (float(str(number)), size), (0, 3), textcoords="offset points", ha="center")
        axes.set(xlabel="round", ylabel="rows", xticks=rounds, ylim=(0, 1.35 * sizes.max()))
        axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left", ncols=2)
        told = [f"round {number} {plural(int(size), 'row')}" for number, size in sizes.items()]
        picture = drawn.picture(f"Rows of the dataset: {listing(told)}.")
    added = [f"{int(more):,} in round {number}" for number, more in sizes.diff().iloc[1:].items()]
    spent = f" Added: {listing(added)}." if added else ""
    caption = f"Rows (expert steps) that the policy of each round was trained on.{spent}"
    return Figure("What the corrections cost", caption, (picture,))


def _thousands(value: float, _: object) -> str:
    """5k of 5000: a label of few characters."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def by_condition(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The table's parts, in the order in which their conditions appear."""
    return [(str(condition), group) for condition, group in table.groupby("condition", sort=False)]
