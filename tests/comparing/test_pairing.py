"""Only episodes of the same condition, seed and world are pairs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.pairing import pair, without_copies
from stages.core import parquet, schemas
from stages.core.errors import UserError
from tests.evaluations import some, write_evaluation


def written(path: Path, wins: dict[str, list[bool]], **others: float) -> Evaluation:
    return read_evaluation(write_evaluation(path, wins, **others) / "evaluation")  # type: ignore[arg-type]


def test_episodes_meet_by_seed_whatever_their_order(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(3, 8), "far": some(0, 4)})
    b = written(tmp_path / "b", {"far": some(4, 4), "near": some(5, 8)})
    near, far = pair(a, b)
    assert (near.condition, len(near), near.lost, near.gained) == ("near", 8, 0, 2)
    assert (far.condition, len(far), far.lost, far.gained) == ("far", 4, 0, 4)
    assert near.differing == near.alone == near.copies == 0


def test_what_one_side_lacks_is_counted_and_left_out(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", {"near": some(3, 8)}), written(tmp_path / "b", {"near": some(3, 5), "far": [True]})
    near, far = pair(a, b)
    assert (len(near), near.alone, near.differing) == (5, 3, 0)
    assert (len(far), far.alone) == (0, 1)


def test_a_world_that_differs_by_the_last_bit_is_another(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(3, 8)})
    start = a.worlds["start"].copy()
    start[2] = np.nextafter(start[2], 9.0)
    (near,) = pair(a, replace(a, worlds={**a.worlds, "start": start}))
    assert (len(near), near.differing, near.alone) == (7, 1, 0)


def test_where_the_world_is_what_changed_episodes_meet_by_seed_alone(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(3, 8)})
    b = written(tmp_path / "b", {"near": some(5, 8)})
    b = replace(b, worlds={**b.worlds, "start": b.worlds["start"] + 1})
    (near,), (anyway,) = pair(a, b), pair(a, b, any_world=True)
    assert (len(near), len(anyway)) == (0, 8)
    assert (anyway.lost, anyway.gained, anyway.differing) == (0, 2, 8)


def test_an_episode_is_no_copy_where_only_one_side_repeats_its_world(tmp_path: Path) -> None:
    a, b = (written(tmp_path / side, {"near": some(8, 8)}, noise=0.0) for side in "ab")
    (both,) = pair(a, b, any_world=True)
    assert (len(both), both.copies) == (1, 7)
    b = replace(b, worlds={**b.worlds, "start": np.arange(8.0)})
    (one,) = pair(a, b, any_world=True)
    assert (len(one), one.copies) == (8, 0)


def test_what_moved_alike_and_was_judged_otherwise_is_not_alike(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(3, 8)})
    ((same,), (judged,)) = pair(a, a), pair(a, replace(a, success=np.zeros(8, dtype=bool)))
    assert (same.alike, judged.alike, judged.lost) == (True, False, 3)


def test_a_knob_that_one_side_lacks_makes_all_worlds_differ(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(3, 8)})
    (near,) = pair(a, replace(a, worlds={**a.worlds, "push": np.zeros(8)}))
    assert (len(near), near.differing) == (0, 8)


def test_what_else_was_given_tells_worlds_apart_where_both_sides_know_it(tmp_path: Path) -> None:
    unknown = written(tmp_path / "a", {"near": some(3, 8)})
    a = replace(unknown, given={"followed": np.ones(8)})
    other = replace(unknown, given={"followed": np.array([1, 1, 1, 1, 1, 1, 2, 2.0])})
    for b, paired in ((a, 8), (unknown, 8), (other, 6)):
        ((near,), (back,)) = pair(a, b), pair(b, a)
        assert len(near) == len(back) == paired
        assert near.differing == back.differing == 8 - paired


@pytest.mark.parametrize(("column", "kind"), [("seed", "int64"), ("world.start", "double"), ("outcome", "string")])
def test_a_column_of_another_type_is_told(tmp_path: Path, column: str, kind: str) -> None:
    folder = write_evaluation(tmp_path, {"near": some(3, 4)}) / "evaluation"
    table = pq.read_table(folder / schemas.EPISODES)
    place, other = table.column_names.index(column), pa.array([True] * 4)
    schema = table.schema.set(place, pa.field(column, pa.bool_(), nullable=False))
    columns = [other if name == column else table[name] for name in table.column_names]
    metadata = {b"task": table.schema.metadata[b"task"]}
    parquet.write_table(pa.table(columns, schema=schema.with_metadata(metadata)), folder / schemas.EPISODES)
    with pytest.raises(UserError, match=f"column {column}: found bool, allowed: {kind}$"):
        read_evaluation(folder)


def test_an_episode_without_its_error_is_told(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path, {"near": some(3, 4)}) / "evaluation"
    table = pq.read_table(folder / schemas.EPISODES)
    place = table.column_names.index("error")
    empty = table.set_column(place, table.schema.field(place), pa.array([0.1, None, 0.1, 0.1]))
    metadata = {b"task": table.schema.metadata[b"task"]}
    parquet.write_table(empty.replace_schema_metadata(metadata), folder / schemas.EPISODES)
    with pytest.raises(UserError, match=r"column error: found an empty cell, allowed: a value in every row$"):
        read_evaluation(folder)


def test_other_seeds_are_other_worlds(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", {"near": some(3, 8)}), written(tmp_path / "b", {"near": some(3, 8)}, seed=2)
    assert [(len(one), one.alone) for one in pair(a, b)] == [(0, 16)]


def test_one_episode_run_many_times_is_one_pair(tmp_path: Path) -> None:
    a, b = (written(tmp_path / name, {"near": some(4, 4)}, noise=0.0) for name in "ab")
    (same,) = pair(a, b)
    assert (len(same), same.copies) == (1, 3)
    assert {knob: len(values) for knob, values in same.worlds.items()} == dict.fromkeys(a.worlds, 1)
    b = written(tmp_path / "c", {"near": some(2, 4)}, noise=0.0)
    (different,) = pair(a, b)
    assert (len(different), different.copies, different.lost) == (2, 2, 1)


def test_noisy_episodes_are_no_copies_however_alike(tmp_path: Path) -> None:
    a = written(tmp_path / "a", {"near": some(4, 4)})
    a = replace(a, worlds={**a.worlds, "start": np.ones(4)})
    assert [(len(one), one.copies) for one in pair(a, a)] == [(4, 0)]


def test_a_seed_that_is_there_twice_is_told(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path, {"near": some(1, 2)})
    table = pq.read_table(folder / "evaluation" / schemas.EPISODES)
    schema = table.schema.remove_metadata().with_metadata({"task": "distance"})
    twice = pa.concat_tables([table, table]).cast(schema)
    parquet.write_table(twice, folder / "evaluation" / schemas.EPISODES)
    with pytest.raises(UserError, match="a seed twice") as caught:
        read_evaluation(folder / "evaluation")
    assert "\n" not in str(caught.value)


def test_what_is_noisy_in_any_way_is_no_copy() -> None:
    for knob in ("observation_noise", "observation_bias", "action_noise"):
        worlds = {name: np.zeros(3) for name in ("start", "observation_noise", "observation_bias", "action_noise")}
        assert len(without_copies(worlds, np.zeros((3, 2)))) == 1
        assert len(without_copies({**worlds, knob: np.full(3, 0.1)}, np.zeros((3, 2)))) == 3, knob


def test_alike_is_to_have_done_the_same_to_the_last_bit(tmp_path: Path) -> None:
    a = read_evaluation(write_evaluation(tmp_path, {"near": some(3, 8)}) / "evaluation")
    other = a.endings.copy()
    other[2, 1] = np.nextafter(other[2, 1], 9.0)
    assert [pair(a, b)[0].alike for b in (a, replace(a, endings=other))] == [True, False]
