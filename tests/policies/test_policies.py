"""What every policy promises, whatever its kind."""

import io
from pathlib import Path
import pickle
import zipfile

import numpy as np
import pytest

from stages.core.episode import Steps
from stages.core.errors import UserError
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.policy import Policy, Trained, load_policy, policy_controller, save_policy
from stages.core.task import Floats, Task, vector
from stages.policies import POLICIES
from stages.tasks.distance import Distance
from stages.tasks.kuka_reach import KukaReach

CHANNELS = vector("joint", "rad", 3)
KINDS = pytest.mark.parametrize("kind", POLICIES)


def known(rows: int = 200) -> Steps:
    rng = np.random.default_rng(0)
    index = np.arange(rows)
    return Steps(
        index // 20, index % 20, index * 0, ["expert"] * rows, rng.normal(size=(rows, 3)), rng.normal(size=(rows, 2))
    )


def fitted(kind: str, steps: Steps | None = None, neighbors: int = 4) -> Policy:
    features = {"joint": FeatureSettings(scale=0.3, squash="asinh")}
    settings = PolicySettings(kind=kind, neighbors=neighbors, weights="distance", features=features)
    return POLICIES[kind].fit(steps or known(), settings, CHANNELS)


def questions(rows: int = 41) -> Floats:
    return np.random.default_rng(1).normal(size=(rows, 3))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.npz"
    save_policy(path, Trained("distance", "knn", fitted("knn", known(6)), 0.25))
    return path


@KINDS
def test_a_row_of_the_answer_depends_on_its_row_of_the_question_alone(kind: str) -> None:
    policy, asked = fitted(kind), questions()
    whole = policy.act(asked)
    assert whole.actions.shape == (41, 2)
    assert whole.novelty.shape == (41,)
    scores = whole.recollection.scores()
    for size in (1, 2, 7, 40):
        for start in range(0, len(asked), size):
            part = policy.act(asked[start : start + size])
            assert np.array_equal(part.actions, whole.actions[start : start + size])
            for here, there in zip(part.recollection.scores()[:3], scores[:3], strict=True):
                assert np.array_equal(here, there[start : start + size])


@KINDS
def test_a_row_of_the_votes_depends_on_its_row_of_the_question_alone(kind: str) -> None:
    policy, asked = fitted(kind), questions()
    whole = policy.votes(asked)
    for row in range(len(asked)):
        alone = policy.votes(asked[row : row + 1])
        assert all(np.array_equal(one[0], of_all[row]) for one, of_all in zip(alone, whole, strict=True))


@KINDS
def test_the_votes_are_those_of_the_nearest_rows_and_make_the_answer(kind: str) -> None:
    policy, asked, steps = fitted(kind), questions(), known()
    votes, answer = policy.votes(asked), policy.act(asked)
    points, queries = (np.arcsinh(seen / 0.3) for seen in (steps.observations, asked))
    distances = np.linalg.norm(points - queries[:, None], axis=2)
    assert np.array_equal(votes.rows, np.argsort(distances, axis=1)[:, :4])
    assert np.allclose(votes.distances, np.sort(distances, axis=1)[:, :4], rtol=0, atol=1e-12)
    assert np.array_equal(votes.distances[:, -1], answer.novelty)
    if not policy.by_neighbors:
        assert not votes.weights.any()
        return
    proposed = steps.actions[votes.rows]
    total, weight = (np.cumsum(part, axis=1)[:, -1] for part in (votes.weights[..., None] * proposed, votes.weights))
    mean = total / weight[:, None]
    assert np.array_equal(np.clip(mean, proposed.min(axis=1), proposed.max(axis=1)), answer.actions)


@KINDS
def test_scores_are_those_of_the_nearest_rows(kind: str) -> None:
    policy, asked, steps = fitted(kind), questions(), known()
    votes, scores = policy.votes(asked), policy.act(asked).recollection.scores()
    points, queries = (np.arcsinh(seen / 0.3) for seen in (steps.observations, asked))
    centre = points[votes.rows].mean(axis=1)
    assert np.allclose(scores.extrapolation, np.linalg.norm(queries - centre, axis=1), rtol=0, atol=1e-12)
    assert (scores.extrapolation <= scores.novelty).all()
    proposed = steps.actions[votes.rows] / steps.actions.std(axis=0)
    weights = np.repeat((1 / (votes.distances + 0.1 * votes.distances[:, -1:]))[..., None], 2, axis=2)
    mean = np.average(proposed, axis=1, weights=weights)
    variance = np.average((proposed - mean[:, None]) ** 2, axis=1, weights=weights)
    assert np.allclose(scores.disagreement, np.sqrt(variance.mean(axis=1)), rtol=0, atol=1e-6)


