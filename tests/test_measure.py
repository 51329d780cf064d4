"""Numbers are those of the episodes, of the tasks and rounds of the parameters."""

from pathlib import Path
import shutil
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from stages.comparing.shares import wilson
from stages.core import tables
from stages.tasks import TASKS
from tests.conftest import Measured, measure

KEYS = ["task", "round", "condition"]
FIGURES = {"episodes", "success", "success_low", "success_high", "steps", "error", "shift"}


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 1 - 0.1170, 1.0),  # by symmetry: z^2 / (29 + z^2)
    ],
)
def test_the_interval_is_wilsons(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize("trials", [50, 100, 200])
def test_the_interval_covers_as_reported(trials: int) -> None:
    """Reckoned, not simulated: in the mean over all shares, where few fail, and between 10 and 90 %."""
    from scipy.stats import binom

    shares, successes = np.linspace(0, 1, 5001)[1:-1], np.arange(trials + 1)
    low, high = np.array([wilson(int(one), trials) for one in successes]).T[:, :, None]
    chance = binom.pmf(successes[:, None], trials, shares)
    covered = (chance * ((low <= shares) & (shares <= high))).sum(axis=0)
    assert covered.mean() == pytest.approx(0.951, abs=0.0015)
    assert covered.min() > 0.835
    assert covered[(shares > 0.1) & (shares < 0.9)].min() > 0.93


def test_the_columns_are_those_of_the_contract(measured: Measured) -> None:
    assert list(measured.rows[0])[:3] == KEYS
    assert set(measured.rows[0]) >= FIGURES


def test_there_is_one_row_a_task_round_and_condition(measured: Measured, chain: Any) -> None:
    found = [(row["task"], row["round"], row["condition"]) for row in measured.rows]
    wanted = []
    for task in ("distance", "kuka_reach"):
        for number in ("0", "1", "2"):
            folder = chain.data / task / f"round_{number}" / "evaluation"
            episodes = tables.read_episodes(folder, task, TASKS.find(task))[1]
            conditions = dict.fromkeys(episodes["condition"].to_pylist())
            wanted += [(task, number, condition) for condition in conditions]
    assert found == wanted


def test_figures_are_the_means_of_the_episodes(measured: Measured, chain: Any) -> None:
    for row in measured.rows:
        folder = chain.data / row["task"] / f"round_{row['round']}" / "evaluation"
        steps, episodes = tables.read_episodes(folder, row["task"], TASKS.find(row["task"]))
        mine = episodes.filter(pc.equal(episodes["condition"], row["condition"]))
        theirs = steps.filter(pc.is_in(steps["episode_index"], mine["episode_index"]))
        success = np.mean([outcome == "success" for outcome in mine["outcome"].to_pylist()])
        assert int(row["episodes"]) == mine.num_rows
        assert float(row["success"]) == pytest.approx(success, rel=1e-5)
        assert float(row["success_low"]) <= success + 1e-6
        assert float(row["success_high"]) >= success - 1e-6
        assert float(row["steps"]) == pytest.approx(np.mean(mine["steps"].to_numpy()), rel=1e-5)
        assert float(row["error"]) == pytest.approx(np.mean(mine["error"].to_numpy()), rel=1e-5)
        assert float(row["shift"]) == pytest.approx(np.mean(theirs["shift"].to_numpy()), rel=1e-5, abs=1e-9)


def test_metrics_are_the_last_rounds_success_by_condition(measured: Measured) -> None:
    last = {(row["task"], row["condition"]): float(row["success"]) for row in measured.rows if row["round"] == "2"}
    for (task, condition), success in last.items():
        assert measured.metrics[task][condition]["success"] == pytest.approx(success, rel=1e-5)


def test_measuring_twice_gives_the_same_bytes(measured: Measured, chain: Any, stage: Any, tmp_path: Path) -> None:
    measure(stage, chain.data, chain.params, tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 7
    for path in written:
        assert (tmp_path / path).read_bytes() == (measured.folder / path).read_bytes()


def test_leftovers_of_a_longer_chain_are_told_and_not_counted(
    measured: Measured, chain: Any, stage: Any, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(chain.data, data)
    shutil.copytree(data / "distance" / "round_0", data / "distance" / "round_7")
    said = measure(stage, data, chain.params, tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == (measured.folder / "results.csv").read_bytes()
    assert (tmp_path / "metrics.json").read_bytes() == (measured.folder / "metrics.json").read_bytes()
    assert said.startswith(f"{data / 'distance' / 'round_7'}: left over")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("evaluation/steps.parquet", "x"),
        ("evaluation/episodes.parquet", None),
        ("training.json", "{"),
        ("training.json", "{}"),
        ("training.json", None),
    ],
)
def test_a_broken_input_is_told_and_leaves_the_outputs(
    file: str, text: str | None, measured: Measured, chain: Any, stage: Any, tmp_path: Path
) -> None:
    shutil.copytree(chain.data, tmp_path / "data")
    broken = tmp_path / "data" / "distance" / "round_1" / file
    broken.unlink()
    if text is not None:
        broken.write_text(text)
    outputs = ("--results", tmp_path / "r.csv", "--metrics", tmp_path / "m.json", "--plots", tmp_path / "plots")
    (tmp_path / "r.csv").write_text("old")
    ended = stage("measure", tmp_path / "data", *outputs, "--params", chain.params)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {broken}: ")
    assert ended.output.count("\n") == 1
    assert (tmp_path / "r.csv").read_text() == "old"
