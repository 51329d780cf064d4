"""The gate holds a workspace against a revision: a real repository, its cache and an experiment."""

import json
from pathlib import Path
import re
import shutil
import sys
from typing import Any

import pytest
import yaml

from stages.comparing.power import PLOTTED, settings, simulate
from stages.core.errors import quoted
from stages.reporting.power import csv, svg
from tests.chain import ROOT, run
from tests.conftest import Stage
from tests.evaluations import some, write_evaluation, write_params

pytestmark = pytest.mark.xdist_group("gate")

GOOD = {"near": some(200, 200), "far": some(180, 200)}
WORSE = {"near": some(200, 200), "far": some(130, 200)}
BETTER = {"near": some(200, 200), "far": some(200, 200)}
PIPELINE = {
    "stages": {
        "evaluate": {
            "cmd": "mkdir -p data/distance/round_0 && cp -r made/${chosen} data/distance/round_0/evaluation",
            "deps": ["made"],
            "params": ["chosen"],
            "outs": ["data/distance/round_0/evaluation"],
        }
    }
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A commit whose evaluation is good, and an experiment whose evaluation is worse; the workspace is the commit."""
    folder = tmp_path_factory.mktemp("gate")
    for name, wins in {"good": GOOD, "worse": WORSE, "better": BETTER}.items():
        write_evaluation(folder / "made" / name, wins)
        (folder / "made" / name / "evaluation").rename(folder / "made" / f"{name}.tmp")
        (folder / "made" / name).rmdir()
        (folder / "made" / f"{name}.tmp").rename(folder / "made" / name)
    params = write_params(folder / "params.yaml", rounds=1)
    params.write_text(params.read_text() + "chosen: good\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (folder / ".gitignore").write_text("/data/*\n")
    for command in (
        "git init -q",
        "dvc init -q",
        "dvc config core.analytics false",
        "git config user.name tests",
        "git config user.email tests@localhost",
        "git add -A",
        "git commit -qm start",
        "git tag empty",
        "dvc repro -q",
        "git add -A",
        "git commit -qm good",
        "git tag good",
        "dvc exp run -q -n worse -S chosen=worse",
        "git reset -q --hard",
        "dvc checkout -q",
    ):
        run(folder, *command.split())
    return folder


def do(folder: Path, *arguments: object) -> tuple[int, str]:
    """Status and output of a command of this package, run as a user would."""
    program = (
        "import subprocess, sys; done = subprocess.run([sys.executable, '-m', *sys.argv[1:]], capture_output=True, "
        "text=True); print(done.stdout + done.stderr, end=''); print(done.returncode)"
    )
    said = run_here(folder, sys.executable, "-c", program, *map(str, arguments))
    *lines, status = said.splitlines(keepends=True)
    return int(status), "".join(lines)


def run_here(folder: Path, *command: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        return run(folder, *command)


def put(repository: Path, name: str) -> None:
    """Let the workspace's evaluation be the one of that name."""
    place = repository / "data/distance/round_0/evaluation"
    shutil.rmtree(place)
    shutil.copytree(repository / "made" / name, place)


def test_an_experiment_and_a_revision_are_compared_out_of_the_cache(repository: Path) -> None:
    put(repository, "better")
    status, said = do(repository, "stages.compare", "good", "worse", "--json")
    assert status == 0, said
    found = {one["condition"]: one for one in json.loads(said)["comparisons"]}
    assert (found["far"]["pairs"], found["far"]["lost"], found["far"]["verdict"]) == (200, 50, "worse")
    assert found["near"]["verdict"] == "no evidence"


def test_a_workspace_that_is_as_good_passes(repository: Path) -> None:
    put(repository, "good")
    status, said = do(repository, "stages.gate", "--baseline", "HEAD")
    assert (status, said.splitlines()[-1]) == (0, "gate: passed: 0 of 2 conditions are worse than HEAD")


def test_a_workspace_that_is_worse_fails_and_the_condition_is_named(repository: Path) -> None:
    put(repository, "worse")
    status, said = do(repository, "stages.gate", "--baseline", "good")
    assert status == 1
    assert said.startswith("failed: distance far: worse, 90.0 % -> 65.0 % of 200 episodes (50 lost, 0 gained")
    assert said.endswith("gate: failed: 1 of 2 conditions are worse than good\n")


def test_a_revision_without_data_says_what_to_do(repository: Path) -> None:
    put(repository, "good")
    status, said = do(repository, "stages.gate", "--baseline", "empty")
    assert status == 2
    assert said.startswith("error: empty: data/distance/round_0/evaluation is not in DVC's cache; `dvc pull`")
    assert said.count("\n") == 1


def test_a_revision_whose_cache_is_gone_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost"
    shutil.copytree(repository, lost, symlinks=True)
    shutil.rmtree(lost / ".dvc/cache")
    status, said = do(lost, "stages.compare", "data", "good")
    assert status == 2
    assert "good: data/distance/round_0/evaluation is not in DVC's cache" in said
    assert said.count("\n") == 1


def test_what_dvc_cannot_read_of_a_revision_is_said(repository: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(repository, broken, symlinks=True)
    (broken / "dvc.lock").write_text("<<<<<<< HEAD\n" + (broken / "dvc.lock").read_text())
    run(broken, "git", "commit", "-qam", "a conflict that was committed")
    status, said = do(broken, "stages.compare", "data", "HEAD")
    assert status == 2
    assert "'dvc.lock', YAML" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["HEAD:params.yaml", "HEAD^{tree}", "HEAD:made", "no_such_thing", "\udcff"])
def test_what_is_no_commit_is_no_baseline(
    repository: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(repository)
    ended = stage("gate", "--baseline", name)
    told = f"{quoted(name)}: neither a folder with evaluations nor a revision or experiment"
    assert ended == (2, f"error: {told}\n")


# From here on folders are baselines: no repository is needed.


@pytest.fixture
def gate(stage: Any, tmp_path: Path) -> Any:
    """Runs the gate on a workspace and a baseline with these outcomes."""
    params = write_params(tmp_path / "params.yaml", rounds=1)

    def run_gate(baseline: dict[str, list[bool]], now: dict[str, list[bool]], *arguments: object) -> Any:
        write_evaluation(tmp_path / "old/distance/round_0", baseline)
        write_evaluation(tmp_path / "data/distance/round_0", now)
        where = ("--data", tmp_path / "data", "--params", params)
        return stage("gate", "--baseline", tmp_path / "old", *where, *arguments)

    return run_gate


def test_what_is_better_is_cleared(gate: Any) -> None:
    ended = gate(GOOD, BETTER, "--json")
    found = {one["condition"]: one for one in json.loads(ended.output)["conditions"]}
    assert ended.status == 0
    assert {one["state"] for one in found.values()} == {"cleared"}
    assert gate(GOOD, BETTER, "--json").output == ended.output


def test_what_is_ruled_out_is_told(gate: Any) -> None:
    near, far = sorted(line for line in gate(GOOD, BETTER).output.splitlines() if line.startswith("cleared"))[::-1]
    assert re.search(
        r"near: 100.0 % -> 100.0 % of 200 episodes; a loss of more than [1-4]\.\d points is ruled out", near
    )
    assert "far: 90.0 % -> 100.0 % of 200 episodes; any loss is ruled out (" in far


def test_too_few_episodes_are_no_clearance(gate: Any) -> None:
    ended = gate({"near": some(4, 4)}, {"near": some(0, 4)})
    assert ended.status == 0
    assert "open: distance near: 100.0 % -> 0.0 % of 4 episodes; too few episodes for 5.0 points" in ended.output


def test_a_condition_that_is_gone_is_no_success(gate: Any) -> None:
    kept = {"near": GOOD["near"]}
    ended = gate(GOOD, kept)
    assert ended.status == 2
    assert "error: not in the same worlds on both sides: distance far" in ended.output
    assert gate(GOOD, kept, "--allow-missing").status == 0


def test_worlds_that_are_gone_are_no_success(gate: Any) -> None:
    fewer = {"near": some(150, 150), "far": some(180, 180)}
    ended = gate(GOOD, fewer)
    assert ended.status == 2
    assert "distance near: left out 50 episodes that one side lacks.\n" in ended.output
    assert "gate: nothing failed: 0 of 2 conditions" in ended.output
    told = ended.output.splitlines()[-1]
    assert "old: found no partner for 70 of 400 worlds of distance near, far, allowed: one for each (evaluate" in told
    allowed = gate(GOOD, fewer, "--allow-missing", "--json")
    left = {one["condition"]: one for one in json.loads(allowed.output)["left_out"]}
    assert allowed.status == 0
    assert (left["far"]["worlds"], left["far"]["lacking"], left["far"]["alone"]) == (200, 20, 20)


def test_worlds_that_are_gone_are_no_success_of_the_same_policy_either(gate: Any, tmp_path: Path) -> None:
    for side in ("old", "data"):
        (tmp_path / side / "distance/round_0").mkdir(parents=True)
        (tmp_path / side / "distance/round_0/policy.npz").write_bytes(b"the same")
    assert gate(GOOD, GOOD).output.count("the same policy did the same in 200 episodes") == 2
    ended = gate(GOOD, {name: wins[:150] for name, wins in GOOD.items()})
    assert ended.status == 2
    assert "found no partner for 100 of 400 worlds of distance near, far, allowed: one for each" in ended.output


def test_parameters_that_are_no_text_are_told(gate: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"tasks: [distance] # \xe9\n")
    ended = gate(GOOD, GOOD, "--params", tmp_path / "bad.yaml")
    assert (ended.status, ended.output.count("\n")) == (2, 1)
    assert ended.output.startswith(f"error: {tmp_path / 'bad.yaml'}: not YAML")


def test_what_is_gone_and_what_has_become_less_are_both_told(gate: Any) -> None:
    *_, gone, less = gate(GOOD, {"near": some(150, 150)}).output.splitlines()
    assert gone == "error: not in the same worlds on both sides: distance far (see --allow-missing)"
    assert "found no partner for 50 of 200 worlds of distance near, allowed" in less


@pytest.mark.parametrize("now", [{"far": some(100, 200)}, {"far": some(60, 150), "near": some(1, 1)}])
def test_what_is_gone_does_not_hide_a_condition_that_fails(gate: Any, now: dict[str, list[bool]]) -> None:
    assert gate({"far": some(180, 200), "near": some(1, 1)}, now).status == 1


def test_what_is_new_is_told_and_not_held_against_the_workspace(gate: Any) -> None:
    ended = gate({"near": some(150, 150)}, GOOD)
    assert ended.status == 0
    assert "distance near: left out 50 episodes that one side lacks.\n" in ended.output
    assert "distance far: left out 200 episodes that one side lacks.\n" in ended.output
    assert ended.output.splitlines()[-1].startswith("gate: passed: 0 of 1 conditions")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--margin", "0"), "--margin: found 0.0"),
        (("--level", "0.9"), "--level: found 0.9, allowed: at least 1e-09 and less than 0.5"),
        (("--level", "1e-300"), "--level: found 1e-300, allowed: at least 1e-09"),
        (("--minutes", "3"), "--minutes: found 3.0, allowed: 0 or more, and with --sequential"),
        (("--sequential", "--minutes", "nan"), "--minutes: found nan"),
        (("--baseline", ""), "found an empty name"),
        (("--runs", "5"), "--runs: has no effect without --power"),
        (("--worlds", "5"), "--worlds: has no effect without --sequential"),
        (("--sequential", "--worlds", "100001"), "--worlds: found 100001, allowed: at most 100,000"),
        (("--params", "gone"), "gone: no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(gate: Any, arguments: tuple[str, ...], told: str) -> None:
    ended = gate(GOOD, GOOD, *arguments)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {told}")
    assert ended.output.count("\n") == 1


def test_the_power_is_written_and_told(stage: Any, tmp_path: Path) -> None:
    ended = stage("gate", "--power", tmp_path, "--runs", 1)
    assert ended.status == 0, ended.output
    assert "success 95 %, correlation 0.5, among 22 conditions: " in ended.output
    assert {path.name for path in tmp_path.iterdir()} == {"power.csv", "power.svg", "sequential.csv", "budget.csv"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--margin", "0.41"), "--margin: found 0.41, allowed with --power: 0.01 (less takes ever more pairs) to 0.4"),
        (("--margin", "0.009"), "--margin: found 0.009, allowed with --power: 0.01"),
        (("--runs", "0"), "--runs: found 0, allowed: at least 1"),
        (("--json",), "--json: has no effect with --power"),
        (("--task", "distance"), "--task: has no effect with --power"),
    ],
)
def test_what_has_no_power_is_told_before_anything_is_written(
    stage: Any, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    ended = stage("gate", "--power", tmp_path, "--runs", 1, *arguments)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {told}")
    assert list(tmp_path.iterdir()) == []


def test_the_power_comes_to_the_same_bytes_twice() -> None:
    powers = [list(simulate(settings(episodes=(100, 500)), 50, 0.05, 0.01)) for _ in range(2)]
    first, second = (csv(part).encode() + svg(part, *PLOTTED, 0.05) for part in powers)
    assert first == second
    assert b"<svg" in first
