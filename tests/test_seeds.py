"""Training seeds are run as experiments and judged in the same worlds."""

from dataclasses import replace
from pathlib import Path
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from stages.comparing.evaluations import read_evaluation
from stages.core.errors import UserError
from stages.seeds import outcomes
from tests.chain import ROOT, copy_repository, run
from tests.evaluations import some, write_evaluation

pytestmark = pytest.mark.xdist_group("seeds")


def test_seeds_run_as_experiments_and_end_in_a_table_and_a_chart(tmp_path: Path) -> None:
    rounds = yaml.safe_load((ROOT / "params.yaml").read_text())["rounds"][:1]
    small = {"tasks": ["distance"], "rounds": rounds, "evaluate.distance.episodes": 20, "noise.distance.action": 0.5}
    folder = copy_repository(tmp_path / "repository", small)
    here = run(folder, "git", "rev-parse", "HEAD").strip()
    run(folder, "git", "update-ref", f"refs/exps/{here[:2]}/{here[2:]}/seed-2", here)  # one that was run before
    said = run(folder, sys.executable, "-m", "stages.seeds", "2", "--task", "distance", "--output", "seeds.csv")
    assert "seed 2 of 1 to 2" in said
    told = [line for line in said.splitlines() if line.startswith("experiment ")]
    assert told == ["experiment seed-2: replaces an earlier one of this name"]
    table = pd.read_csv(folder / "seeds.csv")
    assert table["condition"].tolist() == ["near", "far", "region", "beyond", "real"]
    assert (table["seeds"] == 2).all()
    assert (table["episodes"] == 20).all()
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    assert table["by_seed"].str.count(";").eq(1).all()
    assert (folder / "seeds.svg").read_bytes().startswith(b"<svg")


def test_outcomes_stand_world_below_world(tmp_path: Path) -> None:
    wins = [some(3, 5), some(2, 5)[::-1]]
    sides = [
        read_evaluation(write_evaluation(tmp_path / str(n), {"near": one}) / "evaluation") for n, one in enumerate(wins)
    ]
    found = outcomes(sides, "near")
    assert found.shape == (2, 5)
    order = np.argsort(sides[0].seeds)
    assert found.tolist() == [np.array(one)[order].tolist() for one in wins]


def test_seeds_judged_in_other_worlds_are_refused(tmp_path: Path) -> None:
    sides = [
        read_evaluation(write_evaluation(tmp_path / str(seed), {"near": some(3, 5)}, seed=seed) / "evaluation")
        for seed in (1, 2)
    ]
    with pytest.raises(UserError, match="distance near: the seeds were judged in other worlds"):
        outcomes(sides, "near")


def test_seeds_that_were_given_other_things_are_refused(tmp_path: Path) -> None:
    one = read_evaluation(write_evaluation(tmp_path, {"near": some(3, 5)}) / "evaluation")
    sides = [replace(one, given={"followed": np.full(5, number)}) for number in (1.0, 1.0, 2.0)]
    assert outcomes(sides[:2], "near").shape == (2, 5)
    with pytest.raises(UserError, match="distance near: the seeds were judged in other worlds"):
        outcomes(sides, "near")


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_an_episode_that_comes_again_to_the_last_bit_counts_once(noise: float, tmp_path: Path) -> None:
    """Where nothing in it is random: a seed whose copies end otherwise makes them two."""
    sides = []
    for number, wins in enumerate(([True, True], [True, True], [True, False])):
        folder = write_evaluation(tmp_path / str(number), {"near": wins}, noise=noise)
        sides.append(read_evaluation(folder / "evaluation"))
    assert outcomes(sides[:2], "near").shape == (2, 2 if noise else 1)
    assert outcomes(sides, "near").shape == (3, 2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1",), "count: found 1, allowed: at least 2"),
        (("2", "--task", "walk"), "--task: found walk, allowed: distance"),
        (("2", "--task", "distance", "distance"), "--task: found distance again, allowed: each task once"),
        (("2", "--output", "seeds.txt"), "seeds.txt: found a file ending in .txt, allowed: .csv"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(stage: Any, arguments: tuple[str, ...], told: str) -> None:
    ended = stage("seeds", *arguments)
    assert (ended.status, ended.output.count("\n")) == (2, 1)
    assert ended.output.startswith(f"error: {told}")
