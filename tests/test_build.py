"""A dataset is the demonstrations, and then the dataset before and its corrections: nothing lost, nothing changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from stages.build import from_demonstrations
from stages.core import parquet, schemas, tables
from stages.core.episode import Episode, Plan, Scores
from stages.core.task import NOISE_KNOBS
from stages.tasks import TASKS
from stages.tasks.distance import Distance

BOTH = pytest.mark.parametrize("name", ["distance", "kuka_reach"])


def read(chain: Any, name: str, number: int, file: str) -> pa.Table:
    schema = schemas.expert_schema(name, TASKS.find(name))
    return parquet.read_table(chain.data / name / f"round_{number}" / file, schema, empty=True)


@BOTH
def test_the_first_dataset_is_the_demonstrations_that_succeeded(name: str, chain: Any) -> None:
    task = TASKS.find(name)
    steps, episodes = tables.read_episodes(chain.data / name / "demonstrations", name, task)
    succeeded = episodes.filter(pc.equal(episodes["outcome"], "success"))["episode_index"]
    steps = steps.filter(pc.is_in(steps["episode_index"], succeeded))
    dataset = read(chain, name, 0, "dataset.parquet")
    for kind, channels in (("observation", task.observation), ("action", task.action)):
        assert np.array_equal(tables.matrix(dataset, kind, channels), tables.matrix(steps, kind, channels))
    assert set(dataset["round"].to_pylist()) == {0}
    assert set(dataset["source"].to_pylist()) == {"person" if name == "distance" else "expert"}


@BOTH
@pytest.mark.parametrize("number", [1, 2])
def test_a_later_dataset_is_the_one_before_and_its_corrections(name: str, number: int, chain: Any) -> None:
    before, dataset = (read(chain, name, one, "dataset.parquet") for one in (number - 1, number))
    corrections = read(chain, name, number - 1, "corrections.parquet")
    assert dataset.num_rows == before.num_rows + corrections.num_rows
    assert dataset.slice(0, before.num_rows).equals(before)
    added = dataset.slice(before.num_rows)
    assert added.drop_columns(["episode_index"]).equals(corrections.drop_columns(["episode_index"]))
    assert set(added["round"].to_pylist()) <= {number}
    assert not set(added["episode_index"].to_pylist()) & set(before["episode_index"].to_pylist())
    cuts = [tables.episode_slices(one["episode_index"].to_numpy()) for one in (added, corrections)]
    assert cuts[0] == cuts[1]


def test_no_corrections_leave_the_dataset_as_it_was(chain: Any, stage: Any, tmp_path: Path) -> None:
    folder = chain.data / "distance" / "round_0"
    none = read(chain, "distance", 0, "corrections.parquet").slice(0, 0)
    parquet.write_table(none, tmp_path / "corrections.parquet")
    output = tmp_path / "dataset.parquet"
    ended = stage("build", "distance", folder / "dataset.parquet", tmp_path / "corrections.parquet", "--output", output)
    assert ended.status == 0, ended.output
    assert output.read_bytes() == (folder / "dataset.parquet").read_bytes()


def test_failures_are_left_out_and_counted(chain: Any, stage: Any, tmp_path: Path) -> None:
    folder = chain.data / "distance" / "round_0" / "evaluation"
    episodes = tables.read_episodes(folder, "distance", Distance)[1]
    succeeded = episodes.filter(pc.equal(episodes["outcome"], "success"))
    ended = stage("build", "distance", folder / schemas.STEPS, folder / schemas.EPISODES, "--output", tmp_path / "out")
    assert ended.status == 0
    failed = episodes.num_rows - succeeded.num_rows
    told = f"{folder}: {failed} of {episodes.num_rows} demonstrations failed and are left out\n"
    dataset = parquet.read_table(tmp_path / "out", schemas.expert_schema("distance", Distance))
    assert dataset["episode_index"].unique().equals(succeeded["episode_index"].combine_chunks())
    assert dataset.num_rows == sum(succeeded["steps"].to_pylist())
    assert ended.output == f"{told}{tmp_path / 'out'}: {dataset.num_rows:,} rows\n"


def test_demonstrations_of_failure_alone_are_refused(stage: Any, tmp_path: Path) -> None:
    folder, lost = tmp_path / "lost", np.array([[15.0]])
    no = np.zeros(1, dtype=bool)
    world = {knob: known.default for knob, known in {**Distance.knobs, **NOISE_KNOBS}.items()}
    plan = Plan(0, "demonstrate", 1, world)
    crash = Episode(plan, lost, lost, lost, Scores.unknown(1), no, no, no, lost[0], "crash", error=30.0, details={})
    tables.write_episodes(folder, "distance", Distance, [crash])
    ended = stage("build", "distance", folder / schemas.STEPS, folder / schemas.EPISODES, "--output", tmp_path / "out")
    assert ended.status == 2
    assert ended.output == f"error: {folder}: found no demonstration that succeeded, allowed: at least 1\n"
    assert not (tmp_path / "out").exists()


def test_episodes_of_other_demonstrations_are_refused(chain: Any, stage: Any, tmp_path: Path) -> None:
    shown = chain.data / "distance" / "demonstrations"
    other = chain.data / "distance" / "round_0" / "evaluation" / schemas.EPISODES
    ended = stage("build", "distance", shown / schemas.STEPS, other, "--output", tmp_path / "out")
    told = f"{other}: found other episodes, allowed: {shown / schemas.EPISODES}, those of the steps"
    assert ended == (2, f"error: {told}\n")


def test_corrections_of_another_task_are_refused(chain: Any, stage: Any, tmp_path: Path) -> None:
    dataset = chain.data / "distance" / "round_0" / "dataset.parquet"
    other = chain.data / "kuka_reach" / "round_0" / "corrections.parquet"
    ended = stage("build", "distance", dataset, other, "--output", tmp_path / "out")
    assert ended.status == 2
    assert ended.output == f"error: {other}: written for task kuka_reach, needed for task distance\n"


def test_rows_that_are_known_are_no_corrections(chain: Any, stage: Any, tmp_path: Path) -> None:
    rounds = [chain.data / "distance" / f"round_{number}" for number in (0, 1)]
    for dataset, more, found, last in (
        (rounds[0] / "dataset.parquet", rounds[0] / "dataset.parquet", 0, 0),
        (rounds[1] / "dataset.parquet", rounds[0] / "corrections.parquet", 1, 1),
    ):
        ended = stage("build", "distance", dataset, more, "--output", tmp_path / "out")
        told = f"error: {more}: column round: found {found}, allowed: more than {last}, the last of {dataset}\n"
        assert ended == (2, told)
        assert not (tmp_path / "out").exists()


def test_episodes_that_none_could_follow_are_refused(chain: Any, stage: Any, tmp_path: Path) -> None:
    folder, path = chain.data / "distance" / "round_0", tmp_path / "dataset.parquet"
    dataset = read(chain, "distance", 0, "dataset.parquet")
    index = pa.array([2**63 - 1] * dataset.num_rows, pa.int64())
    parquet.write_table(dataset.set_column(0, dataset.schema.field(0), index), path)
    ended = stage("build", "distance", path, folder / "corrections.parquet", "--output", tmp_path / "out")
    assert ended.status == 2
    assert ended.output == f"error: {path}: column episode_index: found {2**63 - 1}, allowed: below {2**62}\n"
    assert not (tmp_path / "out").exists()


def test_corrections_are_numbered_by_the_order_of_their_numbers(chain: Any, stage: Any, tmp_path: Path) -> None:
    """Whatever order their rows are in, and however often an episode comes back."""
    folder, path = chain.data / "distance" / "round_0", tmp_path / "corrections.parquet"
    dataset = read(chain, "distance", 0, "dataset.parquet")
    index = [50, 50, 7, 9, 9, 50]
    corrections = dataset.slice(0, len(index))
    place = dataset.schema.get_field_index("round")
    corrections = corrections.set_column(0, dataset.schema.field(0), pa.array(index, pa.int64()))
    corrections = corrections.set_column(place, dataset.schema.field(place), pa.array([1] * len(index), pa.int64()))
    parquet.write_table(corrections, path)
    assert stage("build", "distance", folder / "dataset.parquet", path, "--output", tmp_path / "out").status == 0
    added = parquet.read_table(tmp_path / "out", dataset.schema).slice(dataset.num_rows)["episode_index"].to_pylist()
    last = max(dataset["episode_index"].to_pylist())
    assert added == [last + 1 + rank for rank in (2, 2, 0, 1, 1, 2)]


def test_no_later_stage_changes_a_dataset(chain: Any, stage: Any, tmp_path: Path) -> None:
    """The lab's own program added its noise to its dataset, in place: rolling out must not."""
    here = chain.data / "distance" / "round_0"
    before = {path: path.read_bytes() for path in (here / "dataset.parquet", here / "policy.npz")}
    output = ("--output", tmp_path / "out", "--params", chain.params)
    assert stage("evaluate", "distance", here / "policy.npz", *output).status == 0
    assert stage("practice", "distance", "round_0", here / "policy.npz", *output).status == 0
    assert {path: path.read_bytes() for path in before} == before
    dataset = parquet.read_table(here / "dataset.parquet", schemas.expert_schema("distance", Distance))
    shown, _ = tables.read_episodes(chain.data / "distance" / "demonstrations", "distance", Distance)
    assert dataset["action.step"].equals(shown["action.step"])


