"""Mutated parameters, recordings, tables and policies, each given to the stage that reads it.

Every one is valid (status 0, and the next stage can read the output) or refused (status 2, one line or, for parameters,
a line for everything that is wrong). Some run by the command line, as a user's would, to see that it is no different.
"""

from collections.abc import Callable
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stages.core import parquet, schemas, tables
from stages.core.errors import UserError
from stages.core.policy import load_policy
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS
from tests.chain import ROOT
from tests.endurance.artefacts import LONGEST, Ended, Run, measured, run_stage, small_run
from tests.endurance.mutants import MUTATORS, TRAP
from tests.endurance.outcomes import write_outcomes

SEED = 11
BY_COMMAND_LINE = 0.005  # the share that runs in a process of its own, which takes as long as a hundred here
LARGEST = 2_000  # steps of valid parameters that are run; to run more says nothing new


class Target(NamedTuple):
    """A file that is mutated, and the stage that is then run."""

    mutator: str
    path: Path
    stage: str
    arguments: tuple[object, ...]
    outputs: tuple[Path, ...]
    share: int  # of all tries
    shared: bool = False  # the file is one of params.yaml, of which valid ones may take for ever


def targets(run: Run) -> dict[str, Target]:
    """What is mutated, by kind of file."""
    data, out = run.data / "distance", run.folder / "out"
    reach = run.data / "kuka_reach"
    here, later = data / "round_0", data / "round_1"
    recording = run.folder / "recording.csv"
    recording.write_bytes((ROOT / "data/recordings/distance/lab.csv").read_bytes())
    table = pa.table({"distance": np.linspace(5, 0.1, 20), "step": np.full(20, -0.3)})
    parquet.write_table(table, run.folder / "recording.parquet")
    folder = ("--output", out / "episodes")
    fitted = ("--policy", out / "policy.npz", "--metrics", out / "training.json")
    both = (out / "policy.npz", out / "training.json")
    dataset = ("--output", out / "dataset.parquet")

    def built(task: Path) -> tuple[object, ...]:
        return (task.name, task / "demonstrations/steps.parquet", task / "demonstrations/episodes.parquet", *dataset)

    def corrected(task: Path) -> tuple[object, ...]:
        return (task.name, "round_0", task / "round_0/practice", "--demonstrations", task / "demonstrations", *dataset)

    def acted(task: Path) -> tuple[object, ...]:
        return (task.name, task / "round_0/policy.npz", "--demonstrations", task / "demonstrations", *folder)

    def drawn(task: Path) -> tuple[object, ...]:
        return (*acted(task), "--conditions", run.data / "conditions" / task.name / "evaluate.json")

    more = ("distance", here / "dataset.parquet", here / "corrections.parquet", *dataset)
    imported = ("distance", "--recording")
    one, many = (out / "dataset.parquet",), (out / "episodes",)
    steps, episodes = schemas.STEPS, schemas.EPISODES
    return {
        "params.yaml: train": Target(
            "params.yaml", run.params, "train", ("distance", here / "dataset.parquet", *fitted), both, 8, True
        ),
        "params.yaml: evaluate": Target("params.yaml", run.params, "evaluate", acted(data), many, 8, True),
        "conditions: evaluate": Target(
            "conditions", run.data / "conditions/distance/evaluate.json", "evaluate", drawn(data), many, 3
        ),
        "recordings (CSV): demonstrate": Target(
            "recording (CSV)", recording, "demonstrate", (*imported, recording, *folder), many, 10
        ),
        "recordings (Parquet): demonstrate": Target(
            "recording (Parquet)",
            run.folder / "recording.parquet",
            "demonstrate",
            (*imported, run.folder / "recording.parquet", *folder),
            many,
            8,
        ),
        "demonstrations (steps): build": Target("table", data / "demonstrations" / steps, "build", built(data), one, 5),
        "demonstrations (episodes): build": Target(
            "table", reach / "demonstrations" / episodes, "build", built(reach), one, 5
        ),
        "corrections: build": Target("table", here / "corrections.parquet", "build", more, one, 5),
        "datasets: train": Target(
            "table", later / "dataset.parquet", "train", ("distance", later / "dataset.parquet", *fitted), both, 6
        ),
        "practice (steps): correct": Target(
            "table", reach / "round_0/practice" / steps, "correct", corrected(reach), one, 3
        ),
        "practice (episodes): correct": Target(
            "table", reach / "round_0/practice" / episodes, "correct", corrected(reach), one, 5
        ),
        "evaluations (steps): measure": Target(
            "table",
            data / "round_1/evaluation" / steps,
            "measure",
            (run.data, *measured(out)),
            (out / "results.csv", out / "metrics.json", out / "plots"),
            2,
        ),
        "evaluations (episodes): measure": Target(
            "table",
            data / "round_1/evaluation" / episodes,
            "measure",
            (run.data, *measured(out)),
            (out / "results.csv", out / "metrics.json", out / "plots"),
            2,
        ),
        "policies: evaluate distance": Target("policy", data / "round_0/policy.npz", "evaluate", acted(data), many, 10),
        "policies: evaluate kuka_reach": Target(
            "policy", reach / "round_0/policy.npz", "evaluate", acted(reach), many, 4
        ),
    }


