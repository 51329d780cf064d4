"""Corrections are the expert's own answers, asked where the gate opens, within the budget."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from stages.core import parquet, schemas, tables
from stages.core.gates import BY_SURPRISE, GATES, Visited
from stages.core.params import CorrectSettings
from stages.core.rollout import expert_controller, rollout
from stages.core.settings import Settings
from stages.core.task import Floats, Task
from stages.correct import read_practice, recorded
from stages.tasks import TASKS

BOTH = ("distance", "kuka_reach")
MODES = ("label", "takeover")
# All but those that need a threshold of surprise: `distance` has a fixed one of novelty, and so none of that.
OPEN = [(name, gate) for name in BOTH for gate in GATES if name != "distance" or gate not in BY_SURPRISE]
NUMBER = 1  # the round that practises: in it nobody's recording is used


@pytest.fixture
def correct(corrected: Any) -> Any:
    """Runs the stage on the chain's practice with other settings, and reads what it asked."""
    return lambda *arguments, **settings: corrected(*arguments, **settings)[0]


@pytest.fixture
def corrected(chain: Any, stage: Any, root: Path, tmp_path: Path) -> Any:
    """Likewise; what the stage said as well."""

    def run(name: str, number: int = NUMBER, max_steps: int = 0, **settings: object) -> tuple[pa.Table, str]:
        content = yaml.safe_load(chain.params.read_text())
        content["correct"][name].update(settings)
        if max_steps:
            content["practice"][name]["max_steps"] = max_steps
        params, output = tmp_path / "params.yaml", tmp_path / "corrections.parquet"
        params.write_text(yaml.safe_dump(content))
        folders = (chain.data / name / f"round_{number}" / "practice",)
        options = ("--recordings", root / "data" / "recordings" / name, "--output", output, "--params", params)
        shown = ("--demonstrations", chain.data / name / "demonstrations")
        training = ("--training", chain.data / name / f"round_{number}" / "training.json")
        ended = stage("correct", name, f"round_{number}", *folders, *options, *shown, *training)
        assert ended.status == 0, ended.output
        return parquet.read_table(output, schemas.expert_schema(name, TASKS.find(name)), empty=True), ended.output

    return run


def practice(chain: Any, name: str, number: int = NUMBER) -> tuple[pa.Table, pa.Table]:
    return tables.read_episodes(chain.data / name / f"round_{number}" / "practice", name, TASKS.find(name))


def gated(chain: Any, name: str, gate: str) -> dict[int, list[int]]:
    """The frames that a gate opens, by practice episode."""
    steps, episodes = practice(chain, name)
    calibrated = json.loads((chain.data / name / f"round_{NUMBER}" / "training.json").read_bytes())["surprise"]
    threshold = calibrated["threshold"] if calibrated else np.nan
    found = {}
    slices = tables.episode_slices(steps["episode_index"].to_numpy())
    for row, part in zip(episodes.to_pylist(), slices, strict=True):
        shift, surprise, error = (steps[one].to_numpy()[part] for one in ("shift", "surprise", "error"))
        visited = Visited(row["seed"], row["outcome"] != "success", shift, surprise > threshold, error)
        found[row["episode_index"]] = GATES[gate](visited).tolist()
    return {episode: frames for episode, frames in found.items() if frames}


def pairs(table: pa.Table, task: type[Task]) -> tuple[Floats, Floats]:
    return tables.matrix(table, "observation", task.observation), tables.matrix(table, "action", task.action)


def runs(table: pa.Table) -> dict[int, pa.Table]:
    """The rows of each practice episode."""
    slices = tables.episode_slices(table["episode_index"].to_numpy())
    parts = [table.slice(part.start, part.stop - part.start) for part in slices]
    return {part["practice_episode"][0].as_py(): part for part in parts}


