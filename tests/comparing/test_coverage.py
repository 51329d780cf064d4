"""Every world of a baseline is judged, or told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.comparing.coverage import Coverage, cover
from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.pairing import pair
from stages.comparing.sources import Side
from tests.evaluations import Wins, some, write_evaluation


def covered(before: Evaluation, now: Evaluation) -> Coverage:
    """What is covered where these are all that either side has."""
    old, new = (Side("old", {}, {one.task: one}, Path()) for one in (before, now))
    return cover(old, new, pair(before, now))


def written(folder: Path, wins: Wins, noise: float = 0.02) -> Evaluation:
    return read_evaluation(write_evaluation(folder, wins, noise=noise) / "evaluation")


@pytest.mark.parametrize(
    ("now", "missing", "short"),
    [
        ({"near": some(8, 8), "far": some(8, 8)}, [], {}),
        ({"near": some(9, 9), "far": some(8, 8), "new": some(3, 3)}, [], {}),
        ({"near": some(8, 8), "far": some(3, 3)}, [], {"far": 5}),
        ({"near": some(8, 8)}, ["distance far"], {}),
        ({"near": some(1, 1)}, ["distance far"], {"near": 7}),
    ],
)
def test_what_the_baseline_has_more_is_found(
    now: Wins, missing: list[str], short: dict[str, int], tmp_path: Path
) -> None:
    found = covered(written(tmp_path / "a", {"near": some(8, 8), "far": some(8, 8)}), written(tmp_path / "b", now))
    assert found.missing == missing
    assert {one.condition: one.lacking for one in found.short} == short
    assert found.whole == (not missing and not short)


def test_a_world_that_differs_has_no_partner(tmp_path: Path) -> None:
    before = written(tmp_path, {"near": some(8, 8)})
    start = before.worlds["start"].copy()
    start[2:4] = np.nextafter(start[2:4], 9.0)
    found = covered(before, replace(before, worlds={**before.worlds, "start": start}))
    assert [(one.lacking, one.worlds, one.differing, one.alone) for one in found.short] == [(2, 8, 2, 0)]
    assert found.lines == ["distance near: left out 2 seeds whose worlds differ."]


def test_a_copy_has_a_partner(tmp_path: Path) -> None:
    one = written(tmp_path, {"near": some(4, 4)}, noise=0.0)
    found = covered(one, one)
    assert found.whole
    assert [(part.copies, part.lacking) for part in found.parts] == [(3, 0)]


def test_a_task_that_one_side_lacks_is_told(tmp_path: Path) -> None:
    one = written(tmp_path, {"near": some(4, 4)})
    few, many = Side("few", {}, {"distance": one}, tmp_path), Side("many", {}, {"distance": one, "kuka": one}, tmp_path)
    gone, new = cover(many, few, pair(one, one)), cover(few, many, pair(one, one))
    assert (gone.missing, gone.tasks, gone.whole, gone.lines) == (["kuka"], ["kuka"], False, [])
    assert (new.missing, new.tasks, new.whole) == ([], ["kuka"], True)
    assert new.lines == ["kuka: left out, one side lacks it."]
