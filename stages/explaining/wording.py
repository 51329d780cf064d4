"""An explanation as a reader wants it, and as a program does."""

from collections.abc import Sequence
import json
from typing import Any

import numpy as np

from stages.core.layout import aligned
from stages.core.task import Channel, Floats
from stages.explaining.votes import Explanation, Voter

_HEADER = ("source", "round", "episode", "frame", "practised in", "distance", "weight")


def text(told: Explanation, place: str, actions: Sequence[Channel], period: float, neighbors: int) -> str:
    """Where it was, how new it was, and a table of the nearest `neighbors` rows and what they proposed."""
    moment = told.moment
    parts = [
        f"{place}, episode {moment.episode} (condition {moment.condition}): "
        f"{moment.outcome} after {moment.steps} steps, {moment.steps * period:.3g} s",
        f"step {moment.step} of 0 to {moment.steps - 1}, at {moment.time:.3g} s: {_novelty(told)}{_surprise(told)}",
        _rule(told),
        "",
        *_table(told, actions, neighbors),
    ]
    if len(told.voters) > neighbors:
        parts.append(f"(the nearest {neighbors} of {len(told.voters)} rows)")
    return "\n".join(parts)


def _novelty(told: Explanation) -> str:
    side = "above: alarm" if told.shift else "not above: no alarm"
    return f"novelty {told.novelty:.4g}, threshold {told.threshold:.4g} ({side})"


def _surprise(told: Explanation) -> str:
    found, threshold = told.moment.surprise, told.surprise_threshold
    if found is None or threshold is None:
        return ""
    return f"; surprise {found:.4g}, threshold {threshold:.4g} ({'above' if found > threshold else 'not above'})"


def _cut(told: Explanation) -> bool:
    """Whether the answer is not the rows' mean itself."""
    return told.mean is not None and not np.array_equal(told.mean, told.answer)


def _rule(told: Explanation) -> str:
    """How the answer comes about."""
    if told.mean is None:
        return f"A policy of kind {told.kind} is not made of rows: they do not vote. The nearest it was trained on:"
    count = len(told.voters)
    of = f"the mean, by weight, of the actions of the {count} nearest rows" if count > 1 else "that of the nearest row"
    cut = ", cut to their range" if _cut(told) else ""
    against = any((voter.weight or 0) < 0 for voter in told.voters)
    more = " A row of negative weight moves the answer away from its own action." if against else ""
    return f"{told.kind}: the answer is {of}{cut}.{more}"


def _table(told: Explanation, actions: Sequence[Channel], neighbors: int) -> list[str]:
    header = (*_HEADER, *(f"{channel.name} [{channel.unit}]" for channel in actions))
    rows = [_cells(voter) for voter in told.voters[:neighbors]]
    blank = ("",) * (len(_HEADER) - 1)
    if told.mean is not None and _cut(told):
        rows.append(("mean", *blank, *_numbers(told.mean)))
    rows.append(("policy's answer", *blank, *_numbers(told.answer)))
    if not np.array_equal(told.moment.action, told.answer):
        rows.append(("done instead", *blank, *_numbers(told.moment.action)))
    return aligned([header, *rows], words=[0])


def _cells(voter: Voter) -> tuple[str, ...]:
    practised = "" if voter.practice_episode is None else str(voter.practice_episode)
    weight = "" if voter.weight is None else f"{voter.weight:.3f}"
    where = (voter.source, str(voter.round), str(voter.episode), str(voter.frame), practised)
    return (*where, f"{voter.distance:.4g}", weight, *_numbers(voter.action))


def _numbers(action: Floats) -> tuple[str, ...]:
    return tuple(f"{value:.4g}" for value in action.tolist())


def document(told: Explanation, place: str, actions: Sequence[Channel], neighbors: int) -> str:
    """The same as JSON, with all digits: equal inputs give equal bytes."""
    moment = told.moment
    content: dict[str, Any] = {
        "of": place,
        "episode": {"index": moment.episode, "condition": moment.condition, "outcome": moment.outcome},
        "step": {"index": moment.step, "of": moment.steps, "timestamp": moment.time},
        "policy": told.kind,
        "novelty": told.novelty,
        "threshold": told.threshold,
        "shift": told.shift,
        "surprise": moment.surprise,
        "surprise_threshold": told.surprise_threshold,
        "action_channels": [{"name": channel.name, "unit": channel.unit} for channel in actions],
        "answer": told.answer.tolist(),
        "mean": None if told.mean is None else told.mean.tolist(),
        "done": moment.action.tolist(),
        "rows": [{**vars(voter), "action": voter.action.tolist()} for voter in told.voters[:neighbors]],
    }
    return json.dumps(content, indent=2, allow_nan=False)