@KINDS
def test_rows_that_say_the_same_do_not_disagree(kind: str) -> None:
    steps = known()
    same = Steps(
        *(getattr(steps, name) for name in ("episode", "frame", "round", "source", "observations")), steps.actions * 0
    )
    assert not fitted(kind, same).act(questions()).recollection.scores().disagreement.any()


@pytest.mark.parametrize("kind", [kind for kind in POLICIES if POLICIES[kind].by_neighbors])
def test_an_answer_by_fewer_neighbours_is_that_of_a_policy_with_as_many(kind: str) -> None:
    policies = [fitted(kind, neighbors=count) for count in (1, 3, 4)]
    for policy, actions in zip(policies, policies[-1].act_by(questions(), [1, 3, 4]), strict=True):
        assert np.array_equal(policy.act(questions()).actions, actions)


@KINDS
def test_fitting_twice_gives_the_same_policy(kind: str) -> None:
    one, other = fitted(kind).act(questions()), fitted(kind).act(questions())
    assert np.array_equal(one.actions, other.actions)


@KINDS
def test_fitting_and_acting_change_neither_steps_nor_observations(kind: str) -> None:
    steps, asked = known(), questions()
    for array in (steps.observations, steps.actions, steps.episode, asked):
        array.flags.writeable = False
    before = [steps.observations.copy(), steps.actions.copy(), asked.copy()]
    fitted(kind, steps).act(asked)
    for array, old in zip((steps.observations, steps.actions, asked), before, strict=True):
        assert np.array_equal(array, old)


@KINDS
def test_what_is_trusted_more_draws_the_answer_to_itself(kind: str) -> None:
    """Two experts who disagree everywhere: the answer lies between theirs, nearer to the one who is trusted."""
    steps = known()
    disagreeing = Steps(
        np.repeat(steps.episode, 2),
        np.repeat(steps.frame, 2),
        np.repeat(steps.round, 2),
        ["expert", "person"] * len(steps),
        np.repeat(steps.observations, 2, axis=0),
        np.tile([[1.0, 1.0], [-1.0, -1.0]], (len(steps), 1)),
    )
    features = {"joint": FeatureSettings(scale=0.3, squash="asinh")}
    means = []
    for trust in ({"expert": 20.0}, {}, {"person": 20.0}):
        settings = PolicySettings(kind=kind, neighbors=4, weights="distance", features=features, trust=trust)
        means.append(POLICIES[kind].fit(disagreeing, settings, CHANNELS).act(questions()).actions.mean())
    assert means[0] > 0.5 > means[1] + 0.3 > means[1] > means[2] + 0.3
    assert means[2] < -0.5


@KINDS
def test_what_was_known_is_not_new(kind: str) -> None:
    policy = fitted(kind)
    assert policy.act(known().observations).novelty.max() < policy.act(np.full((1, 3), 50.0)).novelty[0]


@KINDS
def test_a_policy_comes_back_from_its_file_to_the_bit(kind: str, tmp_path: Path) -> None:
    policy = fitted(kind)
    for name in ("a.npz", "b.npz"):
        save_policy(tmp_path / name, Trained("distance", kind, policy, 0.25, 3.5))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = load_policy(tmp_path / "a.npz", "distance", POLICIES)
    assert (loaded.task, loaded.kind, loaded.threshold, loaded.surprise_threshold) == ("distance", kind, 0.25, 3.5)
    answers = (one.act(questions()) for one in (loaded.policy, policy))
    here, there = ((answer.actions, *answer.recollection.scores(), *answer.recollection[:3]) for answer in answers)
    for one, other in zip(here, there, strict=True):
        assert np.array_equal(one, other, equal_nan=True)


@KINDS
def test_nothing_in_a_file_is_a_pickle(kind: str) -> None:
    for name, array in fitted(kind).arrays().items():
        assert array.dtype.kind in "biufU", name


# What is refused


