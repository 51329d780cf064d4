"""A copy of this repository in which the real chain runs, small enough for a test."""

from collections.abc import Mapping
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

import yaml

from stages.tasks import TASKS

ROOT = Path(__file__).parent.parent
COPIED = (
    "stages",
    "data/recordings",
    "dvc.yaml",
    "params.yaml",
    "requirements.txt",
    ".dvcignore",
    ".gitignore",
    ".dvc/config",
    ".dvc/plots",
    "reports/studies",
    "reports/alarm",
)


def copy_repository(folder: Path, changes: Mapping[str, Any]) -> Path:
    """A git and DVC repository in `folder` with this one's code and its parameters, `changes` made to them."""
    folder.mkdir(parents=True)
    run(folder, "git", "init", "-q")
    run(folder, "dvc", "init", "-q")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in changes.items():
        change(params, key, value)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    left_out = {f"    - data/{name}\n" for name in TASKS if name not in params["tasks"]}
    lines = (folder / "dvc.yaml").read_text().splitlines(keepends=True)
    (folder / "dvc.yaml").write_text("".join(line for line in lines if line not in left_out))
    for command in (
        "git config user.name tests",
        "git config user.email tests@localhost",
        "git add -A",
        "git commit -qm start",
    ):
        run(folder, *command.split())
    return folder


def change(params: dict[str, Any], key: str, value: Any) -> None:
    """Set the parameter at a dotted key."""
    *path, last = key.split(".")
    for part in path:
        params = params[part]
    params[last] = value


def run(folder: Path, *command: str, check: bool = True) -> str:
    """What a command prints in `folder`, with this interpreter's tools first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def ran(output: str) -> list[str]:
    """The stages that `dvc repro` says it ran, in their order."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def outputs(folder: Path) -> dict[str, str]:
    """The hash of every output in `dvc.lock`."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


# Two tasks, one of them full of contacts, two rounds and a few episodes: all that the chain does, in little time.
SMALL: Mapping[str, Any] = {
    "tasks": ["distance", "kuka_pick_place"],
    "rounds": yaml.safe_load((ROOT / "params.yaml").read_text())["rounds"][:2],
    "evaluate.distance.episodes": 20,
    "practice.distance.episodes": 20,
    "demonstrate.kuka_pick_place.episodes": 4,
    "evaluate.kuka_pick_place.episodes": 2,
    "evaluate.kuka_pick_place.max_steps": 60,
    "practice.kuka_pick_place.episodes": 4,
    "practice.kuka_pick_place.max_steps": 60,
    "correct.kuka_pick_place.budget": 100,
}
