"""`dvc.yaml` names what a stage reads, all of it and nothing else."""

from pathlib import Path

import pytest
import yaml

from stages.core.checks import PER_TASK
from stages.core.conditions import PURPOSES
from tests.chain import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
TASK = "${item.task}"


def code_of(stage: str) -> str:
    """Where the code of a stage is: of one that runs for each task, the task's."""
    return f"data/code/{TASK}/{stage}.txt" if "matrix" in STAGES[stage] else f"data/code/{stage}.txt"


def test_the_code_of_every_stage_is_written_down_and_read() -> None:
    found: dict[str, set[str]] = {}
    for stage, one in STAGES.items():
        if stage != "code":
            assert [dep for dep in one["deps"] if "code" in dep] == [code_of(stage)]
            # It has the policy as parameters, or as a file.
            policy = any(key == f"policy.{TASK}" for key in one.get("params", [])) or "policy.npz" in one["cmd"]
            option = "--once" if "matrix" not in one else "--by-policy" if policy else "--by-task"
            found.setdefault(option, set()).add(stage)
    options = STAGES["code"]["cmd"].split(" --")[2:-1]
    assert {f"--{option}": set(stages) for option, *stages in map(str.split, options)} == found


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_of_a_stage_is_on_its_command_line(stage: str) -> None:
    one = STAGES[stage]
    outs = [out if isinstance(out, str) else next(iter(out)) for out in [*one["outs"], *one.get("metrics", [])]]
    paths = [path for path in [*one["deps"], *outs] if path != code_of(stage)]
    words = one["cmd"].split()
    assert [path for path in paths if not any(Path(path).is_relative_to(word) for word in words)] == []


def test_what_the_chain_asks_of_a_task_is_there(task_name: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert [section for section in PER_TASK if task_name not in params[section]] == []
    assert [stage for stage in ("measure", "report") if f"data/{task_name}" not in STAGES[stage]["deps"]] == []
    assert (ROOT / "data" / "recordings" / task_name).is_dir()


def test_the_conditions_of_evaluation_are_read_by_no_other_stage() -> None:
    """Among them is the held-out world, which nothing may be taught in."""
    of_all = [stage for stage, one in STAGES.items() if any("randomization" in key for key in one.get("params", []))]
    assert of_all == ["randomize"]  # which puts the conditions of each purpose into a file of its own
    read = {stage: [dep for dep in one["deps"] if dep.startswith("data/conditions")] for stage, one in STAGES.items()}
    assert {stage: deps for stage, deps in read.items() if deps} == {
        stage: [f"data/conditions/${{item.task}}/{stage}.json"] for stage in PURPOSES
    }


def test_how_the_work_is_done_reruns_nothing() -> None:
    reads = {key.split(".")[0] for one in STAGES.values() for key in one.get("params", [])}
    assert "evaluate" in reads
    assert "compute" not in reads
