"""The lab exercise: its rules, and its story in small."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stages.core import tables
from stages.core.task import Floats
from stages.tasks.distance import Distance
from tests.chain import ROOT


@pytest.fixture
def task() -> Distance:
    return Distance()


@pytest.mark.parametrize(
    ("start", "step", "outcome"),
    [
        (1.0, -0.95, "success"),
        (1.0, -1.05, "success"),
        (1.0, -0.875, None),
        (1.0, -3.0, None),
        (1.0, -3.01, "crash"),
        (15.0, 5.0, None),
        (15.0, 5.01, "crash"),
    ],
)
def test_success_is_within_a_tenth_and_a_crash_beyond_the_bounds(
    start: float, step: float, outcome: str | None, task: Distance
) -> None:
    world = {knob: known.default for knob, known in task.knobs.items()}
    assert task.reset({**world, "start": start}, np.random.default_rng(0)).tolist() == [start]
    assert task.outcome is None
    assert task.step(np.array([step])).tolist() == [start + step]
    assert task.outcome == outcome
    assert task.error == abs(start + step)


def test_the_expert_comes_nearer_with_every_step_and_never_crosses_over() -> None:
    for distance in (*np.linspace(-2, 20, 111), 1e-9):
        after = distance + Distance.expert(np.array([[distance]]))[0, 0]
        assert abs(after) < abs(distance) or distance == 0
        assert after * distance >= 0


# The lab's story, of the chain in small


def evaluation(chain: Any, number: int, condition: str) -> tuple[pa.Table, pa.Table]:
    folder = chain.data / "distance" / f"round_{number}" / "evaluation"
    steps, episodes = tables.read_episodes(folder, "distance", Distance)
    wanted = episodes.filter(pc.equal(episodes["condition"], condition))
    return steps.filter(pc.is_in(steps["episode_index"], wanted["episode_index"])), wanted


def outcomes(chain: Any, number: int, condition: str) -> list[str]:
    found: list[str] = evaluation(chain, number, condition)[1]["outcome"].to_pylist()
    return found


def column(table: pa.Table, name: str) -> Floats:
    values: Floats = table[name].to_numpy()
    return values


def test_near_succeeds_before_any_correction(chain: Any) -> None:
    found = outcomes(chain, 0, "near")
    assert len(found) == 150
    assert found.count("success") > 0.95 * len(found)


def test_far_runs_away_and_crashes_until_it_is_corrected(chain: Any) -> None:
    assert set(outcomes(chain, 0, "far")) == {"crash"}
    for number in (1, 2):
        corrected = outcomes(chain, number, "far")
        assert corrected.count("success") > 0.95 * len(corrected)


def test_one_corrected_point_does_not_mend_what_lies_beyond(chain: Any) -> None:
    before, after = (outcomes(chain, number, "beyond").count("success") for number in (0, 1))
    assert before < after < 0.9 * 150


def test_running_away_is_five_exactly_without_noise(chain: Any) -> None:
    steps, _ = evaluation(chain, 0, "far")
    shift = column(steps, "shift")
    assert shift.any()
    assert (column(steps, "novelty")[shift] > 1).all()
    assert (column(steps, "action.step")[shift] == 5.0).all()
    assert (column(steps, "executed.step")[shift] == 5.0).all()
    assert column(steps, "observation.distance")[:2].tolist() == [11.5, 16.5]


def test_other_steps_are_recorded_ones_with_noise_within_two_hundredths(chain: Any) -> None:
    steps, _ = evaluation(chain, 0, "near")
    shift = column(steps, "shift")
    action, executed = column(steps, "action.step")[~shift], column(steps, "executed.step")[~shift]
    assert np.abs(executed - action).max() <= 0.02 + 1e-12
    assert np.abs(executed - action).max() > 0.0199
    assert abs((executed - action).mean()) < 0.001
    assert set(action) <= {-2, -1.5, -1, -0.5, -0.4, -0.3, -0.2, -0.15, -0.1, -0.05}


def test_evaluation_worlds_are_the_same_in_every_round(chain: Any) -> None:
    first, second = (evaluation(chain, number, "region")[1] for number in (0, 1))
    for name in ("episode_index", "seed", "world.start"):
        assert first[name].equals(second[name])
    assert len(set(first["world.start"].to_pylist())) == 150


def test_practice_shares_no_world_with_evaluation_or_another_round(chain: Any) -> None:
    seeds = []
    for number in (0, 1, 2):
        folder = chain.data / "distance" / f"round_{number}"
        seeds += tables.read_episodes(folder / "practice", "distance", Distance)[1]["seed"].to_pylist()
    seeds += tables.read_episodes(chain.data / "distance" / "round_0" / "evaluation", "distance", Distance)[1][
        "seed"
    ].to_pylist()
    assert len(set(seeds)) == len(seeds)


def test_a_recording_of_mistaken_sign_or_unit_is_no_recording() -> None:
    pairs = np.array([[11.5, -3.5], [3.0, -1.0], [12.0, -4.0]])  # that do not follow one another
    for whole in (recorded("lab"), recorded("correction"), pairs):
        assert Distance.flaw(whole) is None
    turned, millimetres = recorded("lab") * [1, -1], recorded("lab") * 1000
    assert "found steps that lead away from the next distance" in str(Distance.flaw(turned))
    assert Distance.flaw(millimetres) == "found the distance 10000 m, allowed: -2 to 20 m"


def recorded(name: str) -> Floats:
    return np.loadtxt(ROOT / f"data/recordings/distance/{name}.csv", delimiter=",", skiprows=1, ndmin=2)
