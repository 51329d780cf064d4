"""The clone is judged on episodes it has not seen, and its threshold is what a slow computation gives."""

import copy
import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor
import yaml

from stages.core import parquet, schemas, tables
from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import FeatureSettings, PolicySettings, ShiftSettings
from stages.core.policy import load_policy
from stages.core.settings import load_settings
from stages.core.task import vector
from stages.policies import POLICIES
from stages.policies.knn import KNN
from stages.tasks import TASKS
from stages.tasks.kuka_reach import KukaReach
from stages.train import choose_threshold, cross_validate, ordinal

CHANNELS = vector("joint", "rad", 2)
SETTINGS = PolicySettings(kind="knn", neighbors=3, weights="uniform", features={"joint": FeatureSettings(scale=2.0)})


def known(episodes: int, length: int = 6) -> Steps:
    rng, rows = np.random.default_rng(episodes), episodes * length
    index = np.arange(rows)
    observations, actions = rng.normal(size=(rows, 2)), rng.normal(size=(rows, 2))
    return Steps(index // length, index % length, index * 0, ["expert"] * rows, observations, actions)


def chosen(steps: Steps, **shift: Any) -> float:
    return choose_threshold(steps, SETTINGS, ShiftSettings(**shift), CHANNELS)[0]


def test_a_threshold_that_is_set_is_taken() -> None:
    assert chosen(known(1), threshold=0.7) == 0.7


def test_one_episode_cannot_calibrate() -> None:
    with pytest.raises(UserError, match="found null and 1 demonstrated episode, allowed: a number, or at least 2"):
        chosen(known(1), quantile=0.9)


def test_too_few_episodes_for_the_rate_are_told_with_the_rate_that_holds(capsys: pytest.CaptureFixture[str]) -> None:
    told = choose_threshold(known(8), SETTINGS, ShiftSettings(quantile=0.9), CHANNELS)[1]
    assert (told["episodes"], told["rank"], told["false_alarms_asked"]) == (8, 8, 0.1)
    assert told["false_alarms"] == pytest.approx(1 / 9)
    assert capsys.readouterr().err == (
        "shift threshold: 8 demonstrated episodes are too few for a false-alarm rate of 0.1, "
        "at most 0.111 is promised\n"
    )
    choose_threshold(known(9), SETTINGS, ShiftSettings(quantile=0.9), CHANNELS)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (5, "5th"), (12, "12th"), (30, "30th")]
)
def test_a_place_is_said_as_one_says_it(number: int, said: str) -> None:
    assert ordinal(number) == said


class Spy(KNN):
    """Notes what it was fitted with and asked about."""

    fitted: list[set[bytes]] = []  # noqa: RUF012
    asked: list[set[bytes]] = []  # noqa: RUF012

    @classmethod
    def fit(cls, steps: Steps, *rest: Any) -> "Spy":
        cls.fitted.append({row.tobytes() for row in steps.observations})
        return super().fit(steps, *rest)

    def act_by(self, observations: Any, counts: Any) -> list[Any]:
        self.asked.append({row.tobytes() for row in observations})
        return super().act_by(observations, counts)


def test_an_episode_is_either_learned_from_or_left_out() -> None:
    steps = known(7)
    Spy.fitted.clear()
    Spy.asked.clear()
    cross_validate(Spy, steps, SETTINGS, 3, CHANNELS)
    episode_of = {row.tobytes(): episode for row, episode in zip(steps.observations, steps.episode, strict=True)}
    for learned, left_out in zip(Spy.fitted, Spy.asked, strict=True):
        assert not {episode_of[row] for row in learned} & {episode_of[row] for row in left_out}
        assert len(learned) + len(left_out) == len(steps)
    assert set.union(*Spy.asked) == set(episode_of)