def test_a_flipped_bit_is_noticed_or_harmless(file: Path) -> None:
    whole, rng, noticed = file.read_bytes(), np.random.default_rng(2), 0
    trained = load_policy(file, "distance", POLICIES)
    # The headers of arrays are text within the checksummed part: flip them more often.
    headers = [place for place in range(len(whole) - 60) if whole[place : place + 6] == b"\x93NUMPY"]
    places = [*rng.integers(len(whole), size=300), *(rng.choice(headers) + rng.integers(10, 70) for _ in range(200))]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        try:
            found = load_policy(file, "distance", POLICIES)
        except UserError as told:
            noticed += 1
            assert str(file) in str(told)
            continue
        assert (found.threshold, found.surprise_threshold) == (trained.threshold, trained.surprise_threshold)
        for name, array in trained.policy.arrays().items():
            assert np.array_equal(found.policy.arrays()[name], array), (place, name)
    assert noticed > len(places) / 2


def test_an_array_that_would_be_read_short_of_its_end_is_noticed(file: Path) -> None:
    """numpy would take half of the numbers, and not come to the end where the zip's checksum is compared."""
    save_policy(file, Trained("distance", "knn", fitted("knn", known(600)), 0.25))
    whole = bytearray(file.read_bytes())
    place = whole.index(b"<f8", whole.index(b"points.npy"))
    whole[place : place + 3] = b"<f4"
    file.write_bytes(whole)
    with pytest.raises(UserError, match="not a whole policy file"):
        load_policy(file, "distance", POLICIES)