@pytest.mark.parametrize("mode", [*MODES, "mixed"])
@pytest.mark.parametrize(("name", "gate"), OPEN)
def test_the_expert_answers_what_it_is_asked_and_no_more_than_its_budget(
    name: str, gate: str, mode: str, correct: Any
) -> None:
    table = correct(name, gate=gate, mode=mode, budget=40)
    observations, actions = pairs(table, TASKS.find(name))
    assert np.array_equal(TASKS.find(name).expert(observations), actions)
    assert table.num_rows <= 40
    if gate != "failure":
        assert table.num_rows > 0
    if gate in ("all", "random"):
        assert table.num_rows == 40


@pytest.mark.parametrize("budget", [1, 7, 10**6])
@pytest.mark.parametrize("mode", MODES)
def test_corrections_know_where_they_come_from(mode: str, budget: int, correct: Any) -> None:
    table = correct("kuka_reach", gate="random", mode=mode, budget=budget)
    assert set(table["round"].to_pylist()) == {NUMBER + 1}
    assert set(table["source"].to_pylist()) == {"correction"}
    assert set(table["gate"].to_pylist()) == {"random"}
    assert set(table["mode"].to_pylist()) == {mode}
    assert table["practice_episode"].null_count == 0


@pytest.mark.parametrize(("name", "gate"), OPEN)
def test_labels_are_asked_at_exactly_the_gated_frames_of_practice(
    name: str, gate: str, chain: Any, correct: Any
) -> None:
    table, task = correct(name, gate=gate, mode="label", budget=10**6), TASKS.find(name)
    assert {episode: part["frame_index"].to_pylist() for episode, part in runs(table).items()} == gated(
        chain, name, gate
    )
    steps, _ = practice(chain, name)
    place = {
        key: row
        for row, key in enumerate(
            zip(*(steps[one].to_pylist() for one in ("episode_index", "frame_index")), strict=True)
        )
    }
    rows = [
        place[key] for key in zip(table["practice_episode"].to_pylist(), table["frame_index"].to_pylist(), strict=True)
    ]
    visited = tables.matrix(steps, "observation", task.observation)
    assert np.array_equal(pairs(table, task)[0], visited[rows])


def test_a_smaller_budget_asks_the_first_of_what_a_larger_would(correct: Any) -> None:
    for mode in MODES:
        more = correct("kuka_reach", gate="all", mode=mode, budget=60)
        less = correct("kuka_reach", gate="all", mode=mode, budget=25)
        assert less.equals(more.slice(0, 25))


@pytest.mark.parametrize(("name", "gate"), [one for one in OPEN if one[1] != "failure"])
def test_a_takeover_starts_at_the_first_gated_frame_to_the_bit(name: str, gate: str, chain: Any, correct: Any) -> None:
    task, frames = TASKS.find(name), gated(chain, name, gate)
    table = correct(name, gate=gate, mode="takeover", budget=10**6)
    steps, _ = practice(chain, name)
    visited = tables.matrix(steps, "observation", task.observation)
    episode, frame = steps["episode_index"].to_numpy(), steps["frame_index"].to_numpy()
    taken = runs(table)
    assert set(taken) == set(frames)
    for index, part in taken.items():
        first = frames[index][0]
        there = visited[(episode == index) & (frame == first)]
        assert np.array_equal(pairs(part, task)[0][:1], there), index
        assert part["frame_index"].to_pylist() == list(range(first, first + part.num_rows))


def rows_of(table: pa.Table, mode: str) -> pa.Table:
    return table.filter(pc.equal(table["mode"], mode))