def _state(paths: tuple[Path, ...]) -> dict[str, str]:
    """Every file at or below the paths, by a digest; hidden ones beside them as well."""
    found = [file for path in paths for file in (path, *path.rglob("*"), *path.parent.glob(".*.tmp")) if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def _by_command_line(name: str, arguments: tuple[object, ...], folder: Path) -> Ended:
    command = [sys.executable, "-m", f"stages.{name}", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return Ended(-2, "")
    return Ended(done.returncode if done.returncode in (0, 2) else -1, done.stdout + done.stderr)


def _too_long(path: Path) -> bool:
    """Whether parameters are valid and ask for more than this can wait for."""
    try:
        params = load_settings(path, TASKS, POLICIES).params
    except UserError:
        return False
    asked, cloned = (params.evaluate or {}).get("distance"), (params.policy or {}).get("distance")
    conditions = len(((params.randomization or {}).get("distance") or _NONE).conditions())
    steps = conditions * ((asked and asked.episodes) or 1) * ((asked and asked.max_steps) or 1)
    return steps > LARGEST or (cloned is not None and cloned.kind == "mlp")


class _None:
    def conditions(self) -> dict[str, Any]:
        return {}


_NONE = _None()


def judge(target: Target, ended: Ended, before: dict[str, str]) -> str:
    """What became of a mutant; anything but valid and refused is a fault."""
    # What a progress bar has wiped away is not there any more.
    lines = [line.rpartition("\r")[2] for line in ended.said.split("\n") if line.rpartition("\r")[2].strip()]
    if Path(TRAP).exists():
        return "ran_code"
    if ended.status == -2:
        return "hung"
    if ended.status not in (0, 2) or "Traceback" in ended.said:
        return "crashed"
    if ended.status == 0:
        return "valid" if _readable(target) else "unclear"
    if _state(target.outputs) != before:
        return "touched"
    told = [line for line in lines if line.startswith("error: ")]
    one = len(told) == len(lines) and (len(told) == 1 or target.shared)
    return "refused" if one and all(len(line) < 600 for line in lines) else "unclear"


def _readable(target: Target) -> bool:
    """Whether the next stage takes what was made of a mutant that was thought to be valid."""
    task = next(str(one) for one in target.arguments if str(one) in TASKS) if target.stage != "measure" else "distance"
    try:
        for path in target.outputs:
            if path.name == "episodes":
                tables.read_episodes(path, task, TASKS.find(task))
            elif path.name == "dataset.parquet":
                parquet.read_table(path, schemas.expert_schema(task, TASKS.find(task)), empty=True)
            elif path.suffix == ".npz":
                load_policy(path, task, POLICIES)
    except UserError as error:
        print(f"made of a mutant, and refused: {error}")
        return False
    return True


def _fuzz(target: Target, count: int, rng: np.random.Generator, kept: Path) -> dict[str, int]:
    outcomes = dict.fromkeys(("valid", "refused", "not_run", "crashed", "hung", "unclear", "touched", "ran_code"), 0)
    whole = target.path.read_bytes()
    mutate: Callable[[Path, np.random.Generator], None] = MUTATORS[target.mutator]
    assert run_stage(target.stage, *target.arguments).status == 0
    for number in range(count):
        target.path.write_bytes(whole)
        mutate(target.path, rng)
        if target.shared and _too_long(target.path):
            outcomes["not_run"] += 1
            continue
        before = _state(target.outputs)
        own = rng.random() < BY_COMMAND_LINE
        ended = (
            _by_command_line(target.stage, target.arguments, Path.cwd())
            if own
            else run_stage(target.stage, *target.arguments)
        )
        outcome = judge(target, ended, before)
        outcomes[outcome] += 1
        if outcome not in ("valid", "refused"):
            shutil.copy(target.path, kept / f"{target.stage}-{number}-{outcome}{target.path.suffix}")
            print(f"{outcome}: {target.path} {number}: status {ended.status}\n{ended.said[-1500:]}", flush=True)
    target.path.write_bytes(whole)
    return outcomes


def main(count: int = 5_100) -> None:
    """Try about `count` mutants."""
    rows = []
    kept = Path("/tmp/endurance-fuzz")
    kept.mkdir(exist_ok=True)
    with small_run() as run:
        every = targets(run)
        total = sum(target.share for target in every.values())
        for place, (name, target) in enumerate(every.items()):
            rng = np.random.default_rng([SEED, place])
            outcomes = _fuzz(target, 1 + count * target.share // total, rng, kept)
            rows.append({"file and stage": name, "tried": sum(outcomes.values()), **outcomes})
            print(rows[-1], flush=True)
            write_outcomes("fuzz", rows)
