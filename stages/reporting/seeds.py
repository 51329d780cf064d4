"""What several training seeds gave, as a table, a chart and a part of the page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from stages.core.errors import UserError, quoted
from stages.reporting.drawing import MUTED, chart, round_colour
from stages.reporting.inputs import read_table, records
from stages.reporting.picture import Figure, Picture
from stages.reporting.wording import interval, percent

COLUMNS = (
    *("task", "round", "condition", "seeds", "episodes", "mean", "low", "high", "seed_sd", "episode_sd"),
    *("bootstrap_low", "bootstrap_high", "by_seed"),
)
HEADINGS = (
    "task",
    "round",
    "condition",
    "seeds",
    "episodes",
    "success",
    "95 % interval",
    "sd of seeds",
    "sd of episodes",
)
QUESTION = (
    "How much of a result is the luck of the training seed? Every seed has demonstrations, practice and corrections of "
    "its own, and all are judged in the same worlds. sd of seeds: of success from seed to seed, were each judged in "
    "all worlds; sd of episodes: of one seed's success, from one draw of as many worlds to the next; both in points."
)


def csv(rows: Sequence[Mapping[str, object]]) -> str:
    """One line a task, round and condition."""
    return pd.DataFrame(rows)[list(COLUMNS)].to_csv(index=False, lineterminator="\n", float_format="%.6g")


def read_seeds(path: Path) -> pd.DataFrame:
    """The table that `csv` made; UserError where it is not one."""
    table = read_table(path, COLUMNS)
    for cell in table["by_seed"]:
        try:
            _shares(cell)
        except ValueError:
            raise UserError(f"{path}: column by_seed: found {quoted(cell)}, allowed: such as 0.5;1") from None
    return table


def seeds_cells(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """The rows as text, in the order of HEADINGS."""
    return [
        (
            *(row["task"], str(row["round"]), row["condition"], str(row["seeds"]), f"{row['episodes']:,}"),
            *(percent(row["mean"]), interval(row["low"], row["high"])),
            *(f"{100 * row[name]:.1f}" for name in ("seed_sd", "episode_sd")),
        )
        for row in records(table)
    ]


def seeds_figure(table: pd.DataFrame) -> Figure:
    """Success by round: a dot a seed and the interval of their mean, a panel a task and condition."""
    groups = [group for _, group in table.groupby(["task", "condition"], sort=False)]
    caption = (
        "Success [%] by round: each training seed a grey dot, the mean of all with its 95 % interval, which reckons "
        "with other seeds and other episodes. Where every seed comes to the same in every round, the table says it."
    )
    return Figure("Seed by seed", caption, tuple(map(_panel, list(filter(_differs, groups)) or groups)))


def _differs(rows: pd.DataFrame) -> bool:
    """Whether there is a seed or a round that came to something else."""
    return len({share for cell in rows["by_seed"] for share in _shares(cell)}) > 1


def seeds_svg(table: pd.DataFrame) -> bytes:
    """The last round in one chart: a line a task and condition."""
    last = table[table["round"] == table.groupby("task")["round"].transform("max")].iloc[::-1]
    with chart(5.6, 0.9 + 0.32 * len(last)) as drawn:
        axes, names = drawn.axes, [f"{row['task']} {row['condition']}" for row in records(last)]
        for place, row in enumerate(records(last)):
            axes.hlines(place, 100 * row["low"], 100 * row["high"], color="#0072B2", linewidth=2.5)
            axes.plot([100 * row["mean"]], [place], "o", color="#0072B2")
            shares = _shares(row["by_seed"])
            axes.plot(shares, [place + 0.2] * len(shares), ".", color=MUTED, alpha=0.7)
        axes.set(title=f"Last round, {last['seeds'].max()} training seeds", xlabel="success [%]")
        axes.set_yticks(range(len(names)), names)
        drawn.figure.subplots_adjust(left=0.32)
        return drawn.picture("Success of each training seed in the last round, and the mean with its interval.").content


def _panel(rows: pd.DataFrame) -> Picture:
    rounds, name = rows["round"].tolist(), f"{rows['task'].iloc[0]} {rows['condition'].iloc[0]}"
    with chart() as drawn:
        axes = drawn.axes
        for row in records(rows):
            shares, colour = _shares(row["by_seed"]), round_colour(row["round"], rounds)
            axes.plot([row["round"] + 0.15] * len(shares), shares, ".", color=MUTED, alpha=0.7)
            axes.vlines(row["round"], 100 * row["low"], 100 * row["high"], color=colour, linewidth=2.5)
            axes.plot([row["round"]], [100 * row["mean"]], "o", color=colour)
        axes.set(title=name, xlabel="round", ylabel="success [%]", ylim=(-4, 104), xticks=rounds)
        told = ", ".join(f"round {row['round']} {percent(row['mean'])}" for row in records(rows))
        return drawn.picture(f"Success by round and seed, {name}: {told}.")


def _shares(cell: object) -> list[float]:
    """The success of each seed [%]."""
    return [100 * float(share) for share in str(cell).split(";")]
