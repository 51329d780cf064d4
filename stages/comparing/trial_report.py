"""What a sequential gate found, as a reader wants it and as a program does."""

from collections.abc import Sequence
from dataclasses import asdict
import json
from typing import Any

from stages.comparing.coverage import Coverage
from stages.comparing.decision_report import summed_up
from stages.comparing.trial import Answer, Rule
from stages.comparing.wording import chance, points
from stages.core.wording import plural


def text(baseline: str, answers: Sequence[Answer], rule: Rule, coverage: Coverage) -> str:
    """A line a condition, those that fail first, what was left out, and the outcome."""
    told = [(one.state, _line(one, rule, len(answers))) for one in answers]
    return summed_up(told, baseline, coverage, "not settled yet")


def _line(one: Answer, rule: Rule, conditions: int) -> str:
    name = f"{one.state}: {one.task} {one.condition}"
    further = max(one.pairs - one.recorded, 0)
    read = f"{plural(one.pairs, 'pair')}, {further:,} of them run for it: {one.lost:,} lost, {one.gained:,} gained"
    worse, cleared = chance(min(1.0, conditions / one.worse)), chance(min(1.0, 1 / one.cleared))
    if one.state == "failed":
        return f"{name}: worse ({read}; anytime p {worse}, adjusted)"
    if one.state == "cleared":
        return f"{name}: not worse by {points(rule.margin)} points ({read}; anytime p {cleared})"
    return f"{name}: not settled ({read}; anytime p of not worse {worse}, of worse by {points(rule.margin)} {cleared})"


def document(baseline: str, answers: Sequence[Answer], rule: Rule, coverage: Coverage) -> str:
    """The same as JSON: equal answers give equal bytes."""
    content: dict[str, Any] = {
        "baseline": baseline,
        **asdict(rule),
        "failed": any(one.state == "failed" for one in answers),
        "conditions": [asdict(one) for one in answers],
        **coverage.document(),
    }
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
