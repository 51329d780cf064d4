"""Flip, overwrite and cut bytes of every kind of file that a stage reads, and read it by the stage's own reader.

Noticed: UserError. Harmless: what is read is what was written, to the bit. Used: something else, without a word.
A person's CSV has no checksum: a digit that became another is another recording. It is in git and its hash in dvc.lock;
`stages.verify` compares them (by_hash).
"""

from collections.abc import Callable, Iterator
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stages.core import parquet, schemas, tables
from stages.core.conditions import read_conditions
from stages.core.errors import UserError
from stages.core.policy import load_policy
from stages.core.recordings import read_recording
from stages.core.seal import check_sums, read_sealed
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.reporting.alarm import alarm_basis
from stages.reporting.inputs import read_measured
from stages.tasks import TASKS
from stages.tasks.distance import Distance
from tests.chain import ROOT
from tests.endurance.artefacts import Run, small_run
from tests.endurance.damage import ROT, choose
from tests.endurance.outcomes import write_outcomes

SEED = 7


class Kind(NamedTuple):
    """Files of one kind, and what reads them: a value that is equal where the content is."""

    files: list[Path]
    read: Callable[[Path], Any]
    hashed: bool = False  # dvc.lock has its hash, and that alone tells all


def _episodes(path: Path) -> Any:
    name = next(one for one in TASKS if one in path.parts)
    return tables.read_episodes(path.parent, name, TASKS.find(name))


def _rows(path: Path) -> Any:
    name = next(one for one in TASKS if one in path.parts)
    return parquet.read_table(path, schemas.expert_schema(name, TASKS.find(name)), empty=True)


def _policy(path: Path) -> Any:
    trained = load_policy(path, next(one for one in TASKS if one in path.parts), POLICIES)
    arrays = sorted(trained.policy.arrays().items())
    thresholds = trained.threshold, trained.surprise_threshold
    return trained.kind, thresholds, [(name, one.dtype.str, one.shape, one.tobytes()) for name, one in arrays]


def _measured(path: Path) -> Any:
    reports = path.parent if path.parent.name == "reports" else path.parent.parent
    check_sums(reports / "plots", (reports / "results.csv", reports / "metrics.json"))
    found = read_measured(reports / "results.csv", reports / "metrics.json", reports / "plots")
    read = [table.to_csv() for table in (found.results, found.errors, found.novelty, found.alarm)]
    return read, repr(found.metrics)


def _training(path: Path) -> Any:
    return read_sealed(path), alarm_basis(path)


def _conditions(path: Path) -> Any:
    return read_conditions(path, TASKS.find(path.parent.name))


def _settings(path: Path) -> Any:
    return load_settings(path, TASKS, POLICIES).params


def kinds(run: Run) -> dict[str, Kind]:
    """Every kind of file that is read by a stage."""
    import pyarrow.csv

    def found(*patterns: str) -> list[Path]:
        return [path for pattern in patterns for path in sorted(run.folder.glob(pattern))]

    recording = run.folder / "recording.csv"
    recording.write_bytes((ROOT / "data/recordings/distance/lab.csv").read_bytes())
    parquet.write_table(pyarrow.csv.read_csv(recording), run.folder / "recording.parquet")
    return {
        "conditions": Kind(found("data/conditions/*/*.json"), _conditions),
        "demonstrations": Kind(found("data/*/demonstrations/*.parquet"), _episodes),
        "datasets": Kind(found("data/*/*/dataset.parquet"), _rows),
        "policies": Kind(found("data/*/*/policy.npz"), _policy),
        "trainings": Kind(found("data/*/*/training.json"), _training),
        "evaluations": Kind(found("data/*/*/evaluation/*.parquet"), _episodes),
        "practice": Kind(found("data/*/*/practice/*.parquet"), _episodes),
        "corrections": Kind(found("data/*/*/corrections.parquet"), _rows),
        "results": Kind(found("reports/*.csv", "reports/*.json", "reports/plots/*"), _measured),
        "recordings (Parquet)": Kind([run.folder / "recording.parquet"], _recording),
        "recordings (CSV)": Kind([recording], _recording, hashed=True),
        "params.yaml": Kind([run.params], _settings, hashed=True),
    }


def _recording(path: Path) -> Any:
    return read_recording(path, Distance.recorded).tolist()


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and all(isinstance(part, pa.Table) for part in one):
        return all(ours.equals(theirs) for ours, theirs in zip(one, other, strict=True))
    return bool(one.equals(other)) if isinstance(one, pa.Table) else one == other


def _outcomes(kind: Kind, count: int, rng: np.random.Generator) -> Iterator[str]:
    whole = {path: (path.read_bytes(), kind.read(path)) for path in kind.files}
    for _ in range(count):
        path = choose(rng, kind.files)
        content, value = whole[path]
        damaged = choose(rng, ROT)(content, rng)
        if damaged == content:
            continue
        path.write_bytes(damaged)
        yield _outcome(kind, path, content, value)
        path.write_bytes(content)


def _outcome(kind: Kind, path: Path, content: bytes, value: Any) -> str:
    try:
        if _same(kind.read(path), value):
            return "harmless"
    except UserError as told:
        return "noticed" if str(path) in str(told) or str(path.parent) in str(told) else "unclear"
    except Exception as error:
        print(f"crashed: {path}: {error!r}")
        return "crashed"
    if kind.hashed and hashlib.md5(path.read_bytes()).digest() != hashlib.md5(content).digest():
        return "by_hash"
    print(f"used: {path}")
    return "used"


def main(count: int = 12_000) -> None:
    """Damage `count` files, evenly over the kinds."""
    rows = []
    with small_run() as run:
        every = kinds(run)
        for place, (name, kind) in enumerate(every.items()):
            rng = np.random.default_rng([SEED, place])
            told = list(_outcomes(kind, 1 + count // len(every), rng))
            counted = {one: told.count(one) for one in ("noticed", "harmless", "by_hash", "used", "crashed", "unclear")}
            rows.append({"kind": name, "tried": len(told), **counted})
            print(rows[-1], flush=True)
    write_outcomes("rot", rows)
