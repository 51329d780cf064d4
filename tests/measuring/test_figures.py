"""Curves, quantiles, rows of results and what is outside, by hand."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.core import tables
from stages.core.episode import Scores
from stages.core.files import write_json
from stages.core.params import round_entry
from stages.core.seal import sealed
from stages.measuring.chain import measure_chain
from stages.measuring.curves import error_curves, novelty_quantiles
from stages.measuring.outside import outside
from stages.measuring.results import condition_rows
from stages.tasks import TASKS
from stages.tasks.distance import Distance
from tests.evaluations import one_episode, one_plan, some, write_evaluation


def steps_of(*errors: list[float], **columns: list[list[float]]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "episode_index": 10 + place,
                "frame_index": range(len(one)),
                "error": one,
                **{name: values[place] for name, values in columns.items()},
            }
        )
        for place, one in enumerate(errors)
    ]
    return pd.concat(parts)


def test_an_episode_that_has_ended_keeps_its_last_error_in_the_curve() -> None:
    steps = steps_of([4.0, 1.0], [4.0, 3.0, 2.0, 2.0], [9.0])
    episodes = pd.DataFrame({"episode_index": [10, 11, 12], "condition": ["a", "a", "b"]})
    curves = error_curves(steps, episodes, 0.5).set_index("condition")
    assert curves.loc["a", "timestamp"].tolist() == [0.5, 1.0, 1.5, 2.0]  # after each step
    assert curves.loc["a", "middle"].tolist() == [4.0, 2.0, 1.5, 1.5]
    assert curves.loc["b", "middle"].tolist() == [9.0] * 4
    assert curves.loc["a", "low"].to_numpy() == pytest.approx([4.0, 1.1, 1.05, 1.05])
    assert curves.loc["a", "high"].to_numpy() == pytest.approx([4.0, 2.9, 1.95, 1.95])


def test_novelty_is_told_as_a_share_of_the_threshold_by_the_largest_of_each_episode() -> None:
    steps = steps_of([0, 0], [0, 0, 0], [0], novelty=[[1.0, 3.0], [1.0, 5.0, 2.0], [8.0]])
    episodes = pd.DataFrame(
        {"episode_index": [10, 11, 12], "condition": "a", "outcome": ["success", "success", "crash"]}
    )
    found = novelty_quantiles(steps, episodes, 2.0).set_index("outcome")
    assert found.loc["success", ["middle", "episodes", "threshold"]].tolist() == [2.0, 2, 2.0]
    assert found.loc["success", ["low", "high"]].to_numpy(float) == pytest.approx([1.55, 2.45])
    assert found.loc["failure", ["low", "middle", "high"]].tolist() == [4.0] * 3


def test_a_row_of_results_is_of_its_episodes() -> None:
    steps = pd.DataFrame({"condition": ["a"] * 4, "shift": [True, False, False, False]})
    episodes = pd.DataFrame(
        {
            "condition": "a",
            "outcome": ["success", "crash", "timeout", "timeout"],
            "steps": [1, 2, 3, 6],
            "error": [0.0, 1.0, 2.0, 9.0],
            "asked": [0, 4, 0, 2],
        }
    )
    (row,) = condition_rows(steps, episodes).to_dict("records")
    assert (row["success"], row["crash"], row["shift"]) == (0.25, 0.25, 0.25)
    assert (row["steps"], row["error"], row["error_median"], row["asked"]) == (3, 3, 1.5, 1.5)


def test_a_world_is_outside_on_either_side() -> None:
    shown = pd.DataFrame({"condition": "demonstrate", "world.goal": [0.0, 1.0]})
    worlds = pd.DataFrame({"world.goal": [-0.11, -0.09, 1.09, 1.11]})
    found = outside(worlds, shown, ["goal"])
    assert found is not None
    assert found.tolist() == [True, False, False, True]


def test_what_a_person_recorded_says_nothing_of_its_world() -> None:
    shown = pd.DataFrame({"condition": ["demonstrate", "demonstrate", "recording"], "world.goal": [0.0, 1.0, 5.0]})
    found = outside(pd.DataFrame({"world.goal": [0.5, 3.0]}), shown, ["goal"])
    assert found is not None
    assert found.tolist() == [False, True]


def test_surprise_and_what_is_visible_are_those_of_the_training_and_the_task(measured: Any, chain: Any) -> None:
    alarm = pd.read_csv(measured.folder / "plots" / "alarm.csv").set_index(["task", "round", "condition"])
    folder = chain.data / "kuka_reach" / "round_1"
    threshold = json.loads((folder / "training.json").read_text())["surprise"]["threshold"]
    steps, episodes = (
        one.to_pandas() for one in tables.read_episodes(folder / "evaluation", "kuka_reach", TASKS.find("kuka_reach"))
    )
    surprised = set(steps["episode_index"][steps["surprise"] > threshold])
    for condition, group in episodes.groupby("condition"):
        mine = alarm.loc[("kuka_reach", 1, condition), ["failed_surprised", "succeeded_surprised"]]
        assert mine.sum() == len(surprised & set(group["episode_index"])), condition
    scores = pd.read_csv(measured.folder / "plots" / "scores.csv")
    of = scores[(scores["task"] == "kuka_reach") & (scores["score"] == "novelty") & (scores["round"] == 1)]
    found = of.set_index(["told", "condition"])["members"]
    # `real` is outside in what the first observation tells nothing of; `noisy` is not outside at all.
    assert found["outside"]["all"] > found["outside, to be seen"]["all"]


def test_copies_of_an_episode_are_measured_once(tmp_path: Path) -> None:
    for place in ("demonstrations", "round_0"):
        write_evaluation(tmp_path / "data/distance" / place, {"near": some(4, 4)}, noise=0.0)
    (tmp_path / "data/distance/demonstrations/evaluation").rename(tmp_path / "shown")
    (tmp_path / "data/distance/demonstrations").rmdir()
    (tmp_path / "shown").rename(tmp_path / "data/distance/demonstrations")
    figures = {"rows": 3, "threshold": 1.0, "surprise": None, "cross_validation": {"error": None}}
    write_json(tmp_path / "data/distance/round_0/training.json", sealed(figures))
    out = (tmp_path / "r.csv", tmp_path / "m.json", tmp_path / "plots")
    measure_chain(tmp_path / "data", ["distance"], [round_entry(0)], *out)
    assert pd.read_csv(out[0])["episodes"].tolist() == [1]


def test_an_episode_is_surprised_above_the_threshold_of_surprise(tmp_path: Path) -> None:
    levels = [0.5, 2.0, 4.0, 5.0]
    plans = [one_plan(index, "near", index, "distance", 1, 0.02) for index in range(len(levels))]
    episodes = [
        replace(one_episode(plan, True, "distance"), scores=Scores.unknown(1)._replace(surprise=np.array([level])))
        for plan, level in zip(plans, levels, strict=True)
    ]
    for place in ("demonstrations", "round_0/evaluation"):
        tables.write_episodes(tmp_path / "data/distance" / place, "distance", Distance, episodes)
    figures = {"rows": 3, "threshold": 1.0, "surprise": {"threshold": 3.0}, "cross_validation": {"error": None}}
    write_json(tmp_path / "data/distance/round_0/training.json", sealed(figures))
    measure_chain(
        tmp_path / "data", ["distance"], [round_entry(0)], tmp_path / "r.csv", tmp_path / "m.json", tmp_path / "plots"
    )
    alarm = pd.read_csv(tmp_path / "plots/alarm.csv")
    assert alarm["succeeded_surprised"].tolist() == [2, 2]
