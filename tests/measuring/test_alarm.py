"""What is said of the alarm are counts of the episodes that were recorded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from stages.core import tables
from stages.measuring.alarm import ALL, alarm_rows
from stages.measuring.outside import outside
from stages.measuring.response import replaced
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
    return steps.assign(shift=steps["novelty"] > 1), table


EPISODES = recorded(
    ("a", "success", [0.1, 0.2]),
    ("a", "timeout", [0.1, 3.0, 0.1, 0.1, 0.1, 0.1]),
    ("b", "success", [1.5, 0.1, 0.1]),
    ("b", "crash", [0.2, 0.2, 0.2, 0.2, 0.2, 2.0]),
    ("b", "timeout", [0.3, 0.3]),
    ("b", "success", [0.2, 0.2, 0.2, 0.2, 0.9]),
)


def row(condition: str, outside: Any = None) -> dict[str, Any]:
    rows = alarm_rows(*EPISODES, PERIOD, outside).set_index("condition")
    return dict(rows.loc[condition])


def test_every_episode_is_counted_once() -> None:
    assert [[int(row(name)[part]) for part in SPLIT] for name in ("a", "b", ALL)] == [
        [1, 0, 0, 1],
        [1, 1, 1, 1],
        [2, 1, 1, 2],
    ]


def test_the_warning_is_from_the_first_alarm_to_the_end_of_the_last_step() -> None:
    assert [row(name)["warning"] for name in ("a", "b", ALL)] == [5 * PERIOD, PERIOD, 3 * PERIOD]


def test_areas_are_those_of_the_largest_novelty_of_the_whole_and_of_the_start() -> None:
    failed = [0, 1, 0, 1, 1, 0]
    assert row(ALL)["auroc"] == pytest.approx(roc_auc_score(failed, [0.2, 3, 1.5, 2, 0.3, 0.9]))
    assert row(ALL)["start_auroc"] == pytest.approx(roc_auc_score(failed, [0.2, 3, 1.5, 0.2, 0.3, 0.2]))
    assert row(ALL)["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(failed, [0, 1, 1, 1, 0, 0]))


def test_worlds_outside_are_told_by_the_first_observation() -> None:
    beyond = np.array([False, False, True, True, True, False])
    assert row(ALL, beyond)["outside"] == 3
    assert row(ALL, beyond)["outside_auroc"] == pytest.approx(roc_auc_score(beyond, [0.1, 0.1, 1.5, 0.2, 0.3, 0.2]))
    assert np.isnan(row(ALL)["outside_auroc"])


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


def test_only_a_response_that_took_over_counts_as_one(chain: Any) -> None:
    """The lab's policy runs away where the alarm rises; the arm's acts on."""
    found = {}
    for name in ("distance", "kuka_reach"):
        task = TASKS.find(name)
        steps = tables.read_episodes(chain.data / name / "round_0" / "evaluation", name, task)[0].to_pandas()
        assert steps["shift"].any()
        found[name] = replaced(steps, task)
    assert found == {"distance": True, "kuka_reach": False}
