"""Two evaluations are compared world by world, wherever they come from."""

import json
from pathlib import Path
import shutil
import sys
from typing import Any

import pytest

from tests.chain import run
from tests.evaluations import some, write_evaluation, write_params

FIRST = {"near": some(100, 100), "far": some(10, 100), "region": some(90, 100)}
LAST = {"near": some(100, 100), "far": some(95, 100), "region": some(60, 100)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks of two rounds, in a folder with parameters beside it."""
    folder = tmp_path_factory.mktemp("workspace")
    write_params(folder / "params.yaml", ["distance", "kuka_reach"])
    for number, wins in enumerate((FIRST, LAST)):
        write_evaluation(folder / f"data/distance/round_{number}", wins)
        write_evaluation(folder / f"data/kuka_reach/round_{number}", {"shown": some(40 + number, 50)}, "kuka_reach")
    return folder


def compare(stage: Any, workspace: Path, *arguments: object) -> Any:
    return stage("compare", *arguments, "--data", workspace / "data", "--params", workspace / "params.yaml")


def compared(stage: Any, workspace: Path, *arguments: object) -> dict[str, Any]:
    ended = compare(stage, workspace, *arguments, "--json")
    assert ended.status == 0, ended.output
    content: dict[str, Any] = json.loads(ended.output)
    content["by"] = {f"{one['task']} {one['condition']}": one for one in content["comparisons"]}
    return content


def test_what_is_better_worse_and_unknown_is_told(stage: Any, workspace: Path) -> None:
    by = compared(stage, workspace, "round_0", "round_1")["by"]
    verdicts = {name: one["verdict"] for name, one in by.items()}
    assert verdicts == {
        "distance near": "no evidence",
        "distance far": "better",
        "distance region": "worse",
        "kuka_reach shown": "no evidence",
    }
    far = by["distance far"]
    assert (far["pairs"], far["lost"], far["gained"]) == (100, 0, 85)
    assert (far["success_a"], far["success_b"], far["difference"]) == (0.1, 0.95, 0.85)
    assert far["low"] < 0.85 < far["high"]
    assert far["p"] <= far["p_adjusted"] < 0.05


def test_the_text_says_the_same_in_lines_that_stand_below_each_other(stage: Any, workspace: Path) -> None:
    said = compare(stage, workspace, "round_0", "round_1").output
    table = said.split("\n\n")[1].splitlines()
    assert len(table) == 5
    place = table[0].index("verdict")
    assert [line[place:] for line in table] == ["verdict", "no evidence", "better", "worse", "no evidence"]
    assert "distance far: B is better (85.0 points, 95 % interval" in said
    assert "distance near: no evidence of a difference; B being more than 3.7 points worse or 3.7 points better" in said


def test_nothing_is_certain(stage: Any, workspace: Path) -> None:
    said = compare(stage, workspace, "round_0", "round_1", "--level", "1e-9").output
    assert "(85.0 points, 99.9999999 % interval" in said
    assert "is excluded (99.9999999 %)." in said
    assert "(100 %)" not in said


def test_swapping_the_sides_mirrors_everything(stage: Any, workspace: Path) -> None:
    there = compared(stage, workspace, "round_0", "round_1")["by"]
    back = compared(stage, workspace, "round_1", "round_0")["by"]
    other = {"better": "worse", "worse": "better", "no evidence": "no evidence"}
    for name, one in there.items():
        two = back[name]
        assert (one["difference"], one["low"], one["high"]) == (-two["difference"], -two["high"], -two["low"])
        assert (one["lost"], one["gained"], one["p"]) == (two["gained"], two["lost"], two["p"])
        assert one["p_adjusted"] == two["p_adjusted"]
        assert one["verdict"] == other[two["verdict"]]


def test_of_a_thing_and_itself_there_is_no_evidence(stage: Any, workspace: Path) -> None:
    for one in compared(stage, workspace, "round_1", "round_1")["comparisons"]:
        assert (one["verdict"], one["difference"], one["p"]) == ("no evidence", 0, 1)
        assert one["low"] == -one["high"]


def test_asking_twice_gives_the_same_bytes(stage: Any, workspace: Path) -> None:
    first, second = (compare(stage, workspace, "round_0", "round_1", "--json").output for _ in range(2))
    assert first == second


def test_a_folder_of_data_is_its_last_round_unless_another_is_asked_for(stage: Any, workspace: Path) -> None:
    data, by_name = workspace / "data", compared(stage, workspace, "round_0", "round_1")
    assert compared(stage, workspace, "round_0", data)["by"] == by_name["by"]
    assert compared(stage, workspace, data, "round_1", "--round", 0)["by"] == by_name["by"]


def test_the_folder_of_a_round_is_of_the_task_it_says(stage: Any, workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace / "data/distance/round_0", tmp_path / "kept")
    found = compared(stage, workspace, tmp_path / "kept", workspace / "data/distance/round_1")
    assert found["by"]["distance far"]["gained"] == 85
    assert set(found["by"]) == {"distance near", "distance far", "distance region"}


def test_beside_the_folder_of_a_round_no_other_task_needs_to_be_whole(
    stage: Any, workspace: Path, tmp_path: Path
) -> None:
    shutil.copytree(workspace, tmp_path / "half")
    (tmp_path / "half/data/kuka_reach/round_1/evaluation/episodes.parquet").write_bytes(b"")
    folder = workspace / "data/distance/round_0"
    for sides in ((folder, tmp_path / "half/data"), (tmp_path / "half/data", folder)):
        assert compared(stage, workspace, *sides)["tasks_left_out"] == []


def test_a_round_left_over_from_a_longer_chain_is_not_the_last(stage: Any, workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace, tmp_path / "longer")
    write_evaluation(tmp_path / "longer/data/distance/round_7", FIRST)
    found = compared(stage, workspace, "round_0", tmp_path / "longer/data")
    assert found["b"]["rounds"]["distance"] == "round_1"
    assert compared(stage, tmp_path / "longer", "round_0", "round_7")["b"]["rounds"] == {"distance": "round_7"}


def test_a_round_of_the_chain_that_is_not_there_is_to_be_brought(stage: Any, tmp_path: Path) -> None:
    write_params(tmp_path / "params.yaml")
    ended = compare(stage, tmp_path, "round_0", "round_1")
    told = (
        f"error: round_0: found no evaluation in {tmp_path / 'data'}, which `dvc repro` or `dvc checkout` would bring"
    )
    assert ended == (2, f"{told}\n")


def test_one_task_only(stage: Any, workspace: Path) -> None:
    found = compared(stage, workspace, "round_0", "round_1", "--task", "kuka_reach")
    assert list(found["by"]) == ["kuka_reach shown"]
    assert found["by"]["kuka_reach shown"]["p_adjusted"] == found["by"]["kuka_reach shown"]["p"]


def test_what_is_left_out_is_told(stage: Any, workspace: Path, tmp_path: Path) -> None:
    fewer = write_evaluation(tmp_path / "fewer", {"near": some(60, 60), "new": some(1, 1)})
    said = compare(stage, workspace, workspace / "data/distance/round_0", fewer).output
    assert "distance near: left out 40 episodes that one side lacks." in said
    assert "distance new: left out 1 episode that one side lacks." in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("round_0", "round_5"), "params.yaml: rounds: found no round_5, allowed: round_0, round_1"),
        (("round_0", "{data}/distance/round_1/evaluation"), "allowed: the one above, {data}/distance/round_1"),
        (("round_0", "{bare}"), "found a folder of episodes, allowed: one that holds it as `evaluation`"),
        (("round_0", "round_1", "--task", "distances"), "round_0: task: found no distances, allowed: "),
        (("round_0", "no_such_thing"), "no_such_thing: neither a folder with evaluations nor a revision"),
        (("round_0", "round_1", "--level", "2"), "--level: found 2.0, allowed: at least 1e-09 and less than 1"),
        (("round_0", "round_1", "--level", "1e-300"), "--level: found 1e-300, allowed: at least 1e-09"),
        (("round_0", "round_1", "--level", "nan"), "--level: found nan"),
        (("{data}", "round_1", "--round", "9"), "rounds: found no round_9, allowed: round_0, round_1"),
        (("round_0", "{data}/distance/round_1", "--round", "9"), "--round: found 9, allowed: where A or B has several"),
        (("{data}/kuka_reach/round_0", "{data}/distance/round_0"), "found no task in common"),
        (("{elsewhere}", "{data}/distance/round_0"), "no episodes of the same condition, seed and world"),
        (("{broken}", "round_0"), "not a whole Parquet file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    arguments: tuple[str, ...], told: str, stage: Any, workspace: Path, tmp_path: Path
) -> None:
    write_evaluation(tmp_path / "elsewhere", FIRST, seed=2)
    write_evaluation(tmp_path / "broken", FIRST)
    (tmp_path / "broken/evaluation/episodes.parquet").write_text("x")
    shutil.copytree(tmp_path / "elsewhere/evaluation", tmp_path / "bare")
    places = {"data": workspace / "data", **{name: tmp_path / name for name in ("elsewhere", "broken", "bare")}}
    ended = compare(stage, workspace, *(argument.format(**places) for argument in arguments))
    assert ended.status == 2
    assert ended.output.startswith("error: ")
    assert told.format(**places) in ended.output
    assert ended.output.count("\n") == 1


def test_a_question_for_help_reads_nothing_that_is_slow(root: Path) -> None:
    slow = {"dvc", "numpy", "pandas", "pyarrow", "scipy"}
    program = f"import sys, stages.compare, stages.gate; print(sorted({slow} & set(sys.modules)))"
    assert run(root, sys.executable, "-c", program) == "[]\n"
