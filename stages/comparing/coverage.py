"""What of a baseline the pairs cover: a world of it that has no partner was not judged, and must not pass unseen."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.comparing.pairing import Pairs
from stages.comparing.sources import Side, lone_tasks
from stages.comparing.wording import left_out, task_left_out
from stages.core.errors import UserError


@dataclass(frozen=True)
class Part:
    """A condition of which something was left out."""

    task: str
    condition: str
    differing: int  # seeds of both sides whose worlds differ
    alone: int  # episodes of one side whose seed the other side lacks
    copies: int  # pairs that repeat another one
    worlds: int  # that the baseline ran in
    lacking: int  # of these without a partner


@dataclass(frozen=True)
class Coverage:
    """What was left out, and what of it the baseline has."""

    missing: Sequence[str]  # tasks and conditions that the baseline has and no pair
    short: Sequence[Part]  # conditions that have pairs, but not for all worlds of the baseline
    parts: Sequence[Part]  # of which anything was left out
    tasks: Sequence[str]  # that one side lacks
    lines: Sequence[str]  # that tell of both
    unchanged: Sequence[Pairs] = ()  # conditions in which the same policy did the same: there is nothing to judge

    @property
    def whole(self) -> bool:
        """Whether all that the baseline has was judged."""
        return not self.missing and not self.short

    def but(self, settled: Sequence[tuple[str, str]]) -> "Coverage":
        """Without the conditions that are settled already: a sequential test needs no more of their worlds."""
        return replace(self, short=[one for one in self.short if (one.task, one.condition) not in settled])

    def document(self) -> dict[str, object]:
        """The same as plain data."""
        parts = [asdict(one) for one in self.parts]
        left_out = {"missing": list(self.missing), "left_out": parts, "tasks_left_out": list(self.tasks)}
        return {**left_out, "unchanged": [f"{one.task} {one.condition}" for one in self.unchanged]}

    def complaints(self, baseline: str) -> list[str]:
        """A line for what is missing, and one for what is short."""
        told = []
        if self.missing:
            told.append(f"not in the same worlds on both sides: {', '.join(self.missing)} (see --allow-missing)")
        if self.short:
            lacking, worlds = (sum(getattr(one, name) for one in self.short) for name in ("lacking", "worlds"))
            told.append(
                f"{baseline}: found no partner for {lacking:,} of {worlds:,} worlds of {_named(self.short)}, "
                "allowed: one for each (evaluate as many episodes, in the same worlds, or see --allow-missing)"
            )
        return told


def cover(baseline: Side, now: Side, paired: Sequence[Pairs]) -> Coverage:
    """What the pairs of both sides cover."""
    parts = [_part(baseline, one) for one in paired]
    unjudged = [part for part, one in zip(parts, paired, strict=True) if part.worlds and not len(one)]
    gone = [task for task in baseline.evaluations if task not in now.evaluations]
    return Coverage(
        missing=[*gone, *(f"{one.task} {one.condition}" for one in unjudged)],
        short=[one for one in parts if one.lacking and one not in unjudged],
        parts=[one for one in parts if one.differing or one.alone or one.copies],
        tasks=lone_tasks(baseline, now),
        lines=[
            *(line for one in paired for line in left_out(one)),
            *(task_left_out(task) for task in lone_tasks(baseline, now) if task not in gone),
        ],
    )


def unchanged(baseline: Side, now: Side, paired: Sequence[Pairs]) -> list[Pairs]:
    """Of tasks with the same policy on both sides the conditions in which it did the same in every world."""
    alike = [one for one in paired if one.alike and len(one)]
    same = {task: _same_policy(baseline, now, task) for task in dict.fromkeys(one.task for one in alike)}
    return [one for one in alike if same[one.task]]


def _same_policy(baseline: Side, now: Side, task: str) -> bool:
    """Whether that is known of the task's policies, byte for byte."""
    with TemporaryDirectory() as scratch, suppress(UserError, OSError):
        before = baseline.policy(task, Path(scratch)).read_bytes()
        return before == now.policy(task, Path(scratch)).read_bytes()
    return False


def _part(baseline: Side, pairs: Pairs) -> Part:
    worlds = baseline.evaluations[pairs.task].conditions.count(pairs.condition)
    lacking = worlds - len(pairs) - pairs.copies
    left = (pairs.differing, pairs.alone, pairs.copies)
    return Part(pairs.task, pairs.condition, *left, worlds=worlds, lacking=lacking)


def _named(parts: Sequence[Part]) -> str:
    """`distance near, far and kuka_reach shown`."""
    named: dict[str, list[str]] = {}
    for one in parts:
        named.setdefault(one.task, []).append(one.condition)
    return " and ".join(f"{task} {', '.join(conditions)}" for task, conditions in named.items())
