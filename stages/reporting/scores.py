"""The scores of novelty side by side: which tells failure to come, and which worlds that were not shown."""

import pandas as pd

from stages.core.schemas import SCORES
from stages.core.wording import plural
from stages.measuring.scores import TOLD
from stages.reporting.inputs import records
from stages.reporting.wording import listing

SCORED = ("round", "score", *TOLD)
_ASKED = dict(
    zip(
        TOLD,
        (
            *("failure", "failure within a condition", "failure from the start"),
            *("worlds outside", "worlds outside that are visible at the start", "worlds outside from the start"),
        ),
        strict=True,
    )
)


def score_cells(scores: pd.DataFrame) -> list[tuple[str, ...]]:
    """A row a score in the first round and in the last: area under the ROC curve, and how much more than novelty's."""
    found = {(row["round"], row["score"], row["told"]): row for row in records(scores)}
    rounds = sorted(set(scores["round"]))
    wanted = [(number, score) for number in dict.fromkeys([*rounds[:1], *rounds[-1:]]) for score in SCORES]
    return [
        (str(number), score, *(_cell(found.get((number, score, told))) for told in TOLD))
        for number, score in wanted
        if any((number, score, told) in found for told in TOLD)
    ]


def _cell(row: dict[str, float] | None) -> str:
    if row is None:
        return "\N{EN DASH}"
    area = f"{row['auroc']:.3f} ({row['auroc_low']:.3f}\N{EN DASH}{row['auroc_high']:.3f})"
    return area if pd.isna(row["advantage_low"]) else f"{area}, {_more(row)}"


def _more(row: dict[str, float]) -> str:
    return f"{row['advantage']:+.3f} ({row['advantage_low']:+.3f} to {row['advantage_high']:+.3f})"


def score_verdict(scores: pd.DataFrame) -> str:
    """Where another score tells more or less than novelty in the first round: by 95 % intervals that rule out 0."""
    first = scores[scores["round"] == scores["round"].min()]
    parts = []
    for score in SCORES[1:]:
        mine = first[(first["score"] == score) & first["advantage_low"].notna()]
        better = mine["told"][mine["advantage_low"] > 0].tolist()
        worse = mine["told"][mine["advantage_high"] < 0].tolist()
        for which, word in ((better, "better"), (worse, "worse")):
            if which:
                parts.append(f"{score} tells {listing([_ASKED[told] for told in which])} {word} than novelty does")
    if not parts:
        return ""
    looks = f"each of {plural(int(first['advantage_low'].notna().sum()), 'interval')} by itself"
    return f"In round {scores['round'].min()}, {'; '.join(parts)} ({looks})."
