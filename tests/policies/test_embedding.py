"""An embedding tells what was known in training from what is seen, and from nothing else."""

from msgspec.structs import replace
import numpy as np
import pytest

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import EmbeddingSettings, FeatureSettings, PolicySettings
from stages.core.tables import episode_slices
from stages.core.task import Channel, Floats, vector
from stages.policies import POLICIES
from stages.policies.embedding import Embedding
from stages.policies.memory import Memory
from stages.policies.surprise import largest_surprise, surprises_left_out

CHANNELS = (Channel("clock", "s"), *vector("offset", "m", "xyz"), *vector("seen", "1", 6))
OFFSET, SEEN = slice(1, 4), slice(4, 10)
SETTINGS = EmbeddingSettings(sees="seen", tells="offset", components=6, near=0.5)


def observations(rows: int = 400, seed: int = 0) -> Floats:
    """What is seen is mixed, and what is told is of second degree in it; a channel never changes."""
    rng = np.random.default_rng(seed)
    seen = rng.uniform(-1, 1, (rows, 6))
    seen[:, 5] = 0.3
    offset = np.column_stack([seen[:, 0] + seen[:, 1] * seen[:, 2], seen[:, 3] ** 2, seen[:, 4] - seen[:, 0]])
    mixed = seen @ np.diag([1.0, 3.0, 1.0, 0.2, 1.0, 1.0])
    return np.column_stack([rng.random(rows), offset, mixed])


def policy_settings(kind: str) -> PolicySettings:
    features = {"clock": FeatureSettings(scale=1.0), "embedded": FeatureSettings(scale=0.1, squash="asinh")}
    return PolicySettings(kind=kind, neighbors=4, weights="distance", features=features, embedding=SETTINGS)


def steps(rows: int = 400) -> Steps:
    index = np.arange(rows)
    seen = observations(rows)
    return Steps(index // 20, index % 20, index * 0, ["expert"] * rows, seen, np.tanh(seen[:, OFFSET]))


def test_it_tells_of_rows_it_has_not_seen_what_is_a_polynomial_of_second_degree() -> None:
    embedding, others = Embedding.fit(observations(), CHANNELS, SETTINGS), observations(200, seed=1)
    error = embedding(others) - others[:, OFFSET]
    assert np.sqrt(np.mean(error**2)) < 0.05 * others[:, OFFSET].std()


def test_a_row_depends_on_its_own_sight_alone() -> None:
    embedding, others = Embedding.fit(observations(), CHANNELS, SETTINGS), observations(50, seed=1)
    whole = embedding(others)
    for size in (1, 2, 7, 49):
        for start in range(0, len(others), size):
            assert np.array_equal(embedding(others[start : start + size]), whole[start : start + size])
    blind = others.copy()
    blind[:, : SEEN.start] = 1e3
    assert np.array_equal(embedding(blind), whole)


def test_what_is_beyond_the_training_counts_as_its_edge() -> None:
    known = observations()
    embedding = Embedding.fit(known, CHANNELS, SETTINGS)
    edge, beyond = known[:1].copy(), known[:1].copy()
    edge[0, SEEN] = known[:, SEEN].max(axis=0)
    beyond[0, SEEN] = 1e6
    assert np.array_equal(embedding(beyond), embedding(edge))


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_never_looks_at_what_its_embedding_tells(kind: str) -> None:
    policy, asked = POLICIES[kind].fit(steps(), policy_settings(kind), CHANNELS), observations(30, seed=2)
    answer = policy.act(asked)
    asked[:, OFFSET] = np.random.default_rng(3).normal(size=(30, 3))
    again = policy.act(asked)
    assert np.array_equal(again.actions, answer.actions)
    assert np.array_equal(again.novelty, answer.novelty)


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_with_an_embedding_comes_back_to_the_bit(kind: str) -> None:
    policy, asked = POLICIES[kind].fit(steps(), policy_settings(kind), CHANNELS), observations(30, seed=2)
    again = POLICIES[kind].from_arrays(policy.arrays())
    answers = (one.act(asked) for one in (policy, again))
    parts = ([answer.actions, *answer.recollection.scores(), *answer.recollection[:3]] for answer in answers)
    assert all(np.array_equal(one, other, equal_nan=True) for one, other in zip(*parts, strict=True))
    assert all(array.dtype.kind in "biufU" for array in policy.arrays().values())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("embedding_columns", np.arange(3)),
        ("embedding_coefficients", np.zeros((4, 3))),
        ("embedding_range", np.full((2, 5), np.nan)),
    ],
)
def test_an_embedding_that_does_not_fit_together_is_refused(name: str, change: np.ndarray) -> None:
    arrays = Memory.of(steps(), policy_settings("knn"), CHANNELS).arrays()
    with pytest.raises(ValueError, match="embedding"):
        Memory.from_arrays({**arrays, name: change})


def test_a_group_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match=r"policy embedding: found smell, allowed: clock, offset, seen"):
        Embedding.fit(observations(), CHANNELS, replace(SETTINGS, sees="smell"))


def test_surprise_is_calibrated_without_an_episode_in_the_embedding_as_well() -> None:
    known, settings = steps(), policy_settings("knn")
    found = surprises_left_out(known, settings, CHANNELS)
    for number, part in zip(range(3), episode_slices(known.episode), strict=False):
        memory = Memory.of(known.subset(np.delete(np.arange(len(known)), part)), settings, CHANNELS)
        assert found[number] == largest_surprise(memory.recollection(memory.recall(known.observations[part])))


@pytest.mark.parametrize("end", ["min", "max"])
def test_what_is_beyond_the_training_counts_as_its_edge_on_either_side(end: str) -> None:
    known = observations()
    embedding = Embedding.fit(known, CHANNELS, SETTINGS)
    edge, beyond = known[:1].copy(), known[:1].copy()
    edge[0, SEEN] = getattr(known[:, SEEN], end)(axis=0)
    beyond[0, SEEN] = -1e6 if end == "min" else 1e6
    assert np.array_equal(embedding(beyond), embedding(edge))


def test_near_a_goal_an_embedding_is_more_exact() -> None:
    """What it is to tell is no polynomial here: where it errs is a matter of what counts."""
    known = observations(2000)
    known[:, OFFSET] = np.sinh(2 * known[:, OFFSET])
    near = np.linalg.norm(known[:, OFFSET], axis=1) < 1
    errors = {}
    for much in (0.05, 1e6):
        embedding = Embedding.fit(known, CHANNELS, replace(SETTINGS, near=much))
        errors[much] = np.abs(embedding(known) - known[:, OFFSET])[near].mean()
    assert errors[0.05] < 0.8 * errors[1e6]
