"""What is benchmarked is the product itself."""

from collections import defaultdict
from pathlib import Path
import sys
from typing import Any

import pytest

from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS
from tests.benchmarks import tables
from tests.benchmarks.library import draw
from tests.benchmarks.our_loop import NAME, Ours


def test_the_loop_that_is_timed_makes_the_bytes_that_the_stages_make(chain: Any, tmp_path: Path) -> None:
    settings = load_settings(chain.params, TASKS, POLICIES)
    plans = draw(settings).practice[0][: settings.episodes("practice", NAME)]
    loop = Ours(settings, draw(settings)._replace(steps=settings.max_steps("practice", NAME)))
    loop.folder, loop.spent = tmp_path, defaultdict(float)
    loop.demonstrate()
    loop.act(loop.train(0), plans, "practice")
    loop.correct(0)
    assert (tmp_path / "dataset_1.parquet").stat().st_size > (tmp_path / "dataset_0.parquet").stat().st_size
    for number in (0, 1):
        made = (tmp_path / f"dataset_{number}.parquet").read_bytes()
        assert made == (chain.data / NAME / f"round_{number}" / "dataset.parquet").read_bytes()
    assert (tmp_path / "policy.npz").read_bytes() == (chain.data / NAME / "round_0" / "policy.npz").read_bytes()


@pytest.mark.parametrize("way", ["demonstrations", "aggregation"])
def test_what_build_is_timed_on_is_what_it_builds(
    way: str, chain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "DATA", chain.data / NAME)
    monkeypatch.setattr(sys, "argv", sys.argv)  # which `run` replaces
    assert tables.prepare(way, 3000, tmp_path) > 0
    assert tables.run(way, 3000, tmp_path)["size"] > 0


@pytest.mark.parametrize("kind", ["stream", "stream float32", "pandas", "digest"])
def test_what_writing_is_timed_on_is_written(
    kind: str, chain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "DATA", chain.data / NAME)
    assert tables.run(kind, 3000, tmp_path)["size"] > 0
