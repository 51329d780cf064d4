"""The scripted expert stands in for a person at the robot: recordings of the held-out world, and none of its tests."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stages.core import tables
from stages.core.recordings import read_recording
from stages.tasks.kuka_reach import KukaReach


def test_what_was_recorded_in_the_held_out_world_is_imported_like_a_persons(
    stage: Any, root: Path, tmp_path: Path
) -> None:
    params = ("--params", root / "params.yaml")
    ended = stage("stand_in", "kuka_reach", "real", "--episodes", 2, "--output", tmp_path / "own", *params)
    assert ended.status == 0, ended.output
    files = sorted((tmp_path / "own").iterdir())
    assert [file.name for file in files] == ["real_1.parquet", "real_2.parquet"]
    again = stage("stand_in", "kuka_reach", "real", "--episodes", 2, "--output", tmp_path / "again", *params)
    assert again.status == 0
    assert [file.read_bytes() for file in files] == [(tmp_path / "again" / file.name).read_bytes() for file in files]
    given = [part for file in files for part in ("--recording", file)]
    assert stage("demonstrate", "kuka_reach", *given, "--output", tmp_path / "shown", *params).status == 0
    steps, _ = tables.read_episodes(tmp_path / "shown", "kuka_reach", KukaReach)
    rows = np.concatenate([read_recording(file, KukaReach.recorded) for file in files])
    assert np.array_equal(tables.matrix(steps, "action", KukaReach.action), rows[:, -7:])


def test_its_worlds_are_not_those_of_evaluation(chain: Any, stage: Any, root: Path, tmp_path: Path) -> None:
    params = ("--params", root / "params.yaml")
    assert stage("stand_in", "kuka_reach", "shown", "--episodes", 3, "--output", tmp_path, *params).status == 0
    recorded = [read_recording(file, KukaReach.recorded)[0, :10] for file in tmp_path.iterdir()]
    evaluated, _ = tables.read_episodes(chain.data / "kuka_reach" / "round_0" / "evaluation", "kuka_reach", KukaReach)
    starts = tables.matrix(evaluated, "observation", KukaReach.observation)
    assert not any((starts == one).all(axis=1).any() for one in recorded)


def test_what_cannot_be_recorded_is_told(stage: Any, root: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (("kuka_reach", "nowhere"), "condition: found nowhere, allowed: shown, far"),
        (("kuka_joints", "real"), "task: found kuka_joints, allowed: one whose recordings"),
        (("kuka_reach", "real", "--episodes", 0), "--episodes: found 0, allowed: at least 1"),
    ):
        ended = stage("stand_in", *arguments, "--output", tmp_path / "out", "--params", root / "params.yaml")
        assert ended.status == 2
        assert ended.output.startswith(f"error: {message}")
        assert not (tmp_path / "out").exists()


def test_of_an_episode_that_fails_no_earlier_recording_stays(
    stage: Any, content: dict[str, Any], tmp_path: Path
) -> None:
    output = tmp_path / "own"

    def record(max_steps: int, episodes: int) -> Any:
        content["demonstrate"]["kuka_reach"]["max_steps"] = max_steps
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
        where = ("--output", output, "--params", tmp_path / "params.yaml")
        return stage("stand_in", "kuka_reach", "real", "--episodes", episodes, *where)

    def there() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in output.iterdir()}

    assert record(200, 2).status == 0
    before = there()
    ended = record(5, 2)
    assert ended.status == 2
    told = "error: real: found no success (timeout), allowed: one or more; nothing was written\n"
    assert ended.output.endswith(told)
    assert there() == before
    ended = record(69, 2)  # the first takes one step more
    assert ended.status == 0
    assert f"{output / 'real_1.parquet'}: timeout, 69 steps; removed an earlier recording of this name" in ended.output
    assert there() == {"real_2.parquet": before["real_2.parquet"]}


def test_what_a_larger_set_left_is_named_and_stays(stage: Any, content: dict[str, Any], tmp_path: Path) -> None:
    content["demonstrate"]["kuka_reach"]["max_steps"] = 100
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    others = {"real_03.parquet", "real_4.csv", "unreal_5.parquet", "real_4_2.parquet", "shown_4.parquet"}
    output = tmp_path / "own"
    output.mkdir()
    for name in (*others, "real_3.parquet", "real_12.parquet", "real_2.parquet"):
        (output / name).write_text("earlier")
    for episodes, left in ((2, "real_3.parquet, real_12.parquet"), (3, "real_12.parquet")):
        where = ("--output", output, "--params", tmp_path / "params.yaml")
        ended = stage("stand_in", "kuka_reach", "real", "--episodes", episodes, *where)
        assert ended.status == 0, ended.output
        told = [line for line in ended.output.splitlines() if "left there" in line]
        assert told == [f"{output}: {left}: left there by an earlier set, and not of this one"]
    earlier = {path.name for path in output.iterdir() if path.read_bytes() == b"earlier"}
    assert earlier == {*others, "real_12.parquet"}
    (output / "real_12.parquet").unlink()
    assert "left there" not in stage("stand_in", "kuka_reach", "real", "--episodes", 3, *where).output
