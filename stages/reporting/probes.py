"""How far a knob must be moved until alarm or surprise rise and until the policy fails: curves, half-way marks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
import pandas as pd

from stages.core.errors import UserError
from stages.core.wording import plural
from stages.probing.halves import Half, half_distance
from stages.probing.probe import SHOWN
from stages.reporting.drawing import BETWEEN, FIRST, LAST, Chart, chart
from stages.reporting.inputs import read_table, records
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import listing

COLUMNS = ("knob", "side", "half alarm at", "half are surprised at", "half fail at", "tried up to")
NEEDED = (
    *(
        "task",
        "round",
        "knob",
        "unit",
        "side",
        "value",
        "distance",
        "episodes",
        "alarmed",
        "alarmed_low",
        "alarmed_high",
    ),
    *("surprised", "surprised_low", "surprised_high", "failed", "failed_low", "failed_high"),
)
_KINDS = {"alarmed": (FIRST, "o-"), "surprised": (FIRST, "o:"), "failed": (LAST, "o-")}  # colour and line
PLAIN = "1"  # the unit of what has none
_ORDERS = (
    "Half alarm before half fail for {}.",
    "Half are surprised before half fail, and do not alarm by then, for {}.",
    "Half fail before either for {}.",
    "Which comes first cannot be told for {}.",
    "None of these comes within what was tried for {}.",
)
_NOWHERE = "not reached"
_ACROSS = 4  # panels in a row of the drawing


@dataclass(frozen=True)
class Probed:
    """A drawing, rows of text in the order of their columns, and a verdict."""

    figure: Figure
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    verdict: str


def read_knobs(folder: Path | None, task: str) -> Probed | None:
    """What a task's table in `folder` says, as `python -m stages.alarm knobs` wrote it; none where there is none."""
    path = folder / f"{task}-knobs.csv" if folder else None
    if path is None or not path.is_file():
        return None
    table = read_table(path, NEEDED)
    if SHOWN not in set(table["knob"]):
        raise UserError(f"{path}: column knob: found no {SHOWN}, allowed: a row of it, from which the others start")
    return Probed(knobs_figure(table), COLUMNS, knob_cells(table), verdict(table))


def halves(table: pd.DataFrame) -> Iterator[tuple[str, str, str, dict[str, Half], float]]:
    """Knob, unit as it follows a number, side, the half-way marks by kind, and the farthest distance tried."""
    shown = records(table[table["knob"] == SHOWN])[0]
    moved = table[table["knob"] != SHOWN]
    for (knob, side), group in moved.groupby(["knob", "side"], sort=False):
        near = group.sort_values("distance")
        distances = [0.0, *near["distance"]]
        episodes = int(shown["episodes"])
        found = {
            kind: half_distance(distances, [round(share * episodes) for share in (shown[kind], *near[kind])], episodes)
            for kind in _KINDS
        }
        unit = str(near["unit"].iloc[0])
        yield str(knob), "" if unit == PLAIN else f" {unit}", str(side), found, distances[-1]


