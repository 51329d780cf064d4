"""Laws of the seeded streams and of the worlds that are drawn from them."""

import numpy as np
import pytest

from stages.core.params import Range
from stages.core.streams import derive, stream, uniform
from stages.core.task import Knob
from stages.core.worlds import draw_world, plan_episodes

KNOBS = {"start": Knob("m", 1.0, ""), "mass": Knob("kg", 2.0, ""), "kind": Knob("1", 0.0, "", integer=True)}
RANGES = {"start": Range(0, 5), "mass": Range(1, 2), "kind": Range(3, 5)}


def test_the_same_names_give_the_same_stream() -> None:
    assert np.array_equal(stream(1, "a", 2).random(5), stream(1, "a", 2).random(5))


@pytest.mark.parametrize("names", [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1"), ("1", "a"), (1, "a")])
def test_other_names_give_another_stream(names: tuple[str | int, ...]) -> None:
    others = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1"), ("1", "a"), (1, "a")]
    others.remove(names)
    assert derive(1, *names) not in [derive(1, *other) for other in others]
    assert derive(2, *names) != derive(1, *names)


def test_a_seed_fits_a_signed_column() -> None:
    seeds = [derive(1, number) for number in range(2000)]
    assert min(seeds) >= 0
    assert 2**62 < max(seeds) < 2**63


def test_uniform_is_uniform_in_zero_to_one() -> None:
    drawn = np.array([uniform(3, "u", number) for number in range(4000)])
    assert 0 <= drawn.min() < 0.002
    assert 0.998 < drawn.max() < 1
    assert np.abs(np.sort(drawn) - np.linspace(0, 1, len(drawn))).max() < 0.03  # Kolmogorov-Smirnov: p = 0.001


def test_neighbouring_streams_are_independent() -> None:
    some, others = ([uniform(number, name) for number in range(4000)] for name in ("a", "b"))
    assert abs(np.corrcoef(some, others)[0, 1]) < 0.06
    assert abs(np.corrcoef(some[1:], some[:-1])[0, 1]) < 0.06


def test_a_knob_that_is_added_moves_no_other() -> None:
    fewer = {name: KNOBS[name] for name in ("mass", "kind")}
    for seed in range(20):
        world = draw_world(KNOBS, RANGES, seed, seed)
        del world["start"]
        assert draw_world(fewer, RANGES, seed, seed) == world


def test_a_range_that_is_changed_moves_no_other_knob() -> None:
    for seed in range(20):
        one = draw_world(KNOBS, RANGES, seed, seed)
        other = draw_world(KNOBS, {**RANGES, "start": Range(7, 8)}, seed, seed)
        assert 7 <= other.pop("start") <= 8
        assert 0 <= one.pop("start") <= 5
        assert one == other


def test_a_knob_without_a_range_has_its_default() -> None:
    assert draw_world(KNOBS, {}, 5, 0) == {"start": 1.0, "mass": 2.0, "kind": 0.0}


def test_integer_knobs_take_their_values_in_turn() -> None:
    drawn = [plan.world["kind"] for plan in plan_episodes(KNOBS, RANGES, 7, "c", 1, "n")]
    assert drawn == [3, 4, 5, 3, 4, 5, 3]


def test_a_plan_is_the_same_however_many_others_there_are() -> None:
    many = plan_episodes(KNOBS, RANGES, 50, "c", 1, "n")
    few = plan_episodes(KNOBS, RANGES, 10, "c", 1, "n")
    for one, other in zip(few, many, strict=False):
        assert (one.index, one.seed, one.world) == (other.index, other.seed, other.world)


def test_where_numbering_starts_changes_no_world() -> None:
    for one, other in zip(
        plan_episodes(KNOBS, RANGES, 5, "c", 1, "n"), plan_episodes(KNOBS, RANGES, 5, "c", 1, "n", first=9), strict=True
    ):
        assert other.index == one.index + 9
        assert (one.seed, one.world) == (other.seed, other.world)


def test_sets_of_worlds_with_other_names_share_no_seed() -> None:
    names = [("practice", "round_0"), ("practice", "round_1"), ("evaluate", "near"), ("evaluate", "far")]
    seeds = [plan.seed for some in names for plan in plan_episodes(KNOBS, RANGES, 100, "c", 1, *some)]
    assert len(set(seeds)) == 400
