"""What is told of a moment is what was recorded, and what the dataset holds."""

import json
from pathlib import Path
import shutil
from typing import Any

import numpy as np
import pytest
import yaml

from stages.core import parquet, schemas, tables
from stages.core.policy import load_policy
from stages.core.task import Floats
from stages.explaining.moment import read_moment
from stages.explaining.votes import Explanation, explain, read_known
from stages.policies import POLICIES
from stages.tasks import TASKS

STEPS = 40  # that are looked at in each folder


def told(folder: Path, name: str, of: str, episode: int, step: int | None = None) -> Explanation:
    task, trained = TASKS.find(name), load_policy(folder / "policy.npz", name, POLICIES)
    moment = read_moment(folder / of, name, task, episode, step)
    return explain(trained, read_known(folder / "dataset.parquet", name, task, trained), task, moment)


def recorded(folder: Path, name: str, of: str) -> Any:
    """Steps of those episodes, evenly from the first to the last."""
    steps = tables.read_episodes(folder / of, name, TASKS.find(name))[0].to_pandas()
    return steps.iloc[np.unique(np.linspace(0, len(steps) - 1, STEPS).astype(int))]


@pytest.fixture(scope="module", params=["local_linear", "mlp"])
def other(request: pytest.FixtureRequest, chain: Any, stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of the arm whose policy is of another kind."""
    folder = tmp_path_factory.mktemp(request.param) / "kuka_reach" / "round_1"
    shutil.copytree(chain.data / "kuka_reach" / "round_1", folder)
    content = yaml.safe_load(chain.params.read_text())
    content["policy"]["kuka_reach"].update(kind=request.param, hidden=[8], epochs=3)
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    outputs = ("--policy", folder / "policy.npz", "--metrics", folder / "training.json")
    ended = stage("train", "kuka_reach", folder / "dataset.parquet", *outputs, "--params", folder / "params.yaml")
    assert ended.status == 0, ended.output
    return folder


@pytest.mark.parametrize("of", ["evaluation", "practice"])
@pytest.mark.parametrize("name", ["distance", "kuka_reach"])
def test_the_voters_mean_is_what_was_done_to_the_bit(name: str, of: str, chain: Any) -> None:
    """Unless the alarm's response took over, as the lab's does: then it is told what was done instead."""
    folder = chain.data / name / "round_1"
    for step in recorded(folder, name, of).itertuples():
        one = told(folder, name, of, step.episode_index, step.frame_index)
        assert one.mean is not None
        assert np.array_equal(one.mean, one.answer)
        assert (one.novelty, one.shift) == (step.novelty, step.shift)
        assert np.array_equal(one.answer, one.moment.action) or (name == "distance" and step.shift)


def test_the_voters_are_those_of_brute_force_and_the_rows_of_the_dataset(chain: Any) -> None:
    folder, name = chain.data / "kuka_reach" / "round_2", "kuka_reach"
    rows = parquet.read_table(folder / "dataset.parquet", schemas.expert_schema(name, TASKS.find(name))).to_pandas()
    known = seen(rows)
    for step in recorded(folder, name, "evaluation").itertuples():
        one = told(folder, name, "evaluation", step.episode_index, step.frame_index)
        query = seen(recorded(folder, name, "evaluation").loc[[step.Index]])
        distances = np.linalg.norm(known - query, axis=1)
        assert [voter.row for voter in one.voters] == np.argsort(distances, kind="stable")[: len(one.voters)].tolist()
        assert np.allclose([voter.distance for voter in one.voters], np.sort(distances)[: len(one.voters)], atol=1e-12)
        assert sum(voter.weight or 0 for voter in one.voters) == pytest.approx(1)
        for voter in one.voters:
            row = rows.loc[voter.row]
            where = (row["source"], row["round"], row["episode_index"], row["frame_index"])
            assert (voter.source, voter.round, voter.episode, voter.frame) == where
            assert np.array_equal(voter.action, row[[c for c in rows if c.startswith("action.")]].to_numpy(float))


def seen(table: Any) -> Floats:
    """The shipped features of the arm: joint angles, and the offset to the goal in cm, compressed."""
    joints = table[[f"observation.joint_{number}" for number in range(1, 8)]].to_numpy(float)
    offset = table[[f"observation.offset_{axis}" for axis in "xyz"]].to_numpy(float)
    return np.hstack([joints, np.arcsinh(offset / 0.01)])


def test_rows_of_a_correction_name_the_practice_they_were_asked_for_in(chain: Any) -> None:
    folder, name = chain.data / "kuka_reach" / "round_2", "kuka_reach"
    one = [told(folder, name, "evaluation", number) for number in range(4)]
    for voter in (voter for some in one for voter in some.voters):
        assert (voter.practice_episode is None) == (voter.source != "correction")


def test_the_step_is_that_of_the_largest_novelty_unless_one_is_named(chain: Any) -> None:
    folder = chain.data / "kuka_reach" / "round_0"
    steps = tables.read_episodes(folder / "evaluation", "kuka_reach", TASKS.find("kuka_reach"))[0].to_pandas()
    for episode, group in steps.groupby("episode_index"):
        one = told(folder, "kuka_reach", "evaluation", int(episode))
        assert one.moment.step == group["novelty"].to_numpy().argmax()
        assert one.novelty == group["novelty"].max()


def test_other_kinds_tell_their_mean_or_that_rows_do_not_vote(other: Path, stage: Any) -> None:
    """The local regression's mean is its answer to the bit, where it was not cut to the range of the actions."""
    ended = stage("explain", other, "--episode", 1)
    assert ended.status == 0
    if load_policy(other / "policy.npz", "kuka_reach", POLICIES).kind == "mlp":
        assert "they do not vote" in ended.output
        assert told(other, "kuka_reach", "evaluation", 1).mean is None
        return
    for step in recorded(other, "kuka_reach", "evaluation").itertuples():
        one = told(other, "kuka_reach", "evaluation", step.episode_index, step.frame_index)
        proposed = np.array([voter.action for voter in one.voters])
        assert one.mean is not None
        assert np.array_equal(np.clip(one.mean, proposed.min(axis=0), proposed.max(axis=0)), one.answer)


def test_json_and_text_tell_the_same(chain: Any, stage: Any) -> None:
    folder = chain.data / "kuka_reach" / "round_1"
    asked = ("explain", folder, "--episode", 3, "--practice", "--step", 5, "--neighbors", 2)
    content, lines = json.loads(stage(*asked, "--json").output), stage(*asked).output.splitlines()
    assert [row["row"] for row in content["rows"]] == [
        voter.row for voter in told(folder, "kuka_reach", "practice", 3, 5).voters[:2]
    ]
    first = content["rows"][0]
    assert lines[5].split()[:4] == [str(first[key]) for key in ("source", "round", "episode", "frame")]
    assert lines[7].split()[2:] == [f"{value:.4g}" for value in content["answer"]]
    assert f"novelty {content['novelty']:.4g}, threshold {content['threshold']:.4g}" in lines[1]
    surprised = "above" if content["surprise"] > content["surprise_threshold"] else "not above"
    threshold = f"threshold {content['surprise_threshold']:.4g} ({surprised})"
    assert lines[1].endswith(f"; surprise {content['surprise']:.4g}, {threshold}")
    first_step = json.loads(stage("explain", folder, "--episode", 3, "--step", 0, "--json").output)
    assert first_step["surprise"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--episode", 10], "--episode: found 10, allowed: 0 to 9 in {folder}/evaluation"),
        (["--episode", -1, "--practice"], "--episode: found -1, allowed: 0 to 4 in {folder}/practice"),
        (["--episode", 1, "--step", 30], "--step: found 30, allowed: 0 to 29 in episode 1 of {folder}/evaluation"),
        (["--episode", 1, "--neighbors", 0], "--neighbors: found 0, allowed: 1 to 5, at which the policy looks"),
    ],
)
def test_what_was_not_recorded_is_told_with_what_was(options: list[Any], message: str, chain: Any, stage: Any) -> None:
    folder = chain.data / "kuka_reach" / "round_0"
    ended = stage("explain", folder, *options)
    assert (ended.status, ended.output) == (2, f"error: {message.format(folder=folder)}\n")


