"""The perceptron: scikit-learn's own answers, from stored arrays."""

from dataclasses import replace
import warnings

from msgspec import structs
import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from stages.core.episode import Steps
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.task import vector
from stages.policies.mlp import MLP

CHANNELS = vector("joint", "rad", 2)
SETTINGS = PolicySettings(
    kind="mlp",
    neighbors=3,
    weights="uniform",
    features={"joint": FeatureSettings(scale=1.0)},
    hidden=[16, 8],
    epochs=1500,
)


def steps(rows: int = 400) -> Steps:
    rng, index = np.random.default_rng(0), np.arange(rows)
    seen = rng.uniform(-1, 1, (rows, 2))
    done = np.column_stack([np.sin(2 * seen[:, 0]), 1e-3 * seen[:, 0] * seen[:, 1], np.full(rows, 0.5)])
    return Steps(index // 20, index % 20, index * 0, ["expert"] * rows, seen, done)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of a model made just to be filled
def test_it_answers_as_scikit_learn_does() -> None:
    policy, asked = MLP.fit(steps(), SETTINGS, CHANNELS), np.random.default_rng(1).uniform(-1, 1, (50, 2))
    model = MLPRegressor(hidden_layer_sizes=(16, 8)).fit(steps().observations[:9], steps().actions[:9])
    model.coefs_, model.intercepts_ = list(policy.weights), list(policy.biases)
    whole = model.predict((asked - policy.scaling[0]) / policy.scaling[1])
    shown = steps().actions
    assert np.allclose(policy.act(asked).actions, np.clip(whole, shown.min(axis=0), shown.max(axis=0)), atol=1e-12)


def test_it_learns_every_channel_whatever_its_unit() -> None:
    learned, judged = MLP.fit(steps(), SETTINGS, CHANNELS), steps(900)
    left = learned.act(judged.observations[400:]).actions - judged.actions[400:]
    spread = judged.actions.std(axis=0)
    assert (np.sqrt((left**2).mean(axis=0))[:2] < 0.35 * spread[:2]).all()
    assert np.abs(left[:, 2]).max() < 1e-12


def test_a_channel_that_is_still_but_for_rounding_is_read_back() -> None:
    shown = steps()
    shown.observations[:, 1] = np.arange(len(shown)) % 2 * 1e-33
    policy = MLP.fit(shown, SETTINGS, CHANNELS)
    again = MLP.from_arrays(policy.arrays())
    assert np.array_equal(again.act(shown.observations).actions, policy.act(shown.observations).actions)


def test_one_channel_is_learned_without_a_warning() -> None:
    alone = replace(steps(), actions=steps().actions[:, :1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = MLP.fit(alone, structs.replace(SETTINGS, epochs=100), CHANNELS)
    answers = policy.act(alone.observations).actions
    assert answers.shape == (len(alone), 1)
    assert np.abs(answers - alone.actions).mean() < 0.2


def test_the_same_rows_give_the_same_bits() -> None:
    first, second = (MLP.fit(steps(), SETTINGS, CHANNELS).arrays() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("biases_2", np.zeros(4), "layers"),
        ("weights_1", np.zeros((16, 9)), "layers"),
        ("weights_0", np.full((2, 16), np.inf), "not finite"),
        ("scaling", np.ones((2, 3)), "layers"),
        ("scaling", np.full((2, 2), 1e-200), "scaling"),
        ("scaling", np.ones((2, 2), dtype=np.float16), "no numbers"),
    ],
)
def test_layers_that_do_not_fit_are_refused(name: str, array: np.ndarray, message: str) -> None:
    arrays = MLP.fit(steps(), SETTINGS, CHANNELS).arrays()
    with pytest.raises(ValueError, match=message):
        MLP.from_arrays({**arrays, name: array})


def test_a_perceptrons_answer_stays_within_the_actions_it_was_shown() -> None:
    shown = steps()
    policy = MLP.fit(shown, SETTINGS, CHANNELS)
    answers = policy.act(np.random.default_rng(3).uniform(-20, 20, (200, 2))).actions
    assert (shown.actions.min(axis=0) <= answers).all()
    assert (answers <= shown.actions.max(axis=0)).all()
