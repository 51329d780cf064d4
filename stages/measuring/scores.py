"""How well each score tells what one wants to know before it shows: failure to come, and worlds that were not shown."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pandas as pd

from stages.core.episode import Bools
from stages.core.schemas import SCORES
from stages.core.task import Floats
from stages.measuring.alarm import ALL, columns_of, named
from stages.measuring.auroc import UNKNOWN, advantage, auroc_within

START = 1.0  # [s] of an episode that count as its start; the first step always does
FAILURE, WITHIN, EARLY, OUTSIDE, SEEN, FELT = TOLD = (
    *("failure", "failure, within a condition", "failure, from the start"),
    *("outside", "outside, to be seen", "outside, from the start"),
)


def score_rows(
    steps: pd.DataFrame, episodes: pd.DataFrame, period: float, outside: Bools | None, visible: Bools | None
) -> pd.DataFrame:
    """How well each score tells episodes apart: a row a condition (and all together), question and score.

    - failure: by an episode's largest score, against all successes
    - failure, within a condition: the same against those of its own condition, as to know the conditions that fail more
      is not yet to tell failures
    - failure, from the start: by the largest score of its first second
    - outside, from the start: worlds outside of what was demonstrated (E,), by the largest score of the first second
    - outside: the same by the score of the first observation
    - outside, to be seen: of these, by the same score, worlds that are `visible` then (E,), against those not outside

    What lacks episodes of either kind has no row; `outside` and `visible` are None where they are not known.

    Columns: condition, told, score, members (episodes to be told) and others; auroc with its 95 % interval; advantage
    over plain novelty with its own, empty for novelty itself.
    """
    largest, start, first = (_by_episode(part, episodes) for part in _parts(steps, period))
    failed = (episodes["outcome"] != "success").to_numpy()
    every = np.ones(len(episodes), dtype=bool)
    conditions, together = episodes["condition"].to_numpy(), np.full(len(episodes), ALL)
    questions = {
        FAILURE: (largest, failed, every, together),
        WITHIN: (largest, failed, every, conditions),
        EARLY: (start, failed, every, together),
    }
    if outside is not None and visible is not None:
        questions |= {
            OUTSIDE: (first, outside, every, together),
            SEEN: (first, visible, visible | ~outside, together),
            FELT: (start, outside, every, together),
        }
    rows: list[dict[str, str | float]] = []
    for condition in [*dict.fromkeys(conditions), ALL]:
        here = every if condition == ALL else conditions == condition
        for told, (scores, members, counted, groups) in questions.items():
            if told == WITHIN and condition != ALL:
                continue  # one condition is within itself
            chosen = here & counted
            found = _rows(scores[chosen], members[chosen], groups[chosen])
            rows.extend({"condition": str(condition), "told": told, **row} for row in found)
    columns = ["condition", "told", "score", "members", "others", *columns_of("auroc"), *columns_of("advantage")]
    return pd.DataFrame(rows, columns=columns)


def novelty_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """The same of plain novelty alone, side by side: auroc, outside_auroc, visible_auroc, outside.

    A row a condition for which any of them is known; `outside` counts the worlds outside.
    """
    novelty = rows[rows["score"] == "novelty"].set_index("condition")
    parts = []
    for told, prefix in {FAILURE: "", OUTSIDE: "outside_", SEEN: "visible_"}.items():
        mine = novelty[novelty["told"] == told]
        parts.append(mine[columns_of("auroc")].add_prefix(prefix))
        if prefix == "outside_":
            parts.append(mine[["members"]].set_axis(["outside"], axis=1))
    return pd.concat(parts, axis=1)


def _parts(steps: pd.DataFrame, period: float) -> Iterator[pd.DataFrame]:
    """All steps, those of the start, and first steps."""
    yield steps
    yield steps[(steps["frame_index"] == 0) | (steps["frame_index"] * period < START)]
    yield steps[steps["frame_index"] == 0]


def _by_episode(steps: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """The largest scores of each episode, in the episodes' order."""
    largest = steps.groupby("episode_index")[list(SCORES)].max()
    return largest.loc[episodes["episode_index"]].reset_index(drop=True)


def _rows(scores: pd.DataFrame, members: Bools, groups: NDArray[Any]) -> Iterator[dict[str, str | float]]:
    """One a score: how well it tells members (E,) from the others of their group (E,), where a group has both kinds."""
    both = [group for group in dict.fromkeys(groups) if 0 < members[groups == group].mean() < 1]
    if not both:
        return
    counted = np.isin(groups, both)
    scores, members, groups = scores[counted], members[counted], groups[counted]
    count = {"members": int(members.sum()), "others": int((~members).sum())}
    novelty: Floats = scores["novelty"].to_numpy(float)
    for name in SCORES:
        values: Floats = scores[name].to_numpy(float)
        if np.isnan(values).all() or (name != "novelty" and _constant(values)):
            continue
        values = np.nan_to_num(values)  # an episode in which nothing was to be expected holds no surprise
        found, more = auroc_within(values, members, groups), UNKNOWN
        if name != "novelty" and len(both) == 1:
            more = advantage(values, novelty, members)
        elif name != "novelty":
            more = UNKNOWN._replace(area=found.area - auroc_within(novelty, members, groups).area)
        yield {"score": name, **count, **named("auroc", found), **named("advantage", more)}


def _constant(values: Floats) -> bool:
    """Whether it cannot tell anything apart: one neighbour alone disagrees with nobody."""
    return bool(np.nanmin(values) == np.nanmax(values))