class Trap:
    """Unpickling it calls a function."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was loaded",)


def test_a_pickle_is_refused_without_being_loaded(file: Path) -> None:
    with np.load(file) as arrays:
        content = dict(arrays)
    np.savez(file, allow_pickle=True, **{**content, "points": np.array([Trap()], dtype=object)})
    with pytest.raises(UserError, match=r"not a whole policy file.*allow_pickle"):
        load_policy(file, "distance", POLICIES)
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match="not a whole policy file"):
        load_policy(file, "distance", POLICIES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": np.array("kuka_reach")}, "trained for task kuka_reach, needed for task distance"),
        ({"kind": np.array("oracle")}, "found a policy of kind oracle, allowed: knn"),
        ({"points": np.zeros((5, 3))}, "not a policy of kind knn .*differ in length"),
        ({"points": np.zeros((6, 2))}, "not a policy of kind knn .*features"),
        ({"scales": np.ones(1)}, "not a policy of kind knn .*features"),
        ({"neighbors": np.array(7)}, "not a policy of kind knn .*differ in length"),
        ({"actions": np.full((6, 2), np.nan)}, "not a policy of kind knn .*not finite"),
        ({"actions": np.full((6, 2), 1e200)}, "not a policy of kind knn .*not finite"),
        ({"points": np.full((6, 3), 1e200)}, "not a policy of kind knn .*not finite"),
        ({"actions": np.zeros((6, 0))}, "not a policy of kind knn .*do nothing"),
        ({"trust": np.full(6, 1e-200)}, "not a policy of kind knn .*not trust"),
        ({"points": None}, "not a policy of kind knn .*points"),
        ({"points": np.zeros((6, 3), dtype="M8[s]")}, "not a policy of kind knn .*no numbers"),
        ({"actions": np.zeros((6, 2), dtype=np.float32)}, "not a policy of kind knn .*no numbers"),
        ({"columns": np.array([0.0, 1.0, 2.0])}, "not a policy of kind knn .*no features"),
        ({"columns": np.array([0, 1, -1])}, "not a policy of kind knn .*out of bounds"),
        ({"scales": np.array([1.0, 0.0, 1.0])}, "not a policy of kind knn .*out of bounds"),
        ({"scales": np.array([1.0, 1e-300, 1.0])}, "not a policy of kind knn .*out of bounds"),
        ({"scales": np.ones(3, dtype=np.float16)}, "not a policy of kind knn .*no features"),
        ({"scales": np.array([1.0, np.nan, 1.0])}, "not a policy of kind knn .*out of bounds"),
        ({"threshold": np.array(np.nan)}, "not a whole policy file .*threshold is nan"),
        ({"threshold": np.array(-1.0)}, r"not a whole policy file .*threshold is -1\.0"),
        ({"task": np.array("a\nb")}, r"trained for task a\\nb, needed for task distance"),
        ({"surprise_threshold": np.array(-1.0)}, r"not a whole policy file .*threshold of surprise is -1\.0"),
        ({"surprise_threshold": np.array(np.nan)}, "not a whole policy file .*threshold of surprise is nan"),
        ({"followed": np.zeros(5, dtype=bool)}, "not a policy of kind knn .*differ in length"),
        ({"followed": np.zeros(6)}, "not a policy of kind knn .*no numbers"),
        ({"threshold": None}, "not a whole policy file .*threshold"),
        ({"threshold": np.array("x")}, "not a whole policy file"),
    ],
)
def test_arrays_that_do_not_belong_together_are_told(
    change: dict[str, np.ndarray | None], message: str, file: Path
) -> None:
    with np.load(file) as arrays:
        content = {**arrays, **change}
    np.savez(file, **{name: array for name, array in content.items() if array is not None})
    with pytest.raises(UserError, match=f"^{file}: {message}") as told:
        load_policy(file, "distance", POLICIES)
    assert "\n" not in str(told.value)


def test_a_compressed_policy_is_not_unpacked(file: Path) -> None:
    with np.load(file) as arrays:
        content = dict(arrays)
    np.savez_compressed(file, **{**content, "points": np.zeros((10**6, 3))})
    with pytest.raises(UserError, match=r"not a whole policy file .*compressed"):
        load_policy(file, "distance", POLICIES)


@pytest.mark.parametrize(("task", "said"), [(Distance, "does not fit task distance"), (KukaReach, "found 2 action ch")])
def test_a_policy_that_does_not_answer_the_task_is_told(task: type[Task], said: str) -> None:
    """Three observed and two commanded channels: too many for the one task, too few for the other."""
    trained = Trained("distance", "knn", fitted("knn"), 1.0)
    with pytest.raises(UserError, match=f"^policy: .*{said}"):
        policy_controller(trained, "act", task)


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "a zip of something else"])
def test_a_file_that_is_no_policy_is_told(damage: str, file: Path) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("a.txt", "b")
    whole = file.read_bytes()
    file.unlink()
    damaged = {"empty": b"", "text": b"policy", "truncated": whole[:500], "a zip of something else": other.getvalue()}
    if damage in damaged:
        file.write_bytes(damaged[damage])
    with pytest.raises(UserError, match=f"^{file}: (no such file|not a whole policy file)") as told:
        load_policy(file, "distance", POLICIES)
    assert "\n" not in str(told.value)


# The controller


def two_rows() -> Trained:
    index = np.arange(2)
    steps = Steps(index, index, index, ["person"] * 2, np.array([[1.0], [3.0]]), np.array([[-0.1], [-0.5]]))
    features = {"distance": FeatureSettings(scale=1)}
    settings = PolicySettings(kind="knn", neighbors=1, weights="uniform", features=features)
    return Trained("distance", "knn", POLICIES["knn"].fit(steps, settings, Distance.observation), 1.0)


@pytest.mark.parametrize(("response", "far_action"), [("act", -0.5), ("hold", 0.0), ("runaway", 5.0), ("ask", -0.9)])
def test_a_response_replaces_the_action_only_above_the_threshold(response: str, far_action: float) -> None:
    decision = policy_controller(two_rows(), response, Distance)(np.array([[1.0], [4.0], [4.5]]))  # type: ignore[arg-type]
    assert decision.actions.ravel().tolist() == pytest.approx([-0.1, -0.5, far_action])
    assert decision.recollection.novelty.tolist() == [0.0, 1.0, 1.5]
    assert decision.shift.tolist() == [False, False, True]
    # What stands for a stop or a fault is not noisy; the expert commands as the policy does.
    assert decision.final.tolist() == [False, False, response in ("hold", "runaway")]
    assert decision.asked.tolist() == [False, False, response == "ask"]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (np.array([[1.0], [np.nan]]), "found distance nan observed, allowed: numbers"),
        (np.zeros((1, 2)), r"found the shape \(1, 2\), allowed: \(rows, 1\), for the channels distance"),
        (np.zeros(1), r"found the shape \(1,\), allowed: \(rows, 1\), for the channels distance"),
    ],
)
def test_a_controller_refuses_what_is_no_observation(seen: np.ndarray, said: str) -> None:
    """Of what is no number no novelty could warn."""
    with pytest.raises(UserError, match=said):
        policy_controller(two_rows(), "act", Distance)(seen)


def test_a_response_there_is_not_is_refused() -> None:
    """Spelt otherwise, a robot that was to stop would go on."""
    with pytest.raises(UserError, match="response: found Hold, allowed: act, hold, runaway, ask"):
        policy_controller(two_rows(), "Hold", Distance)  # type: ignore[arg-type]


def test_a_controller_takes_lists() -> None:
    assert policy_controller(two_rows(), "act", Distance)([[1.0]]).actions.tolist() == [[-0.1]]  # type: ignore[arg-type]