@pytest.mark.parametrize("gate", ["random", "all", "either"])
def test_mixed_is_labels_up_to_where_it_is_new_and_a_takeover_from_there(gate: str, chain: Any, correct: Any) -> None:
    steps, _ = practice(chain, "kuka_reach")
    episode, frame, shift = (steps[one].to_numpy() for one in ("episode_index", "frame_index", "shift"))
    frames = gated(chain, "kuka_reach", gate)
    new = {index: set(frame[(episode == index) & shift]) & set(frames[index]) for index in frames}
    starts = {index: min(one) for index, one in new.items() if one}
    table = correct("kuka_reach", gate=gate, mode="mixed", budget=10**6)
    asked = correct("kuka_reach", gate=gate, mode="label", budget=10**6)
    before = [
        number < starts.get(index, np.inf)
        for index, number in zip(asked["practice_episode"].to_pylist(), asked["frame_index"].to_pylist(), strict=True)
    ]
    assert rows_of(table, "label").equals(asked.filter(before))
    taken = runs(rows_of(table, "takeover"))
    assert {index: part["frame_index"][0].as_py() for index, part in taken.items()} == starts
    assert set(runs(table)) == set(frames)
    if gate in ("all", "random"):
        assert any(before)
        assert taken
    if gate in ("all", "either"):  # which open wherever it is new
        alone = correct("kuka_reach", gate="shift", mode="takeover", budget=10**6)
        assert rows_of(table, "takeover").drop("gate").equals(alone.drop("gate"))


def test_labels_are_paid_for_before_takeovers(corrected: Any) -> None:
    asked = {"gate": "all", "mode": "mixed"}
    everything, _ = corrected("kuka_reach", budget=10**6, **asked)
    labels, takeovers = (rows_of(everything, mode) for mode in MODES)
    assert labels.num_rows > 5
    for budget in (0, 5, labels.num_rows):
        paid, said = corrected("kuka_reach", budget=budget, **asked)
        assert paid.equals(labels.slice(0, budget))
        assert ("none is left to take over" in said) == (budget > 0)
    more, said = corrected("kuka_reach", budget=labels.num_rows + 3, **asked)
    assert rows_of(more, "label").equals(labels)
    assert rows_of(more, "takeover").equals(takeovers.slice(0, 3))
    assert "none is left" not in said


def test_labels_stay_where_the_takeover_after_them_failed(correct: Any) -> None:
    asked = {"gate": "all", "mode": "mixed", "budget": 10**6, "max_steps": 20}
    kept, dropped = correct("kuka_reach", **asked), correct("kuka_reach", keep_failed=False, **asked)
    assert dropped.num_rows < kept.num_rows
    assert rows_of(dropped, "label").equals(rows_of(kept, "label"))


@pytest.mark.parametrize("mode", MODES)
def test_what_failed_comes_first_where_that_is_asked(mode: str, chain: Any, correct: Any) -> None:
    _, episodes = practice(chain, "distance")
    failed = {one["episode_index"] for one in episodes.to_pylist() if one["outcome"] != "success"}
    asked = {"gate": "all", "mode": mode}
    as_run = runs(correct("distance", budget=10**6, **asked))
    first = runs(correct("distance", budget=10**6, priority="failures", **asked))
    assert 0 < len(failed) < len(as_run)
    order = sorted(as_run, key=lambda one: (one not in failed, one))
    assert list(first) == order
    assert all(part.equals(as_run[one]) for one, part in first.items())
    paid = sum(as_run[one].num_rows for one in failed) + 1
    assert list(runs(correct("distance", budget=paid, priority="failures", **asked))) == order[: len(failed) + 1]


def test_of_labels_and_of_takeovers_failures_come_first(chain: Any, correct: Any) -> None:
    _, episodes = practice(chain, "distance")
    failed = [one["outcome"] != "success" for one in episodes.to_pylist()]
    asked = {"gate": "all", "mode": "mixed", "priority": "failures"}
    everything = correct("distance", budget=10**6, **asked)
    for mode in MODES:
        mine = [failed[index] for index in runs(rows_of(everything, mode))]
        assert mine == sorted(mine, reverse=True)
        assert mine


def test_a_takeover_goes_on_to_success(chain: Any, correct: Any) -> None:
    table = correct("distance", gate="shift", mode="takeover", budget=10**6)
    for part in runs(table).values():
        seen, acted = pairs(part, TASKS.find("distance"))
        assert abs(seen[-1, 0] + acted[-1, 0]) < 0.1 + 0.02


