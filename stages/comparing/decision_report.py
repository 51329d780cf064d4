"""What the gate says of its judgements, for people and for programs."""

from collections.abc import Sequence
from dataclasses import asdict
import json
from typing import Any, NamedTuple

from stages.comparing.coverage import Coverage
from stages.comparing.decision import Judgement
from stages.comparing.levels import sureness
from stages.comparing.pairing import Pairs
from stages.comparing.wording import chance, percent, points
from stages.core.wording import plural

_ORDER = ("failed", "open", "cleared")


class Asked(NamedTuple):
    """What the judgements are about."""

    baseline: str
    margin: float  # smallest worsening that matters, a share
    level: float  # how often to fail where nothing is worse


def outcome(failed: int, coverage: Coverage) -> str:
    """What it comes to; what was not judged has not passed."""
    return "failed" if failed else "passed" if coverage.whole else "nothing failed"


def text(asked: Asked, judgements: list[Judgement], coverage: Coverage) -> str:
    """A line a condition, those that fail first, what was left out, and the outcome."""
    told = [(one.state, _line(one, asked)) for one in judgements]
    return summed_up(told, asked.baseline, coverage, "have too few episodes to tell")


def summed_up(told: Sequence[tuple[str, str]], baseline: str, coverage: Coverage, still_open: str) -> str:
    """The states of conditions and what is told of each as one text; `still_open` is what those are that are open."""
    told = [*told, *(("cleared", _unchanged(one)) for one in coverage.unchanged)]
    lines = [line for _, line in sorted(told, key=lambda one: _ORDER.index(one[0]))]
    lines += [f"not judged: {name}: no episodes in the same worlds on both sides" for name in coverage.missing]
    lines += coverage.lines
    failed, unsure = (sum(found == state for found, _ in told) for state in ("failed", "open"))
    counted = f"{failed} of {len(told)} conditions are worse than {baseline}"
    rest = f"; {unsure} {still_open}" if unsure else ""
    return "\n".join([*lines, f"gate: {outcome(failed, coverage)}: {counted}{rest}"])


def _unchanged(one: Pairs) -> str:
    same = f"the same policy did the same in {plural(len(one), 'episode')}, to the last bit"
    return f"cleared: {one.task} {one.condition}: {percent(float(one.after.mean()))}; {same}"


def _line(one: Judgement, asked: Asked) -> str:
    name = f"{one.state}: {one.task} {one.condition}"
    moved = f"{percent(one.success_baseline)} -> {percent(one.success)} of {plural(one.pairs, 'episode')}"
    sure = sureness(asked.level)
    if one.state == "failed":
        evidence = f"{one.lost:,} lost, {one.gained:,} gained, adjusted p {chance(one.p_adjusted)}"
        return f"{name}: worse, {moved} ({evidence}; as much as {points(-one.low)} points are possible, {sure})"
    loss = f"a loss of more than {points(-one.low)} points" if one.low < 0 else "any loss"
    ruled = f"{loss} is ruled out ({sure})"
    if one.state == "cleared":
        return f"{name}: {moved}; {ruled}"
    return f"{name}: {moved}; too few episodes for {points(asked.margin)} points, only {ruled}"


def document(asked: Asked, judgements: list[Judgement], coverage: Coverage) -> str:
    """The same as JSON: equal inputs give equal bytes."""
    content: dict[str, Any] = {
        "baseline": asked.baseline,
        "margin": asked.margin,
        "level": asked.level,
        "failed": any(one.state == "failed" for one in judgements),
        "conditions": [asdict(one) for one in judgements],
        **coverage.document(),
    }
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
