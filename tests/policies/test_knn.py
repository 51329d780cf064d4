"""The clone does what scikit-learn's regressor does, in the space of its features."""

from msgspec.structs import replace
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.task import Channel, Floats, vector
from stages.policies.features import Features
from stages.policies.knn import KNN

CHANNELS = (*vector("joint", "rad", 3), *vector("offset", "m", "xyz"), Channel("clock", "s"))
PLAIN = {group: FeatureSettings(scale=1) for group in ("joint", "offset", "clock")}


def steps(observations: Floats, actions: Floats) -> Steps:
    rows = np.arange(len(actions))
    return Steps(rows, rows, rows, ["expert"] * len(rows), observations, actions)


def settings(neighbors: int, weights: str = "uniform", features: dict[str, FeatureSettings] = PLAIN) -> PolicySettings:
    return PolicySettings(kind="knn", neighbors=neighbors, weights=weights, features=features)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("neighbors", [1, 3, 10])
@pytest.mark.parametrize("rows", [30, 1200])
def test_actions_are_those_of_scikit_learns_regressor(rows: int, neighbors: int, weights: str) -> None:
    rng = np.random.default_rng(rows + neighbors)
    observations, actions = rng.normal(size=(rows, 7)), rng.normal(size=(rows, 2))
    # Among the questions are known rows, whose distance is zero: they decide alone.
    queries = np.concatenate([rng.normal(size=(40, 7)), observations[:10]])
    answer = KNN.fit(steps(observations, actions), settings(neighbors, weights), CHANNELS).act(queries)
    reference = KNeighborsRegressor(neighbors, weights=weights, algorithm="kd_tree").fit(observations, actions)
    assert np.allclose(answer.actions, reference.predict(queries), rtol=0, atol=1e-12)
    assert np.allclose(answer.novelty, reference.kneighbors(queries)[0][:, -1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_a_row_that_is_trusted_twice_counts_as_two(weights: str) -> None:
    rng = np.random.default_rng(0)
    observations, actions, queries = rng.normal(size=(5, 7)), rng.normal(size=(5, 2)), rng.normal(size=(30, 7))
    known = steps(observations, actions)
    known = Steps(known.episode, known.frame, known.round, ["expert", "person"] * 2 + ["expert"], observations, actions)
    twice = [0, 1, 1, 2, 3, 3, 4]
    trusting = replace(settings(5, weights), trust={"person": 2.0})
    answer = KNN.fit(known, trusting, CHANNELS).act(queries)
    reference = KNN.fit(steps(observations[twice], actions[twice]), settings(7, weights), CHANNELS).act(queries)
    assert np.allclose(answer.actions, reference.actions, rtol=0, atol=1e-12)


def test_rows_at_distance_zero_share_the_answer_alone() -> None:
    observations = np.array([[0.0] * 7, [0.0] * 7, [1.0] * 7])
    policy = KNN.fit(steps(observations, np.array([[1.0], [3.0], [100.0]])), settings(3, "distance"), CHANNELS)
    assert policy.act(np.zeros((1, 7))).actions.tolist() == [[2.0]]


def test_novelty_is_the_distance_to_the_kth_nearest_row_in_feature_space() -> None:
    features = {"clock": FeatureSettings(scale=0.5)}
    observations = np.zeros((3, 7))
    observations[:, 6] = [0, 1, 5]
    policy = KNN.fit(steps(observations, np.zeros((3, 1))), settings(2, features=features), CHANNELS)
    assert policy.act(observations[:1]).novelty.tolist() == [2.0]


def test_more_neighbors_than_rows_are_told() -> None:
    with pytest.raises(UserError, match=r"^policy neighbors: found 4, allowed: at most the 3 rows known$"):
        KNN.fit(steps(np.zeros((3, 7)), np.zeros((3, 1))), settings(4), CHANNELS)


# Features


def test_features_are_the_chosen_groups_in_the_order_of_the_channels() -> None:
    chosen = {"clock": FeatureSettings(scale=2), "joint": FeatureSettings(scale=0.5)}
    features = Features.choose(CHANNELS, chosen)
    assert features(np.arange(7.0)[None]).tolist() == [[0, 2, 4, 3]]


def test_asinh_squashes_its_group_alone() -> None:
    chosen = {"offset": FeatureSettings(scale=0.01, squash="asinh"), "clock": FeatureSettings(scale=1)}
    seen = np.array([[0, 0, 0, 0.02, -0.5, 0, 3.0]])
    assert np.allclose(Features.choose(CHANNELS, chosen)(seen), [[np.arcsinh(2), np.arcsinh(-50), 0, 3]], atol=1e-15)


def test_features_leave_observations_as_they_are() -> None:
    seen = np.ones((2, 7))
    Features.choose(CHANNELS, {"offset": FeatureSettings(scale=0.01, squash="asinh")})(seen)
    assert (seen == 1).all()


def test_an_unknown_group_is_told() -> None:
    with pytest.raises(UserError, match=r"^policy features: found speed, allowed: joint, offset, clock$"):
        Features.choose(CHANNELS, {"speed": FeatureSettings(scale=1)})