@pytest.mark.parametrize("budget", [30, 10**6])
@pytest.mark.parametrize("max_steps", [20, 30, 120])
def test_takeovers_in_vain_are_counted_and_used_unless_they_are_not_wanted(
    max_steps: int, budget: int, chain: Any, corrected: Any, settings: Settings
) -> None:
    """Each is run by itself here: what others that run with it may do tells nothing of it."""
    table, said = corrected("kuka_reach", max_steps=max_steps, gate="random", mode="takeover", budget=budget)
    task, wanted = TASKS.find("kuka_reach"), CorrectSettings("random", "takeover", budget)
    outcomes = {}
    for one in read_practice(chain.data / "kuka_reach" / f"round_{NUMBER}" / "practice", "kuka_reach", task, wanted):
        world = {**one.plan.world, "action_noise": settings.noise("kuka_reach", "demonstration")}
        if one.takeover is None:
            continue
        plan = replace(one.plan, world=world, prelude=one.executed[: one.takeover])
        (episode,) = rollout(task, expert_controller(task), [plan], one.takeover + max_steps, 1)
        outcomes[plan.index] = episode.outcome
    rows = {index: part.num_rows for index, part in runs(table).items()}
    failed = [index for index in rows if outcomes[index] != "success"]
    told = f"kuka_reach: {len(failed)} of {len(rows)} takeovers ended without success, "
    told += f"{sum(rows[index] for index in failed)} of {table.num_rows} rows"
    assert [line for line in said.splitlines() if "without" in line] == [told] * bool(failed)
    assert bool(failed) == (max_steps < 120)
    wanted = {"gate": "random", "mode": "takeover", "budget": budget, "keep_failed": False}
    successes = pc.invert(pc.is_in(table["practice_episode"], pa.array(failed, pa.int64())))
    assert corrected("kuka_reach", max_steps=max_steps, **wanted)[0].equals(table.filter(successes))


@pytest.mark.parametrize("gate", BY_SURPRISE)
def test_a_gate_of_surprise_needs_its_threshold(gate: str, chain: Any, stage: Any, root: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(chain.params.read_text())
    for name in BOTH:
        content["correct"][name]["gate"] = gate
    params, output = tmp_path / "params.yaml", tmp_path / "out"
    params.write_text(yaml.safe_dump(content))
    for name, told in (
        ("kuka_reach", "--training: found nothing"),
        ("distance", f"correct.distance.gate: found {gate}"),
    ):
        folder = chain.data / name / "round_1"
        training = ("--training", folder / "training.json") if name == "distance" else ()
        ended = stage(
            "correct", name, "round_1", folder / "practice", "--params", params, "--output", output, *training
        )
        assert (ended.status, ended.output.count("\n")) == (2, 1)
        assert ended.output.startswith(f"error: {told}")
        assert not output.exists()


def test_a_budget_of_none_and_a_gate_that_stays_shut_ask_nothing(correct: Any, chain: Any, stage: Any) -> None:
    for mode in (*MODES, "mixed"):
        assert correct("distance", gate="all", mode=mode, budget=0).num_rows == 0


def test_without_an_alarm_the_next_dataset_is_the_same(chain: Any, stage: Any, root: Path, tmp_path: Path) -> None:
    """Practice where the policy is at home: a threshold that nothing reaches."""
    content = yaml.safe_load(chain.params.read_text())
    content["shift"]["kuka_reach"]["threshold"] = 1e6
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(content))
    dataset, common = chain.data / "kuka_reach" / "round_0" / "dataset.parquet", ("--params", params)
    policy = tmp_path / "policy.npz"
    for name, *arguments in (
        ("train", "kuka_reach", dataset, "--policy", policy, "--metrics", tmp_path / "t.json"),
        ("practice", "kuka_reach", "round_0", policy, "--output", tmp_path / "practice"),
        ("correct", "kuka_reach", "round_0", tmp_path / "practice", "--output", tmp_path / "corrections.parquet"),
        ("build", "kuka_reach", dataset, tmp_path / "corrections.parquet", "--output", tmp_path / "next.parquet"),
    ):
        ended = stage(name, *arguments, *common)
        assert ended.status == 0, ended.output
    schema = schemas.expert_schema("kuka_reach", TASKS.find("kuka_reach"))
    assert parquet.read_table(tmp_path / "corrections.parquet", schema, empty=True).num_rows == 0
    assert (tmp_path / "next.parquet").read_bytes() == dataset.read_bytes()