def test_a_policy_that_the_episodes_are_not_of_is_noticed(chain: Any, stage: Any, tmp_path: Path) -> None:
    """As it is where training has run again and evaluation has not."""
    folder = tmp_path / "kuka_reach" / "round_0"
    shutil.copytree(chain.data / "kuka_reach" / "round_0", folder)
    for newer in ("dataset.parquet", "policy.npz"):
        shutil.copy(chain.data / "kuka_reach" / "round_2" / newer, folder)
    episodes = tables.read_episodes(folder / "evaluation", "kuka_reach", TASKS.find("kuka_reach"))[1].to_pandas()
    corrected = episodes["episode_index"][episodes["condition"] == "far"].iloc[0]
    ended = stage("explain", folder, "--episode", corrected)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {folder / 'evaluation'}: found novelty ")
    assert "of the policy beside it" in ended.output


def test_a_dataset_of_another_round_is_noticed(chain: Any, stage: Any, tmp_path: Path) -> None:
    folder = tmp_path / "kuka_reach" / "round_0"
    shutil.copytree(chain.data / "kuka_reach" / "round_0", folder)
    shutil.copy(chain.data / "kuka_reach" / "round_1" / "dataset.parquet", folder)
    ended = stage("explain", folder, "--episode", 0)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {folder / 'dataset.parquet'}: found other rows")
    ended = stage("explain", tmp_path, "--episode", 0)
    assert (ended.status, ended.output.count("\n")) == (2, 1)
    assert "allowed: a round's folder of distance" in ended.output