def knob_cells(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """A row of text a knob and side, in the order of COLUMNS."""
    return [
        (knob, side, *(_said(half, unit) for half in found.values()), f"{farthest:.3g}{unit}")
        for knob, unit, side, found, farthest in halves(table)
    ]


def _said(half: Half, unit: str) -> str:
    if isinf(half.distance):
        return f"{_NOWHERE} (from {half.low:.2g}{unit} on possible)" if not isinf(half.low) else _NOWHERE
    high = "\N{INFINITY}" if isinf(half.high) else f"{half.high:.2g}"
    return f"{half.distance:.2g}{unit} ({half.low:.2g}\N{EN DASH}{high})"


def _clause(happens: str, said: str) -> str:
    if said.startswith(_NOWHERE):
        return f"fewer than half {happens}{said.removeprefix(_NOWHERE)}"
    return f"half {happens} at {said}"


def sentences(table: pd.DataFrame) -> list[str]:
    """The same in words, and what comes before half of the episodes fail."""
    lines = [
        f"{knob} {side}: {_clause('alarm', alarm)}, {_clause('are surprised', surprise)}, {_clause('fail', fail)} "
        f"(tried up to {farthest})"
        for knob, side, alarm, surprise, fail, farthest in knob_cells(table)
    ]
    return [*lines, verdict(table)]


def verdict(table: pd.DataFrame) -> str:
    """In which directions half of the episodes alarm, or at least are surprised, before half fail, or fail unseen.

    An order is claimed only where both intervals are apart.
    """
    found: dict[str, list[str]] = {says: [] for says in _ORDERS}
    for knob, _, side, marks, _ in halves(table):
        found[_order(*(marks[kind] for kind in _KINDS))].append(f"{knob} {side}")
    return " ".join(says.format(listing(where)) for says, where in found.items() if where)


def _order(alarm: Half, surprise: Half, fail: Half) -> str:
    early, surprising, late, unsure, neither = _ORDERS
    if all(isinf(half.distance) for half in (alarm, surprise, fail)):
        return neither
    if alarm.high < fail.low:
        return early
    if surprise.high < fail.low:
        return surprising
    return late if fail.high < min(alarm.low, surprise.low) else unsure


def knobs_figure(table: pd.DataFrame) -> Figure:
    """A panel a knob: shares alarmed, surprised and failed over its value."""
    row = records(table)[0]
    panels = []
    for knob in _knobs(table):
        with chart() as drawn:
            _panel(drawn.axes, table, knob)
            panels.append(_picture(drawn, knob, table))
    caption = (
        f"One knob at a time is moved out of the range that was demonstrated (grey), with the policy of round "
        f"{row['round']}: share of episodes that alarm (orange), surprise (dotted) and fail (blue) [%], of "
        f"{plural(int(row['episodes']), 'episode')} at each value, with 95 % Wilson intervals."
    )
    return Figure("How far a world must move before the alarm rises", caption, tuple(panels))


def _picture(drawn: Chart, knob: str, table: pd.DataFrame) -> Picture:
    told = [f"{cells[1]} {', '.join(cells[2:5])}" for cells in knob_cells(table) if cells[0] == knob]
    said = f"Shares alarmed, surprised and failed over {knob}; half alarm, are surprised and fail {listing(told)}."
    return drawn.picture(said)


def knobs_svg(table: pd.DataFrame) -> bytes:
    """All panels in one drawing."""
    knobs = _knobs(table)
    down = -(-len(knobs) // _ACROSS)
    with chart(2.6 * _ACROSS, 2.3 * down) as drawn:
        drawn.axes.remove()
        grid = drawn.figure.subplots(down, _ACROSS, squeeze=False)
        drawn.figure.subplots_adjust(hspace=0.6, wspace=0.35, bottom=0.8 / (2.3 * down))  # room for the legend
        for place, axes in enumerate(grid.flat):
            axes.patch.set_alpha(0)
            if place < len(knobs):
                _panel(axes, table, knobs[place])
            else:
                axes.set_axis_off()
        lines = grid[0, 0].get_lines()[: len(_KINDS)]
        drawn.figure.legend(lines, list(_KINDS), loc="lower right", ncols=len(_KINDS))
        return drawn.picture("Shares alarmed, surprised and failed over each knob.").content


def _knobs(table: pd.DataFrame) -> list[str]:
    return [str(knob) for knob in dict.fromkeys(table["knob"]) if knob != SHOWN]


def _panel(axes: Axes, table: pd.DataFrame, knob: str) -> None:
    shown, mine = table[table["knob"] == SHOWN], table[table["knob"] == knob]
    edges = _edges(mine)
    if edges[0] < edges[1]:
        axes.axvspan(*edges, color=BETWEEN, alpha=0.2, linewidth=0)
    for side, group in mine.groupby("side", sort=False):
        edge = edges[0] if side == "below" else edges[1]
        line = pd.concat([shown.assign(value=edge), group]).sort_values("value")
        for kind, (colour, style) in _KINDS.items():
            low, high = 100 * line[f"{kind}_low"], 100 * line[f"{kind}_high"]
            axes.fill_between(line["value"], low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(line["value"], 100 * line[kind], style, color=colour, markersize=3)
    unit = str(mine["unit"].iloc[0])
    axes.set(title=knob, xlabel=f"[{unit}]", ylabel="episodes [%]", ylim=(-4, 104))
    axes.locator_params(axis="x", nbins=4)


def _edges(mine: pd.DataFrame) -> tuple[float, float]:
    """Both ends of what was demonstrated, as far as the sides that were tried tell."""
    rows: list[dict[str, Any]] = records(mine)
    found = {row["side"]: row["value"] + row["distance"] * (1 if row["side"] == "below" else -1) for row in rows}
    low = found.get("below", found.get("above", 0.0))
    return low, found.get("above", low)
