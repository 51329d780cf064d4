"""A regression through the nearest rows follows a slope, and stays within their actions."""

from msgspec.structs import replace as changed
import numpy as np

from stages.core.episode import Steps
from stages.core.params import FeatureSettings, PolicySettings
from stages.policies import POLICIES
from stages.policies.local_linear import LocalLinear
from tests.policies.test_surprise import CHANNELS

LINEAR = PolicySettings(
    kind="local_linear", neighbors=8, weights="uniform", features={"joint": FeatureSettings(scale=1.0)}
)


def slope(rows: int = 200) -> Steps:
    rng, index = np.random.default_rng(0), np.arange(rows)
    seen = rng.uniform(-1, 1, (rows, 2))
    return Steps(index, index * 0, index * 0, ["expert"] * rows, seen, seen @ [[2.0], [-1.0]])


def test_a_local_linear_policy_follows_a_slope_where_a_mean_cannot() -> None:
    steps, asked = slope(), np.random.default_rng(1).uniform(-0.8, 0.8, (100, 2))
    errors = {}
    for kind in ("knn", "local_linear"):
        policy = POLICIES[kind].fit(
            steps,
            changed(LINEAR, kind=kind, weights="distance", features={"joint": FeatureSettings(scale=0.1)}),
            CHANNELS,
        )
        errors[kind] = np.abs(policy.act(asked).actions - asked @ [[2.0], [-1.0]]).mean()
    assert errors["local_linear"] < 0.5 * errors["knn"]


def test_a_local_linear_answer_is_within_those_of_its_neighbours() -> None:
    steps = slope()
    policy, asked = LocalLinear.fit(steps, LINEAR, CHANNELS), np.random.default_rng(2).uniform(-3, 3, (200, 2))
    proposed, answers = steps.actions[policy.votes(asked).rows], policy.act(asked).actions
    assert (proposed.min(axis=1) <= answers).all()
    assert (answers <= proposed.max(axis=1)).all()
    assert (answers == proposed.max(axis=1)).any()
