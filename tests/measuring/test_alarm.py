"""What is said of the alarm are counts of the episodes that were recorded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from sklearn.metrics import balanced_accuracy_score

from stages.core import tables
from stages.core.streams import stream
from stages.measuring.alarm import ALL, alarm_rows, balanced_accuracy, median
from stages.measuring.outside import outside
from stages.tasks import TASKS

PERIOD = 0.25  # [s]: four steps are the start
SPLIT = ["failed_alarmed", "failed_quiet", "succeeded_alarmed", "succeeded_quiet"]


def recorded(*episodes: tuple[str, str, Sequence[float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steps and episodes of those conditions, outcomes and novelties; the threshold is 1."""
    index = [10 + number for number in range(len(episodes))]
    conditions, outcomes, novelties = zip(*episodes, strict=True)
    steps = pd.concat(
        pd.DataFrame({"episode_index": number, "frame_index": range(len(novelty)), "novelty": novelty})
        for number, novelty in zip(index, novelties, strict=True)
    )
    table = pd.DataFrame({"episode_index": index, "condition": conditions, "outcome": outcomes})
    return steps.assign(shift=steps["novelty"] > 1, surprise=np.nan), table


EPISODES = recorded(
    ("a", "success", [0.1, 0.2]),
    ("a", "timeout", [0.1, 3.0, 0.1, 0.1, 0.1, 0.1]),
    ("b", "success", [1.5, 0.1, 0.1]),
    ("b", "crash", [0.2, 0.2, 0.2, 0.2, 0.2, 2.0]),
    ("b", "timeout", [0.3, 0.3]),
    ("b", "success", [0.2, 0.2, 0.2, 0.2, 0.9]),
)


def row(condition: str) -> dict[str, Any]:
    return dict(alarm_rows(*EPISODES, PERIOD, None).set_index("condition").loc[condition])


def test_every_episode_is_counted_once() -> None:
    assert [[int(row(name)[part]) for part in SPLIT] for name in ("a", "b", ALL)] == [
        [1, 0, 0, 1],
        [1, 1, 1, 1],
        [2, 1, 1, 2],
    ]


def test_the_surprised_are_counted_by_themselves_and_with_the_alarmed() -> None:
    steps, episodes = EPISODES
    first = steps["frame_index"] == 0  # which follows nothing
    rows = alarm_rows(steps.assign(surprise=np.where(first, np.nan, steps["novelty"])), episodes, PERIOD, 0.25)
    told = ["failed_surprised", "succeeded_surprised", "failed_either", "succeeded_either"]
    assert rows.set_index("condition")[told].to_numpy().tolist() == [[1, 0, 1, 0], [2, 1, 2, 2], [3, 1, 3, 2]]
    assert rows.set_index("condition")["surprise_warning"].tolist() == [5 * PERIOD, PERIOD, PERIOD]
    alone = steps[first].assign(surprise=np.nan)
    assert alarm_rows(alone, episodes, PERIOD, 0.25).set_index("condition").loc[ALL, told].tolist() == [0, 0, 0, 1]
    assert np.isnan([row(ALL)[name] for name in told]).all()


def test_the_warning_is_from_the_first_alarm_to_the_end_of_the_last_step() -> None:
    assert [row(name)["warning"] for name in ("a", "b", ALL)] == [5 * PERIOD, PERIOD, 3 * PERIOD]


def test_shares_are_those_of_the_counts() -> None:
    assert row(ALL)["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score([0, 1, 0, 1, 1, 0], [0, 1, 1, 1, 0, 0])
    )
    assert (row(ALL)["hits"], row("b")["false_alarms"]) == (pytest.approx(2 / 3), 0.5)
    for name in ("hits", "false_alarms", "balanced_accuracy"):
        assert 0 <= row(ALL)[f"{name}_low"] < row(ALL)[name] < row(ALL)[f"{name}_high"] <= 1


@pytest.mark.parametrize(
    ("failures", "hit", "successes", "still"),
    [(20, 0.9, 80, 0.9), (40, 0.95, 160, 0.7), (15, 0.8, 300, 0.6), (90, 1, 300, 0.55)],
)
def test_the_interval_of_the_balanced_accuracy_covers_the_truth(
    failures: int, hit: float, successes: int, still: float
) -> None:
    rng, runs, known = stream(5, "balanced", failures), 10_000, {}
    failed, covered = np.arange(failures + successes) < failures, 0
    for hits, stills in zip(rng.binomial(failures, hit, runs), rng.binomial(successes, still, runs), strict=True):
        if (hits, stills) not in known:
            alarmed = np.arange(failures + successes) < hits
            alarmed[failures + stills :] = True
            known[hits, stills] = balanced_accuracy(failed, alarmed)
        _, low, high = known[hits, stills]
        covered += low <= (hit + still) / 2 <= high
    assert 0.94 <= covered / runs <= 0.97


@pytest.mark.parametrize("count", [6, 21, 60])
def test_the_interval_of_a_median_holds_for_any_distribution(count: int) -> None:
    rng = stream(6, "median", count)
    found = [median(rng.standard_cauchy(count)) for _ in range(400)]
    assert np.mean([low <= 0 <= high for _, low, high in found]) >= 0.93
    assert np.isnan(median(np.arange(5.0))[1:]).any()
    assert np.isnan(median(np.empty(0))).all()


def test_a_world_is_outside_beyond_what_was_shown_and_a_tenth_of_its_range() -> None:
    shown = pd.DataFrame({"condition": "demonstrate", "world.goal": [0.0, 1.0], "world.push": 0.0})
    worlds = pd.DataFrame({"world.goal": [-0.05, 1.09, 1.11, 0.5], "world.push": [0, 0, 0, 1e-3]})
    found = outside(worlds, shown, ["goal", "push"])
    assert found is not None
    assert found.tolist() == [False, False, True, True]
    assert outside(worlds, shown.assign(condition="recording"), ["goal"]) is None


def test_the_four_counts_of_a_real_run_add_up(measured: Any, chain: Any) -> None:
    alarm = pd.read_csv(measured.folder / "plots" / "alarm.csv")
    results = pd.DataFrame(measured.rows).astype({"round": int, "episodes": int})
    key = ["task", "round", "condition"]
    counted = alarm.set_index(key)[SPLIT].sum(axis=1)
    assert counted[[name for name in counted.index if name[2] != ALL]].to_dict() == (
        results.set_index(key)["episodes"].to_dict()
    )
    whole = alarm[alarm["condition"] == ALL].set_index(["task", "round"])[SPLIT]
    parts = alarm[alarm["condition"] != ALL].groupby(["task", "round"])[SPLIT].sum()
    pd.testing.assert_frame_equal(whole.sort_index(), parts.sort_index())


def test_only_a_response_that_took_over_counts_as_one(measured: Any, chain: Any) -> None:
    """The lab's policy runs away where the alarm rises; the arm's acts on."""
    found = {}
    for name in ("distance", "kuka_reach"):
        folder = chain.data / name / "round_0" / "evaluation"
        steps, episodes = tables.read_episodes(folder, name, TASKS.find(name))
        assert pc.any(steps["shift"]).as_py()
        found[name] = pc.sum(episodes["responded"]).as_py()
        assert pc.sum(episodes["asked"]).as_py() == 0
    assert found["distance"] > 0 == found["kuka_reach"]
    alarm = pd.read_csv(measured.folder / "plots" / "alarm.csv").query("round == 0").groupby("task")["replaced"]
    assert {name: alarm.get_group(name).unique().tolist() for name in found} == {"distance": [1], "kuka_reach": [0]}
