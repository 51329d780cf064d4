"""Further worlds are run until each condition is settled."""

from pathlib import Path

import numpy as np

from stages.comparing.further import Contest
from stages.comparing.pairing import Pairs
from stages.comparing.sequential import settle
from stages.comparing.trial import Rule, run_trials
from stages.core.settings import Settings


def test_the_level_is_shared_out_over_all_conditions(settings: Settings, tmp_path: Path) -> None:
    contest = Contest("distance", settings, tmp_path, (tmp_path, tmp_path))
    rule, worlds = Rule(0.05, 0.01, 0.05), contest.worlds(200)
    lost = next(count for count in range(1, 200) if settle([-1] * count, 0.05, 0.01, 0.05).state == "failed")
    assert settle([-1] * lost, 0.05, 0.01 / 2, 0.05).state == "open"

    def pairs(condition: str) -> Pairs:
        plans = worlds[condition][:lost]
        given = {knob: np.array([plan.world[knob] for plan in plans]) for knob in plans[0].world}
        no, seeds = np.zeros(lost, dtype=bool), np.array([plan.seed for plan in plans])
        return Pairs("distance", condition, ~no, no, seeds=seeds, worlds=given)

    for conditions, state in ((["region"], "failed"), (["region", "beyond"], "open")):
        answers = run_trials([pairs(one) for one in conditions], {"distance": contest}, rule, 200, lambda: True)
        assert {one.state for one in answers} == {state}


def test_what_is_lost_and_gained_is_counted_as_far_as_it_was_read(settings: Settings, tmp_path: Path) -> None:
    contest = Contest("distance", settings, tmp_path, (tmp_path, tmp_path))
    plans = contest.worlds(200)["region"]
    given = {knob: np.array([plan.world[knob] for plan in plans]) for knob in plans[0].world}
    first = np.arange(200) < 100
    seeds = np.array([plan.seed for plan in plans])
    pairs = Pairs("distance", "region", first, ~first, seeds=seeds, worlds=given)  # lost at first, gained later
    (answer,) = run_trials([pairs], {"distance": contest}, Rule(0.05, 0.01, 0.05), 200, lambda: True)
    assert (answer.state, answer.gained) == ("failed", 0)
    assert answer.lost == answer.pairs < 100
