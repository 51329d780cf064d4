"""The page leads with what `compare` finds from round to round."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.reporting.changes import Changes, proven, read_changes, step_by_step, total, verdict
from tests.evaluations import some, write_evaluation, write_params

ROUNDS = (
    {"near": some(100, 100), "far": some(10, 100), "region": some(90, 100), "lonely": some(1, 2)},
    {"near": some(100, 100), "far": some(95, 100), "region": some(90, 100), "lonely": some(2, 2)},
    {"near": some(100, 100), "far": some(95, 100), "region": some(60, 100), "lonely": some(2, 2)},
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number, wins in enumerate(ROUNDS):
        write_evaluation(tmp_path / f"data/distance/round_{number}", wins)
    write_params(tmp_path / "params.yaml", ["distance"], rounds=3)
    return tmp_path / "data"


@pytest.fixture
def changes(data: Path) -> dict[str, Changes]:
    return read_changes(data, {"distance": [0, 1, 2]})


def test_better_worse_unknown_and_too_few_are_told(changes: dict[str, Changes]) -> None:
    assert total(changes) == (
        "From the first round to the last: of 4 conditions 1 better, 1 worse; "
        "no evidence of a change in 1, too few worlds to tell in 1."
    )
    said = verdict(changes["distance"])
    assert said.startswith("Round 0 to 2: better in far (10 % to 95 %: +85, 77 to 91); worse in region (90 % to 60 %: ")
    assert "no evidence of a change in near (0, \N{MINUS SIGN}4 to 4)" in said
    assert said.endswith("too few worlds that differ to tell in lonely (2).")
    assert proven(changes["distance"]) == {"far": "better", "region": "worse"}


def test_each_step_says_what_moved_in_it(changes: dict[str, Changes]) -> None:
    said = step_by_step(changes["distance"])
    assert said.startswith("Step by step: 0 to 1 better in far (+85, 77 to 91); 1 to 2 worse in region (")


def test_it_is_what_compare_says(data: Path, changes: dict[str, Changes], stage: Any) -> None:
    for change in (changes["distance"].whole, *changes["distance"].steps):
        assert change is not None
        names = [f"round_{number}" for number in change.rounds]
        where = ("--data", data, "--params", data.parent / "params.yaml", "--json")
        found = json.loads(stage("compare", *names, *where).output)["comparisons"]
        assert found == json.loads(json.dumps([vars(one) for one in change.conditions]))


def test_one_round_has_nothing_to_compare_with(data: Path) -> None:
    alone = read_changes(data, {"distance": [0]})
    assert verdict(alone["distance"]) == total(alone) == "There is one round alone: nothing to compare."
    assert step_by_step(alone["distance"]) == ""
    assert proven(alone["distance"]) == {}
