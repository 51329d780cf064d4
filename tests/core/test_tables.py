"""Episodes keep what they are given, say what they hold, and are refused where they do not fit together."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core import parquet, schemas, tables
from stages.core.episode import Episode, Scores, Steps
from stages.core.errors import UserError
from stages.core.task import NOISE_KNOBS
from stages.tasks import TASKS
from stages.tasks.distance import Distance

# What is written


def test_episodes_come_back_as_they_were(
    task_name: str, shown: Callable[[str], list[Episode]], shown_folder: Callable[[str], Path]
) -> None:
    task, episodes = TASKS.find(task_name), shown(task_name)
    steps, rows = tables.read_episodes(shown_folder(task_name), task_name, task)
    slices = tables.episode_slices(steps["episode_index"].to_numpy())
    for part, row, episode in zip(slices, rows.to_pylist(), episodes, strict=True):
        assert np.array_equal(tables.matrix(steps, "observation", task.observation)[part], episode.observations)
        assert np.array_equal(tables.matrix(steps, "action", task.action)[part], episode.actions)
        assert np.array_equal(tables.matrix(steps, "executed", task.action)[part], episode.executed)
        assert np.array_equal(steps["error"].to_numpy()[part], episode.errors)
        assert np.array_equal(steps["frame_index"].to_numpy()[part], np.arange(len(episode)))
        assert steps["timestamp"].to_numpy()[part][-1] == pytest.approx((len(episode) - 1) * task.control_period)
        assert {knob: row[f"world.{knob}"] for knob in episode.plan.world} == episode.plan.world
        assert (row["outcome"], row["error"], row["steps"]) == (episode.outcome, episode.error, len(episode))
        assert (row["seed"], row["condition"]) == (episode.plan.seed, "shown")


def test_the_columns_are_those_of_the_contract(task_name: str) -> None:
    task = TASKS.find(task_name)
    channels = {f"observation.{one.name}" for one in task.observation} | {f"action.{one.name}" for one in task.action}
    index = {"episode_index", "frame_index", "timestamp"}
    worlds = {f"world.{knob}" for knob in [*task.knobs, *NOISE_KNOBS]}
    assert {*index, *channels, "novelty"} <= set(schemas.steps_schema(task_name, task).names)
    assert {*index, *channels, "round", "source"} <= set(schemas.expert_schema(task_name, task).names)
    episodes = {"episode_index", "outcome", "steps", "error", "condition", "seed"}
    assert episodes | worlds <= set(schemas.episodes_schema(task_name, task).names)


def test_units_stand_in_the_files(task_name: str, shown_folder: Callable[[str], Path]) -> None:
    task = TASKS.find(task_name)
    steps = pq.read_schema(shown_folder(task_name) / schemas.STEPS)
    for prefix, channels in (("observation", task.observation), ("action", task.action)):
        for channel in channels:
            assert steps.field(f"{prefix}.{channel.name}").metadata[b"unit"].decode() == channel.unit
    assert steps.field("timestamp").metadata[b"unit"] == b"s"
    episodes = pq.read_schema(shown_folder(task_name) / schemas.EPISODES)
    for name, knob in task.knobs.items():
        assert episodes.field(f"world.{name}").metadata[b"unit"].decode() == knob.unit


def with_index(table: pa.Table, index: list[int]) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pa.array(index, pa.int64()))


def an_episode_less(steps: pa.Table, episodes: pa.Table) -> tuple[pa.Table, pa.Table]:
    return steps, episodes.slice(1)


def an_episode_twice(steps: pa.Table, episodes: pa.Table) -> tuple[pa.Table, pa.Table]:
    both = [[0 if index == 1 else index for index in one["episode_index"].to_pylist()] for one in (steps, episodes)]
    return with_index(steps, both[0]), with_index(episodes, both[1])


def an_episode_without_steps(steps: pa.Table, episodes: pa.Table) -> tuple[pa.Table, pa.Table]:
    empty = with_index(episodes.slice(0, 1), [99])
    place = empty.schema.get_field_index("steps")
    empty = empty.set_column(place, empty.schema.field(place), pa.array([0], pa.int64()))
    return steps, pa.concat_tables([episodes, empty])


@pytest.mark.parametrize("change", [an_episode_less, an_episode_twice, an_episode_without_steps])
def test_steps_and_episodes_that_do_not_belong_together_are_told(
    change: Callable[[pa.Table, pa.Table], tuple[pa.Table, pa.Table]],
    shown: Callable[[str], list[Episode]],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "episodes"
    tables.write_episodes(folder, "distance", Distance, shown("distance"))
    steps, episodes = change(*tables.read_episodes(folder, "distance", Distance))
    parquet.write_table(steps, folder / schemas.STEPS)
    parquet.write_table(episodes, folder / schemas.EPISODES)
    with pytest.raises(UserError, match=r"steps\.parquet does not hold the episodes that episodes\.parquet lists"):
        tables.read_episodes(folder, "distance", Distance)


def test_slices_are_the_runs_of_equal_numbers() -> None:
    assert tables.episode_slices(np.array([4, 4, 1, 2, 2, 2])) == [slice(0, 2), slice(2, 3), slice(3, 6)]
    assert tables.episode_slices(np.array([], dtype=np.int64)) == []


def crafted(episodes: pa.Table, name: str, value: object) -> pa.Table:
    place = episodes.schema.get_field_index(name)
    values = [value, *episodes[name].to_pylist()[1:]]
    return episodes.set_column(place, episodes.schema.field(name), pa.array(values, episodes.schema.field(name).type))


@pytest.mark.parametrize(
    ("task_crafted", "name", "value", "message"),
    [
        ("distance", "outcome", "a\nb", r"column outcome: found a\\nb, allowed: success, crash, timeout"),
        (
            "distance",
            "world.start",
            None,
            "column world.start: found an empty cell, allowed: in a person's recording alone",
        ),
        ("distance", "seed", -1, "column seed, row 1: found -1, allowed: at least 0"),
        ("distance", "world.action_noise", -0.5, "column world.action_noise, row 1: found -0.5, allowed: at least 0"),
        (
            "kuka_reach",
            "world.physics_rate",
            2.0**53,  # steps without end
            r"column world.physics_rate, row 1: found 9.0072e\+15, allowed: at most 24000",
        ),
        (
            "distance",
            "asked",
            10**12,
            r"column asked, row 1: found 1e\+12, allowed: 0 to the steps of the episode",
        ),
        (
            "distance",
            "responded",
            -1,
            "column responded, row 1: found -1, allowed: 0 to the steps of the episode",
        ),
        ("kuka_joints", "world.movement", 0.5, "column world.movement, row 1: found 0.5, allowed: whole numbers"),
    ],
)
def test_episodes_that_cannot_be_run_again_are_told(
    task_crafted: str,
    name: str,
    value: object,
    message: str,
    shown: Callable[[str], list[Episode]],
    tmp_path: Path,
) -> None:
    task = TASKS.find(task_crafted)
    tables.write_episodes(tmp_path / "episodes", task_crafted, task, shown(task_crafted))
    path = tmp_path / "episodes" / schemas.EPISODES
    episodes = parquet.read_table(path, schemas.episodes_schema(task_crafted, task))
    parquet.write_table(crafted(episodes, name, value), path)
    with pytest.raises(UserError, match=f"^{path}: {message}$"):
        tables.read_episodes(tmp_path / "episodes", task_crafted, task)


@pytest.mark.parametrize("length", [2**62, 10**12, 10**6])
def test_more_steps_than_there_are_rows_are_told(
    length: int, shown: Callable[[str], list[Episode]], tmp_path: Path
) -> None:
    folder = tmp_path / "episodes"
    tables.write_episodes(folder, "distance", Distance, shown("distance"))
    episodes = parquet.read_table(folder / schemas.EPISODES, schemas.episodes_schema("distance", Distance))
    parquet.write_table(crafted(episodes, "steps", length), folder / schemas.EPISODES)
    with pytest.raises(UserError, match="does not hold the episodes"):
        tables.read_episodes(folder, "distance", Distance)


def test_frames_out_of_order_are_told(shown: Callable[[str], list[Episode]], tmp_path: Path) -> None:
    folder = tmp_path / "episodes"
    tables.write_episodes(folder, "distance", Distance, shown("distance"))
    steps = parquet.read_table(folder / schemas.STEPS, schemas.steps_schema("distance", Distance))
    parquet.write_table(crafted(steps, "frame_index", 7), folder / schemas.STEPS)
    with pytest.raises(UserError, match="found frames that are missing or out of order"):
        tables.read_episodes(folder, "distance", Distance)


def test_every_figure_of_a_step_and_of_an_episode_has_a_column_of_its_own(
    shown: Callable[[str], list[Episode]], tmp_path: Path
) -> None:
    task, one = TASKS.find("kuka_joints"), shown("kuka_joints")[0]
    steps = np.arange(len(one))
    scores = Scores(*(steps + place / 10 for place in range(len(Scores._fields))))
    details = {name: float(place) for place, name in enumerate(task.detail_units)}
    told = replace(
        one, scores=scores, shift=steps % 2 == 0, responded=steps % 5 == 0, asked=steps % 3 == 0, details=details
    )
    tables.write_episodes(tmp_path / "told", "kuka_joints", task, [told])
    table, rows = tables.read_episodes(tmp_path / "told", "kuka_joints", task)
    for name, values in {**scores._asdict(), "shift": told.shift}.items():
        assert np.array_equal(table[name].to_numpy(), values), name
    (row,) = rows.to_pylist()
    assert (row["responded"], row["asked"]) == (told.responded.sum(), told.asked.sum())
    assert {name: row[f"detail.{name}"] for name in details} == details


def test_a_part_of_the_steps_is_those_rows_of_everything() -> None:
    index = np.arange(6)
    whole = Steps(index, index + 10, index + 20, list("abcdef"), index[:, None] + 30.0, index[:, None] + 40.0)
    part = whole.subset(np.array([5, 0, 3]))
    assert part.episode.tolist() == [5, 0, 3]
    assert part.frame.tolist() == [15, 10, 13]
    assert part.round.tolist() == [25, 20, 23]
    assert list(part.source) == ["f", "a", "d"]
    assert part.observations.ravel().tolist() == [35, 30, 33]
    assert part.actions.ravel().tolist() == [45, 40, 43]