def test_the_error_is_that_of_scikit_learn_on_the_same_folds() -> None:
    from sklearn.model_selection import GroupKFold, cross_val_predict

    steps = known(7)
    predicted = cross_val_predict(
        KNeighborsRegressor(3), steps.observations, steps.actions, cv=GroupKFold(3), groups=steps.episode
    )
    found = cross_validate(KNN, steps, SETTINGS, 3, CHANNELS)
    wanted = float(np.sqrt(np.mean((predicted - steps.actions) ** 2)))
    assert found["error"] == pytest.approx(wanted, rel=1e-12)
    assert found["neighbors"]["3"] == found["error"]
    assert found["relative"] == pytest.approx(wanted / np.sqrt(np.mean((steps.actions - steps.actions.mean(0)) ** 2)))
    assert (found["folds"], found["by"]) == (3, "episode")


@pytest.mark.parametrize(("rows", "folds"), [(15, 5), (3, 3), (1, 0)])
def test_one_episode_is_cut_into_blocks_of_rows(rows: int, folds: int) -> None:
    settings = replace(SETTINGS, neighbors=1)
    found = cross_validate(KNN, known(1, rows), settings, 5, CHANNELS)
    assert (found["folds"], found["by"]) == (folds, "block of rows")
    assert (found["error"] is None) == (folds == 0)


# The stage


def test_the_policy_knows_every_row_and_its_figures_stand_beside_it(chain: Any) -> None:
    folder = chain.data / "kuka_reach" / "round_1"
    dataset = parquet.read_table(folder / "dataset.parquet", schemas.expert_schema("kuka_reach", KukaReach))
    trained = load_policy(folder / "policy.npz", "kuka_reach", POLICIES)
    figures = json.loads((folder / "training.json").read_text())
    assert figures["rows"] == dataset.num_rows == len(trained.policy.arrays()["points"])
    assert figures["episodes"] == len(set(dataset["episode_index"].to_pylist()))
    assert figures["threshold"] == trained.threshold > 0
    assert figures["surprise"]["threshold"] == trained.surprise_threshold > 0
    assert figures["surprise"]["score"].endswith("to what followed the 5 nearest rows of the step before")
    assert figures["alarm"]["score"] == "largest distance of an episode to the 5th nearest row"
    assert figures["alarm"]["features"]["offset"] == {"scale": 0.01, "squash": "asinh"}
    answer = trained.policy.act(tables.matrix(dataset, "observation", KukaReach.observation)[:1])
    assert answer.novelty[0] <= trained.threshold


def test_where_the_threshold_was_set_no_surprise_was_calibrated(chain: Any) -> None:
    folder = chain.data / "distance" / "round_1"
    assert json.loads((folder / "training.json").read_text())["surprise"] is None
    assert load_policy(folder / "policy.npz", "distance", POLICIES).surprise_threshold == np.inf


def test_training_twice_gives_the_same_bytes(chain: Any, stage: Any, tmp_path: Path) -> None:
    folder = chain.data / "kuka_reach" / "round_1"
    outputs = ("--policy", tmp_path / "policy.npz", "--metrics", tmp_path / "training.json")
    ended = stage("train", "kuka_reach", folder / "dataset.parquet", *outputs, "--params", chain.params)
    assert ended.status == 0, ended.output
    for name in ("policy.npz", "training.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_more_neighbors_than_rows_end_with_status_2_and_leave_the_outputs(
    chain: Any, stage: Any, tmp_path: Path
) -> None:
    content = copy.deepcopy(yaml.safe_load(chain.params.read_text()))
    content["policy"]["distance"]["neighbors"] = 16
    params, policy = tmp_path / "params.yaml", tmp_path / "policy.npz"
    params.write_text(yaml.safe_dump(content))
    policy.write_text("old")
    load_settings(params, TASKS, POLICIES)
    dataset = chain.data / "distance" / "round_0" / "dataset.parquet"
    outputs = ("--policy", policy, "--metrics", tmp_path / "training.json", "--params", params)
    ended = stage("train", "distance", dataset, *outputs)
    assert ended.status == 2
    told = f"error: {params}: policy.distance.neighbors: found 16, allowed: at most the 15 rows of the dataset\n"
    assert ended.output == told
    assert policy.read_text() == "old"
    assert not (tmp_path / "training.json").exists()
