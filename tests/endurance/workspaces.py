"""Repositories with the small chain, and what came out of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import tempfile
from typing import Any

from tests.chain import SMALL, copy_repository, run

# One round of both tasks and few episodes: half a minute.
CHAIN: dict[str, Any] = {
    **{key: value for key, value in SMALL.items() if "kuka" not in key},
    "tasks": ["distance", "kuka_reach"],
    "rounds": SMALL["rounds"][:1],
    "compute.jobs": 2,
    "evaluate.distance.episodes": 400,  # enough steps for two workers
    "demonstrate.kuka_reach.episodes": 4,
    "practice.kuka_reach.episodes": 4,
    "practice.kuka_reach.max_steps": 40,
    "evaluate.kuka_reach.episodes": 2,
    "evaluate.kuka_reach.max_steps": 40,
    "correct.kuka_reach.budget": 60,
}


@contextmanager
def committed_run(changes: Mapping[str, Any]) -> Iterator[Path]:
    """A repository in which the chain was run and its lock committed."""
    with tempfile.TemporaryDirectory() as name:
        folder = copy_repository(Path(name) / "origin", {**CHAIN, **changes})
        run(folder, "dvc", "repro")
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", "run")
        yield folder
