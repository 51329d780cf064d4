"""How variants compare, condition by condition."""

import pandas as pd

from stages.reporting.drawing import INK, chart
from stages.reporting.picture import Figure
from stages.reporting.spending import COLOURS, beside
from stages.reporting.wording import listing, percent

_HATCHES = ("", "////", "....")  # of the bars, once all colours are taken


def standing_figures(table: pd.DataFrame) -> tuple[Figure, ...]:
    """Success in the last round, a group of bars a condition and a bar a variant, with 95 % intervals."""
    last = table[table["round"] == table["round"].max()]
    conditions = list(dict.fromkeys(last["condition"]))
    variants = list(last.groupby("variant", sort=False))
    width = 0.8 / len(variants)
    with chart(7.6, 2.9) as drawn:
        axes, told = drawn.axes, []
        for place, (variant, group) in enumerate(variants):
            rows = group.set_index("condition").loc[conditions]
            success = 100 * rows["success"]
            places = [one + (place + 0.5) * width - 0.4 for one in range(len(conditions))]
            reach = [success - 100 * rows["success_low"], 100 * rows["success_high"] - success]
            colour, hatch = COLOURS[place % len(COLOURS)], _HATCHES[place // len(COLOURS) % len(_HATCHES)]
            bars = axes.bar(places, success, 0.9 * width, color=colour, label=str(variant), linewidth=0)
            for bar in bars:
                bar.set(hatch=hatch, edgecolor="white")
            axes.errorbar(places, success, [part.clip(lower=0) for part in reach], fmt="none", ecolor=INK, capsize=2)
            told.append(f"{variant} {percent(float(rows['success'].min()))} in its worst condition")
        axes.set(ylabel="success [%]", ylim=(0, 104))
        axes.set_xticks(range(len(conditions)), conditions)
        beside(axes)
        picture = drawn.picture(f"Success by condition: {listing(told)}.")
    caption = "Success [%] in the last round with its 95 % interval, condition by condition."
    return (Figure("Variant beside variant", caption, (picture,)),)