@BOTH
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_row_stands_at_the_time_of_its_frame(name: str, number: int, chain: Any) -> None:
    dataset = read(chain, name, number, "dataset.parquet")
    frames = dataset["frame_index"].to_numpy()
    assert np.allclose(dataset["timestamp"].to_numpy(), frames * TASKS.find(name).control_period)


def test_of_mixed_demonstrations_each_row_is_of_who_showed_it(
    content: dict[str, Any], stage: Any, tmp_path: Path
) -> None:
    """And what failed is left out of either."""
    recording = tmp_path / "own.csv"
    recording.write_text("distance,step\n3,-1\n1,-0.5\n")
    content["demonstrate"]["distance"].update(episodes=6, max_steps=16, recordings=["own.csv"])
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    where = ("--recordings", tmp_path, "--params", tmp_path / "params.yaml", "--output", tmp_path / "out")
    assert stage("demonstrate", "distance", *where).status == 0
    outcomes = tables.list_episodes(tmp_path / "out", "distance", TASKS.find("distance"))["outcome"].to_pylist()
    assert set(outcomes) == {"success", "timeout"}
    rows = pd.concat(
        part.to_pandas() for part in from_demonstrations(tmp_path / "out", "distance", TASKS.find("distance"))
    )
    assert rows.groupby("episode_index")["source"].unique().map(list).to_dict() == {
        index: ["person" if index == 6 else "expert"] for index, outcome in enumerate(outcomes) if outcome == "success"
    }
