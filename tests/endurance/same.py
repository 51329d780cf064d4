"""The same bytes in two clones with environments of their own, however the second does its work.

In the second, episodes run in another order, and the backend, the number of processes and of simulations in lockstep
change from stage to stage. `compute` is no dependency of any stage, so that the clones differ in nothing else.
"""

from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import tempfile
from typing import Any

import yaml

from tests.chain import ROOT, change, outputs
from tests.endurance.outcomes import write_outcomes
from tests.endurance.workspaces import CHAIN
from tests.serving import dask_cluster

# What stages do their work with, in turn: each stage of a task in another way than in the round before.
WAYS = (
    {"jobs": 2, "backend": "loky", "lockstep": 3},
    {"jobs": 2, "backend": "threading", "lockstep": 5},
    {"jobs": 1, "backend": "sequential", "lockstep": 1},
    {"jobs": 3, "backend": "fork", "lockstep": 16},
    {"jobs": -1, "backend": "dask", "lockstep": 4},
)

# Put into the clone's environment: whoever runs episodes there runs them in another order.
SHUFFLE = """
import sys

def _shuffled(run):
    def anew(make, controller, plans, *rest):
        import random
        order = list(plans)
        random.Random(len(order)).shuffle(order)
        place = {plan.index: number for number, plan in enumerate(plans)}
        found = run(make, controller, order, *rest)
        return sorted(found, key=lambda episode: place[episode.plan.index])
    return anew

class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "stages.core.parallel":
            return None
        sys.meta_path.remove(_Finder)
        from importlib.util import find_spec
        spec = find_spec(name)
        load = spec.loader.exec_module
        def shuffled(module):
            load(module)
            module.run_episodes = _shuffled(module.run_episodes)
        spec.loader.exec_module = shuffled
        return spec

sys.meta_path.insert(0, _Finder)
"""


def _do(folder: Path, *command: str) -> None:
    """Run in the clone, as someone would who has nothing but it."""
    known = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    known["PATH"] = os.pathsep.join(part for part in known["PATH"].split(os.pathsep) if "/.venv/" not in part)
    script = f". .ci/activate && {' '.join(command)}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=known, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stdout[-2000:]}{done.stderr[-4000:]}")


def _clone(folder: Path, changes: dict[str, Any]) -> Path:
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    if changes:
        content = yaml.safe_load((folder / "params.yaml").read_text())
        for key, value in changes.items():
            change(content, key, value)
        (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        left_out = [f"    - data/{name}\n" for name in ("kuka_joints", "kuka_pick_place", "kuka_reach", "distance")]
        left_out = [line for line in left_out if line.strip("- \n").removeprefix("data/") not in content["tasks"]]
        lines = (folder / "dvc.yaml").read_text().splitlines(keepends=True)
        (folder / "dvc.yaml").write_text("".join(line for line in lines if line not in left_out))
    (folder / "dvc.lock").unlink(missing_ok=True)
    _do(folder, "true")  # makes its environment
    return folder


def _run_in_one_go(folder: Path) -> None:
    _do(folder, "dvc", "repro")


def _run_otherwise(folder: Path) -> None:
    """Stage by stage, each with another way of working."""
    packages = next(folder.glob(".venv/lib/python*/site-packages"))
    (packages / "shuffle.py").write_text(SHUFFLE)
    (packages / "shuffle.pth").write_text("import shuffle\n")
    params = folder / "params.yaml"
    content = yaml.safe_load(params.read_text())
    stages = ["randomize", *(f"demonstrate@{task}" for task in content["tasks"])]
    per_round = ("build", "train", "evaluate", "practice", "correct")
    rounds = range(len(content["rounds"]))
    stages += [f"{name}@{task}-round{number}" for number in rounds for task in content["tasks"] for name in per_round]
    kept = params.read_bytes()
    with dask_cluster(2, folder, folder / ".venv" / "bin" / "python") as (address, _):
        for place, stage in enumerate([*stages, "report"]):
            content["compute"] = {**WAYS[(place + place // len(per_round)) % len(WAYS)], "scheduler": address}
            params.write_text(yaml.safe_dump(content, sort_keys=False))
            _do(folder, "dvc", "repro", stage)
    params.write_bytes(kept)


def _compare(one: dict[str, str], other: dict[str, str]) -> dict[str, object]:
    differing = [path for path in sorted({*one, *other}) if one.get(path) != other.get(path)]
    for path in differing:
        print(f"different: {path}: {one.get(path)}, {other.get(path)}", flush=True)
    return {"tried": len({*one, *other}), "different": len(differing)}


def main(small: bool = False) -> None:
    """Run twice, and compare; `small`: with few episodes."""
    found: dict[str, dict[str, str]] = {}
    ways: dict[str, Callable[[Path], None]] = {"in one go": _run_in_one_go, "otherwise": _run_otherwise}
    with tempfile.TemporaryDirectory() as name:
        for way, work in ways.items():
            folder = _clone(Path(name) / way.replace(" ", "_"), CHAIN if small else {})
            work(folder)
            found[way] = outputs(folder)
            print(f"{way}: {len(found[way])} outputs", flush=True)
    rows = [{"run": "two clones, the second otherwise", **_compare(found["in one go"], found["otherwise"])}]
    if not small and (ROOT / "dvc.lock").exists():
        rows.append({"run": "the first and the committed dvc.lock", **_compare(found["in one go"], outputs(ROOT))})
    write_outcomes("same_small" if small else "same", rows)
