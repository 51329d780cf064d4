"""What is shown is the expert's, noisy in its motion and clean in its labels, or a person's as it was recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from stages.core import schemas, tables
from stages.tasks import TASKS
from stages.tasks.distance import Distance
from stages.tasks.kuka_reach import KukaReach


def test_a_recording_of_ones_own_is_imported_in_place_of_those_of_the_parameters(
    stage: Any, root: Path, tmp_path: Path
) -> None:
    custom = tmp_path / "custom.csv"
    custom.write_text("step,distance\n-1,3\n-0.5,1\n")
    pq.write_table(pa.table({"distance": [2.0], "step": [-0.1]}), tmp_path / "more.parquet")
    files = ("--recording", custom, "--recording", tmp_path / "more.parquet")
    ended = stage("demonstrate", "distance", *files, "--output", tmp_path / "out", "--params", root / "params.yaml")
    assert ended.status == 0, ended.output
    steps, episodes = tables.read_episodes(tmp_path / "out", "distance", Distance)
    assert steps["episode_index"].to_pylist() == [0, 0, 1]
    assert steps["observation.distance"].to_pylist() == [3, 1, 2]
    assert steps["action.step"].to_pylist() == [-1, -0.5, -0.1]
    assert episodes["condition"].to_pylist() == ["recording"] * 2
    # Where it was made, and what was left to the goal, was not recorded.
    unknown = [name for name in episodes.column_names if name.startswith("world.")]
    assert steps["error"].null_count == 3
    assert {episodes[name].null_count for name in (*unknown, "error")} == {2}
    ended = stage("demonstrate", "distance", *files, "--recordings", tmp_path, "--output", tmp_path / "no")
    assert (ended.status, ended.output) == (2, "error: --recordings: has no effect with --recording\n")
    (tmp_path / "same.csv").symlink_to(custom)
    ended = stage("demonstrate", "distance", *files, "--recording", tmp_path / "same.csv", "--output", tmp_path / "no")
    assert (ended.status, ended.output) == (2, f"error: --recording: found {custom} again, allowed: each file once\n")
    assert not (tmp_path / "no").exists()


def test_the_label_is_the_experts_clean_action(chain: Any) -> None:
    steps, _ = tables.read_episodes(chain.data / "kuka_reach" / "demonstrations", "kuka_reach", KukaReach)
    seen = tables.matrix(steps, "observation", KukaReach.observation)
    shown, executed = (tables.matrix(steps, kind, KukaReach.action) for kind in ("action", "executed"))
    assert np.array_equal(KukaReach.expert(seen), shown)
    assert np.abs(executed - shown).max() > 0


@pytest.mark.parametrize("text", ["distance,step\n1,x\n", "distance\n1\n", "", "distance,step\n1,nan\n2,1\n"])
def test_a_broken_recording_ends_with_status_2_and_leaves_the_outputs(
    text: str, stage: Any, root: Path, tmp_path: Path
) -> None:
    custom = tmp_path / "custom.csv"
    output = ("--output", tmp_path / "out", "--params", root / "params.yaml")
    custom.write_text("distance,step\n1,2\n")
    assert stage("demonstrate", "distance", "--recording", custom, *output).status == 0
    before = (tmp_path / "out" / schemas.STEPS).read_bytes()
    custom.write_text(text)
    ended = stage("demonstrate", "distance", "--recording", custom, *output)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {custom}: ")
    assert ended.output.count("\n") == 1
    assert (tmp_path / "out" / schemas.STEPS).read_bytes() == before


def test_an_unknown_task_is_told(stage: Any, root: Path, tmp_path: Path) -> None:
    ended = stage("demonstrate", "walk", "--output", tmp_path / "out", "--params", root / "params.yaml")
    assert ended.status == 2
    assert ended.output.startswith("error: task: found walk, allowed: distance, ")


def test_two_runs_give_the_same_bytes(task_name: str, chain: Any, stage: Any, root: Path, tmp_path: Path) -> None:
    if not (chain.data / task_name).exists():
        pytest.skip(f"{task_name} is not part of the chain in small")
    recordings = ("--recordings", root / "data" / "recordings" / task_name)
    ended = stage("demonstrate", task_name, *recordings, "--output", tmp_path / "again", "--params", chain.params)
    assert ended.status == 0, ended.output
    tables.read_episodes(tmp_path / "again", task_name, TASKS.find(task_name))
    for name in (schemas.STEPS, schemas.EPISODES):
        first = chain.data / task_name / "demonstrations" / name
        assert (tmp_path / "again" / name).read_bytes() == first.read_bytes()


def test_recordings_are_numbered_after_the_scripted_demonstrations(
    content: dict[str, Any], stage: Any, tmp_path: Path
) -> None:
    recording = tmp_path / "own.csv"
    recording.write_text("distance,step\n3,-1\n1,-0.5\n")
    content["demonstrate"]["distance"].update(episodes=3, recordings=["own.csv"])
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    where = ("--recordings", tmp_path, "--params", tmp_path / "params.yaml", "--output", tmp_path / "out")
    ended = stage("demonstrate", "distance", *where)
    assert ended.status == 0, ended.output
    episodes = tables.list_episodes(tmp_path / "out", "distance", TASKS.find("distance"))
    assert episodes["episode_index"].to_pylist() == [0, 1, 2, 3]
    assert episodes["condition"].to_pylist() == ["demonstrate"] * 3 + ["recording"]
