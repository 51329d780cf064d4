"""Every score is asked the same questions, and a better one shows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from stages.core.schemas import SCORES
from stages.core.streams import stream
from stages.measuring.alarm import ALL
from stages.measuring.auroc import LEAST, advantage, auroc
from stages.measuring.scores import EARLY, FAILURE, FELT, WITHIN, score_rows

PERIOD = 0.25  # [s]: four steps are the start
OUTCOMES = ["success", "timeout", "success", "crash", "timeout", "success"]
NOVELTY = [[0.1, 0.2], [0.1, 0.3, 0.1, 0.1, 0.1, 3.0], [1.5, 0.1], [0.2, 0.2, 0.2, 0.2, 2.0], [0.3, 0.4], [0.2, 0.9]]
OUTSIDE = np.array([False, False, True, True, True, False])
VISIBLE = np.array([False, False, True, True, False, False])


def recorded() -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = [
        pd.DataFrame({"episode_index": 10 + number, "frame_index": range(len(novelty)), "novelty": novelty})
        for number, novelty in enumerate(NOVELTY)
    ]
    steps = pd.concat(parts).assign(extrapolation=lambda part: part["novelty"] ** 2, disagreement=np.nan)
    steps["surprise"] = np.where(steps["frame_index"] == 0, np.nan, 5 - steps["novelty"])
    return steps, pd.DataFrame({"episode_index": range(10, 16), "condition": list("aabbbb"), "outcome": OUTCOMES})


def found(*outside: Any) -> pd.DataFrame:
    rows = score_rows(*recorded(), PERIOD, *outside)
    return rows[rows["condition"] == ALL].set_index(["told", "score"])


def test_areas_are_those_of_the_whole_of_the_start_and_of_the_first_step() -> None:
    failed = [0, 1, 0, 1, 1, 0]
    rows = found(OUTSIDE, VISIBLE)
    for score in ("novelty", "extrapolation"):
        areas = rows["auroc"].xs(score, level="score")
        assert areas["failure"] == pytest.approx(roc_auc_score(failed, [0.2, 3, 1.5, 2, 0.4, 0.9]))
        assert areas["failure, from the start"] == pytest.approx(roc_auc_score(failed, [0.2, 0.3, 1.5, 0.2, 0.4, 0.9]))
        assert areas["outside"] == pytest.approx(roc_auc_score(OUTSIDE, [0.1, 0.1, 1.5, 0.2, 0.3, 0.2]))
        assert areas["outside, from the start"] == pytest.approx(roc_auc_score(OUTSIDE, [0.2, 0.3, 1.5, 0.2, 0.4, 0.9]))
        # The world that is outside in what cannot be seen yet is neither inside nor outside.
        assert areas["outside, to be seen"] == pytest.approx(roc_auc_score([0, 0, 1, 1, 0], [0.1, 0.1, 1.5, 0.2, 0.2]))
    # Of the first condition 1 of 1 pair, of the second 2 of 4.
    assert rows.loc[(WITHIN, "novelty"), ["members", "others", "auroc"]].tolist() == [3, 3, 3 / 5]
    assert rows.loc[("outside, to be seen", "novelty"), ["members", "others"]].tolist() == [2, 3]


def test_a_score_that_the_policy_does_not_give_has_no_row_and_novelty_no_advantage_over_itself() -> None:
    rows = found(OUTSIDE, VISIBLE)
    assert "disagreement" not in rows.index.get_level_values("score")
    assert rows["advantage"].xs("novelty", level="score").isna().all()
    assert (rows["advantage"].xs("extrapolation", level="score") == 0).all()


def test_a_score_that_never_differs_tells_nothing_and_has_no_row() -> None:
    """One neighbour alone disagrees with nobody."""
    steps, episodes = recorded()
    constant = score_rows(steps.assign(disagreement=0.0, extrapolation=0.5), episodes, PERIOD, None, None)
    assert set(constant["score"]) == {"novelty", "surprise"}
    assert set(score_rows(steps.assign(novelty=0.5), episodes, PERIOD, None, None)["score"]) >= {"novelty"}


def test_an_episode_in_which_nothing_was_to_be_expected_holds_no_surprise() -> None:
    steps, episodes = recorded()
    short = steps.assign(surprise=steps["surprise"].where(steps["episode_index"] != 10))
    rows = score_rows(short, episodes, PERIOD, None, None).set_index(["condition", "told", "score"])
    largest = [0, 4.9, 4.9, 4.8, 4.6, 4.1]
    assert rows.loc[(ALL, FAILURE, "surprise"), "auroc"] == pytest.approx(roc_auc_score([0, 1, 0, 1, 1, 0], largest))
    none = score_rows(short.assign(surprise=np.nan), episodes, PERIOD, None, None)
    assert "surprise" not in set(none["score"])


def test_worlds_that_are_not_known_are_not_told() -> None:
    assert list(dict.fromkeys(found(None, None).index.get_level_values("told"))) == [FAILURE, WITHIN, EARLY]


def test_a_real_run_has_every_score_that_its_policies_give(measured: Any) -> None:
    rows = pd.read_csv(measured.folder / "plots" / "scores.csv")
    reach = rows[(rows["task"] == "kuka_reach") & (rows["condition"] == ALL)]
    assert set(reach["score"]) == set(SCORES)
    # Before the first step there is nothing to be surprised by.
    assert set(reach["told"][reach["score"] == "surprise"]) <= {FAILURE, EARLY, WITHIN, FELT}
    assert set(rows[rows["task"] == "distance"]["told"]) <= {FAILURE, EARLY, WITHIN}  # a person's worlds are not known


def test_the_advantage_is_the_difference_of_the_areas() -> None:
    rng, told = stream(1, "advantage"), np.arange(80) < 25
    one, other = rng.integers(0, 9, (2, 80)).astype(float)
    more = advantage(one, other, told)
    assert more.area == pytest.approx(auroc(one, told).area - auroc(other, told).area, abs=1e-12)
    back = advantage(other, one, told)
    assert np.allclose(back, (-more.area, -more.high, -more.low))
    assert np.isnan(advantage(one, other, np.arange(80) < LEAST - 1)[1:]).all()


@pytest.mark.parametrize(("members", "others"), [(20, 200), (90, 300), (200, 200)])
@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_the_interval_of_an_advantage_covers_the_truth(gain: float, members: int, others: int) -> None:
    """Two scores that share most of their noise; the truth is known for normal numbers."""
    rng, told = stream(2, "advantage", members, str(gain)), np.arange(members + others) < members
    truth = float(norm.cdf((1.2 + gain) / np.sqrt(2)) - norm.cdf(1.2 / np.sqrt(2)))
    covered = []
    for _ in range(RUNS):
        shared, apart = rng.normal(size=members + others), rng.normal(size=(2, members + others))
        one, other = 0.8 * shared + 0.6 * apart
        more = advantage(one + (1.2 + gain) * told, other + 1.2 * told, told)
        covered.append(more.low <= truth <= more.high)
    assert 0.92 <= np.mean(covered) <= 0.985


RUNS = 250
