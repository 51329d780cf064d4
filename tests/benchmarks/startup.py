"""How long stages take until they begin: all that they import and read before their first input."""

from collections.abc import Mapping
import os
import resource
from statistics import median
import subprocess
import sys

import yaml

from tests.benchmarks.figures import Figure
from tests.chain import ROOT

TURNS = 9
JUST = "import numpy, pyarrow, pyarrow.parquet"  # what nobody gets around

# A stage begins once it has read its command line and its parameters and knows its task; `report`, which has neither,
# once it knows that what was measured is whole.
_PARAMS = """
from pathlib import Path
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS
load_settings(Path("params.yaml"), TASKS, POLICIES)
"""
_TASK = "TASKS.find('kuka_pick_place')\n"
_POLICY = "POLICIES.find('local_linear')\n"
BEGINNINGS: Mapping[str, str] = {
    "code": "from pathlib import Path\nfrom stages.code import policy_kinds\npolicy_kinds(Path('params.yaml'))\n",
    "randomize": _PARAMS,
    "demonstrate": _PARAMS + _TASK,
    "build": "from stages.tasks import TASKS\n" + _TASK,
    "train": _PARAMS + _TASK + _POLICY,
    "evaluate": _PARAMS + _TASK + _POLICY,
    "practice": _PARAMS + _TASK + _POLICY,
    "correct": _PARAMS + _TASK,
    "measure": _PARAMS,
    "report": "from pathlib import Path\nfrom stages.core.seal import check_sums\n"
    "check_sums(Path('reports/plots'), (Path('reports/results.csv'), Path('reports/metrics.json')))\n",
}


def measure() -> list[Figure]:
    """CPU time of each stage's process up to its first useful line, over that of one that imports the libraries."""
    programs = {"libraries": JUST, "python": "pass"}
    programs |= {name: f"from stages.{name} import main\n{rest}" for name, rest in BEGINNINGS.items()}
    for program in programs.values():
        _seconds(program)  # compiles, and fetches from the disk
    turns = [{name: _seconds(program) for name, program in programs.items()} for _ in range(TURNS)]
    libraries = median(turn["libraries"] for turn in turns)
    figures = [Figure("libraries alone: CPU time", 1000 * libraries, "ms")]
    starts = {name: median(turn[name] for turn in turns) for name in BEGINNINGS}
    for name in BEGINNINGS:
        ratio = median(turn[name] / turn["libraries"] for turn in turns)
        figures.append(Figure(f"{name}: until it begins, over libraries alone", ratio, at_most=2))
    counts = _stages()
    for name, count in counts.items():
        overhead = count * starts[name]
        figures.append(Figure(f"default run: {name}, {count} times {1000 * starts[name]:.0f} ms", overhead, "CPU s"))
    total = sum(count * starts[name] for name, count in counts.items())
    figures.append(Figure(f"default run: all {sum(counts.values())} stages", total, "CPU s"))
    return figures


def _seconds(program: str) -> float:
    """CPU seconds of a process that does that and nothing else."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # compiled modules are kept, as anywhere else
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = f"{program}\nimport os; os._exit(0)"  # what comes after is not waited for
    subprocess.run([sys.executable, "-c", ended], cwd=ROOT, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _stages() -> dict[str, int]:
    """How often each stage runs by default."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    counts = {}
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items():
        counts[name] = 1
        for key in stage.get("matrix", {}):
            counts[name] *= len(params[f"{key}s"])
    return counts
