"""Batch after batch, until every condition is settled, there are no more worlds, or time is up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.comparing.further import Contest
from stages.comparing.pairing import Pairs, without_copies
from stages.comparing.planned import planned_worlds
from stages.comparing.sequential import Settled, settle
from stages.core.episode import Ints, Plan


@dataclass(frozen=True)
class Rule:
    """When a condition is settled."""

    margin: float  # smallest worsening that matters, a share
    level: float  # how often one of all conditions may fail where none is worse
    miss: float  # how often a condition may be cleared that is worse by the margin


@dataclass(frozen=True)
class Answer:
    """What was settled about one condition, from pairs that were recorded and pairs that were run for it."""

    task: str
    condition: str
    state: str  # failed, cleared, open
    pairs: int  # that were read until it was settled
    recorded: int
    lost: int  # of those read
    gained: int
    worse: float  # wealth of the bet on "worse"; from conditions / level on it is believed
    cleared: float  # wealth of the bet on "not worse by the margin"; from 1 / miss on it is believed


def run_trials(
    paired: Sequence[Pairs], contests: Mapping[str, Contest], rule: Rule, most: int, time_is_up: Callable[[], bool]
) -> list[Answer]:
    """The answers for all conditions that have pairs; at most `most` worlds of each are run.

    Recorded pairs are read first. `level` is shared out evenly (Bonferroni): whichever condition is settled when, one
    of those that are not worse fails with at most that probability. UserError where recorded pairs ran in other worlds
    than are planned now.
    """
    some = [one for one in paired if len(one)]
    trials = [_Trial(one, plans) for one, plans in zip(some, planned_worlds(some, contests, most), strict=True)]
    share = rule.level / max(len(trials), 1)
    while not time_is_up():
        going = [trial for trial in trials if trial.waiting and trial.settled(rule, share).state == "open"]
        if not going:
            break
        for task in dict.fromkeys(trial.pairs.task for trial in going):
            if not time_is_up():
                _run_batch(contests[task], [trial for trial in going if trial.pairs.task == task])
    return [trial.answer(rule, share) for trial in trials]


class _Trial:
    """One condition under way."""

    def __init__(self, pairs: Pairs, worlds: Sequence[Plan]) -> None:
        self.pairs, self.waiting = pairs, _further(pairs, worlds)
        self.outcomes: Ints = pairs.after.astype(np.int64) - pairs.before.astype(np.int64)

    def settled(self, rule: Rule, share: float) -> Settled:
        return settle(self.outcomes, rule.margin, share, rule.miss)

    def answer(self, rule: Rule, share: float) -> Answer:
        found = self.settled(rule, share)
        read = self.outcomes[: found.pairs]
        counts = (int((read == -1).sum()), int((read == 1).sum()))
        where = (self.pairs.task, self.pairs.condition)
        return Answer(*where, found.state, found.pairs, len(self.pairs), *counts, found.worse, found.cleared)


def _further(pairs: Pairs, plans: Sequence[Plan]) -> list[Plan]:
    """Those of the plans that would tell more: no recorded pair, no copy of one, no copy of each other.

    Of plans without noise that differ by the seed alone one is kept, even where a task drew more from the seed.
    """
    recorded = set(pairs.seeds.tolist())
    others = [plan for plan in plans if plan.seed not in recorded]
    if not others:
        return []
    worlds = {
        knob: np.concatenate([known, [plan.world[knob] for plan in others]]) for knob, known in pairs.worlds.items()
    }
    kept = without_copies(worlds, np.empty((len(pairs) + len(others), 0))) - len(pairs)
    return [others[place] for place in kept.tolist() if place >= 0]


def _run_batch(contest: Contest, trials: Sequence[_Trial]) -> None:
    """Run the next worlds of some conditions of a task together; how many decides no answer, only when one looks."""
    batches = [trial.waiting[: contest.batch] for trial in trials]
    outcomes = contest.outcomes([plan for batch in batches for plan in batch])
    start = 0
    for trial, batch in zip(trials, batches, strict=True):
        trial.outcomes = np.concatenate([trial.outcomes, outcomes[start : start + len(batch)]])
        trial.waiting = trial.waiting[len(batch) :]
        start += len(batch)
