"""What changed from round to round, world by world: the comparisons of `compare`, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stages.comparing.comparison import Comparison, compare
from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.pairing import pair
from stages.core.wording import plural
from stages.reporting.wording import listing, percent

LEVEL = 0.05
_FEWEST = 6  # pairs: fewer could not tell a difference at this level, were they all discordant

HOW = (
    "Each condition is compared world by world, as `python -m stages.compare` does. Better and worse are proven at "
    "5 %, adjusted for all conditions that are compared at once (exact McNemar test; Holm's adjustment, without those "
    "in which too few worlds changed to prove anything, after Tarone); in brackets the difference in points with its "
    "95 % interval (Tango), which is not adjusted: by itself it may leave out 0 where nothing is proven."
)


@dataclass(frozen=True)
class Change:
    """One task from one round to another: what is known of each condition that has pairs."""

    rounds: tuple[int, int]
    conditions: tuple[Comparison, ...]

    def of(self, verdict: str) -> list[Comparison]:
        """The conditions of that verdict, those that have pairs enough for one."""
        return [one for one in self.conditions if one.pairs >= _FEWEST and one.verdict == verdict]

    @property
    def few(self) -> list[Comparison]:
        """The conditions with too few pairs to tell anything."""
        return [one for one in self.conditions if one.pairs < _FEWEST]


@dataclass(frozen=True)
class Changes:
    """A task from its first round to its last, and from each to the next; none where there is one round."""

    whole: Change | None
    steps: tuple[Change, ...]


def read_changes(data: Path, rounds: Mapping[str, Sequence[int]]) -> dict[str, Changes]:
    """The changes of every task; `rounds`: its rounds, in their order.

    All tasks' conditions are adjusted for together, as `compare round_0 round_3` does.
    """
    evaluations = {
        (task, number): read_evaluation(data / task / f"round_{number}" / "evaluation")
        for task, numbers in rounds.items()
        for number in numbers
    }
    found = {task: [(numbers[0], numbers[-1]), *pairwise(numbers)] for task, numbers in rounds.items()}
    wanted = dict.fromkeys(ends for some in found.values() for ends in some)
    known = {ends: _compare(evaluations, ends, list(rounds)) for ends in wanted}
    return {task: _changes(task, ends, known) for task, ends in found.items()}


def _compare(
    evaluations: Mapping[tuple[str, int], Evaluation], ends: tuple[int, int], tasks: list[str]
) -> list[Comparison]:
    first, last = ends
    held = [task for task in tasks if (task, first) in evaluations and (task, last) in evaluations]
    return compare([one for task in held for one in pair(evaluations[task, first], evaluations[task, last])], LEVEL)


def _changes(task: str, ends: Sequence[tuple[int, int]], known: Mapping[tuple[int, int], list[Comparison]]) -> Changes:
    whole, *steps = [Change(one, tuple(found for found in known[one] if found.task == task)) for one in ends]
    return Changes(whole if steps else None, tuple(steps))


def total(changes: Mapping[str, Changes]) -> str:
    """All tasks in one sentence, from the first round to the last."""
    wholes = [one.whole for one in changes.values() if one.whole]
    if not wholes:
        return "There is one round alone: nothing to compare."
    counts = [sum(len(one.of(verdict)) for one in wholes) for verdict in ("better", "worse", "no evidence")]
    better, worse, none = counts
    few = sum(len(one.few) for one in wholes)
    every = plural(sum(len(one.conditions) for one in wholes), "condition")
    told = [f"no evidence of a change in {none}"] + ([f"too few worlds to tell in {few}"] if few else [])
    return f"From the first round to the last: of {every} {better} better, {worse} worse; {', '.join(told)}."


def verdict(changes: Changes) -> str:
    """A task from its first round to its last: what got better, what worse, and what nothing is known of."""
    if changes.whole is None:
        return "There is one round alone: nothing to compare."
    whole = changes.whole
    parts = [
        f"{word} in {listing([_moved(one) for one in whole.of(word)])}"
        for word in ("better", "worse")
        if whole.of(word)
    ]
    for told, some in (("not enough", True), ("no", False)):
        where = [f"{one.condition} ({_span(one)})" for one in whole.of("no evidence") if _leaves_out_0(one) is some]
        parts += [f"{told} evidence of a change in {listing(where)}"] if where else []
    few = [f"{one.condition} ({one.pairs})" for one in whole.few]
    parts += [f"too few worlds that differ to tell in {listing(few)}"] if few else []
    return f"Round {whole.rounds[0]} to {whole.rounds[1]}: {'; '.join(parts)}."


def proven(changes: Changes) -> dict[str, str]:
    """The conditions that got better or worse from the first round to the last, and which of it."""
    whole = changes.whole
    return {one.condition: word for word in ("better", "worse") for one in (whole.of(word) if whole else ())}


def step_by_step(changes: Changes) -> str:
    """The same task from each round to the next; nothing where that is all there is, or too little to tell."""
    if len(changes.steps) < 2 or all(len(one.few) == len(one.conditions) for one in changes.steps):
        return ""
    return f"Step by step: {'; '.join(_step(one) for one in changes.steps)}."


def _step(change: Change) -> str:
    moved = [
        f"{word} in {listing([f'{one.condition} ({_span(one)})' for one in change.of(word)])}"
        for word in ("better", "worse")
        if change.of(word)
    ]
    return f"{change.rounds[0]} to {change.rounds[1]} {' and '.join(moved) or 'no evidence of a change'}"


def _moved(one: Comparison) -> str:
    return f"{one.condition} ({percent(one.success_a)} to {percent(one.success_b)}: {_span(one)})"


def _leaves_out_0(one: Comparison) -> bool:
    return one.low > 0 or one.high < 0


def _span(one: Comparison) -> str:
    """A difference in points and its interval: `+16, 5 to 29`."""
    low, high = (_points(value) for value in (one.low, one.high))
    return f"{'+' if one.difference > 0 else ''}{_points(one.difference)}, {low} to {high}"


def _points(difference: float) -> str:
    rounded = f"{100 * difference:.0f}"
    return "0" if rounded == "-0" else rounded.replace("-", "\N{MINUS SIGN}")