def test_a_persons_recording_adds_its_rows_in_its_round_and_nothing_else(chain: Any, correct: Any) -> None:
    table = correct("distance", number=0)
    row = {name: table[name].to_pylist() for name in table.column_names}
    assert row["observation.distance"] == [11.5]
    assert row["action.step"] == [-3.5]
    assert (row["round"], row["source"], row["practice_episode"]) == ([1], ["person"], [None])
    assert set(correct("distance", number=1)["source"].to_pylist()) == {"correction"}


def test_a_recording_that_is_missing_is_told(chain: Any, stage: Any, tmp_path: Path) -> None:
    arguments = ("distance", "round_0", chain.data / "distance" / "round_0" / "practice", "--params", chain.params)
    ended = stage("correct", *arguments, "--output", tmp_path / "out", "--recordings", tmp_path)
    assert ended.status == 2
    assert ended.output == f"error: {tmp_path / 'correction.csv'}: no such file\n"
    ended = stage("correct", *arguments, "--output", tmp_path / "out")
    assert ended.status == 2
    assert ended.output.startswith("error: --recordings: found nothing, allowed: the folder of correction.csv")


def test_nobody_is_corrected_where_policies_are_judged(chain: Any, stage: Any, tmp_path: Path) -> None:
    evaluation = chain.data / "kuka_reach" / "round_0" / "evaluation"
    ended = stage(
        "correct", "kuka_reach", "round_0", evaluation, "--params", chain.params, "--output", tmp_path / "out"
    )
    assert ended.status == 2
    assert ended.output.startswith(f"error: {evaluation}: found episodes of ")
    assert ended.output.endswith(", allowed: practice\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["one", "round_", "round_-1", "round_01", "1"])
def test_a_round_that_is_none_is_told(name: str, chain: Any, stage: Any, tmp_path: Path) -> None:
    folder, common = chain.data / "distance" / "round_0", ("--params", chain.params, "--output", tmp_path / "out")
    for command, source in (("correct", folder / "practice"), ("practice", folder / "policy.npz")):
        ended = stage(command, "distance", name, source, *common)
        assert ended.status == 2
        assert ended.output == f"error: round: found {name}, allowed: round_0, round_1, ...\n"


def test_the_experts_motion_after_a_takeover_is_as_noisy_as_in_demonstrations(
    chain: Any,
    correct: Any,
    settings: Settings,
) -> None:
    """Each is run by itself here, to the bit."""
    task, wanted = TASKS.find("kuka_reach"), CorrectSettings("all", "takeover", 10**6)
    taken = runs(correct("kuka_reach", gate="all", mode="takeover", budget=10**6))
    level = settings.noise("kuka_reach", "demonstration")
    assert level > 0
    for one in read_practice(chain.data / "kuka_reach" / f"round_{NUMBER}" / "practice", "kuka_reach", task, wanted):
        plan = replace(one.plan, world={**one.plan.world, "action_noise": level})
        (episode,) = rollout(task, expert_controller(task), [plan], 40, 1)
        rows = taken[plan.index].num_rows
        assert np.array_equal(pairs(taken[plan.index], task)[0], episode.observations[:rows])


def test_a_persons_corrections_follow_one_another(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("distance,step\n11.5,-3.5\n8,-3\n5,-2\n")
    table = recorded("distance", TASKS.find("distance"), tmp_path / "two.csv", 2)
    assert table["frame_index"].to_pylist() == [0, 1, 2]
    assert table["episode_index"].to_pylist() == [0, 0, 0]
