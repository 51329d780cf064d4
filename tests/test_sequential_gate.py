"""The gate that runs further worlds: real policies, real episodes, and the same answer however it gets them."""

from dataclasses import replace
import json
from pathlib import Path
import re
import shutil
from typing import Any

import numpy as np
import pytest
import yaml

from stages.comparing.further import Contest
from stages.comparing.pairing import Pairs
from stages.comparing.trial import Rule, run_trials
from stages.core.policy import load_policy, save_policy
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS
from tests.chain import change
from tests.conftest import Chain

pytestmark = pytest.mark.xdist_group("trial")
LAST = "round_2"


def disguise(path: Path) -> None:
    """Make the policy at `path` another one, which does the same: of the same there is nothing to judge."""
    save_policy(path, replace(load_policy(path, "distance", POLICIES), surprise_threshold=1e6))


@pytest.fixture(scope="module")
def twin(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chain's data of `distance`, with a last policy that does the same as the chain's."""
    data = tmp_path_factory.mktemp("twin")
    shutil.copytree(chain.data / "distance", data / "distance")
    disguise(data / "distance" / LAST / "policy.npz")
    return data


@pytest.fixture(scope="module")
def gate(chain: Chain, stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the gate on `distance`: the last round's policy against any round's, from so many recorded episodes."""
    folder = tmp_path_factory.mktemp("gate")
    params = yaml.safe_load(chain.params.read_text())

    def side(name: str, policy: str, episodes: int) -> Path:
        root = folder / f"{name}-{policy}-{episodes}"
        here = root / "data/distance" / LAST
        if not here.exists():
            here.mkdir(parents=True)
            shutil.copy(chain.data / "distance" / policy / "policy.npz", here)
            if name == "new":
                disguise(here / "policy.npz")
            shutil.copytree(chain.data / "distance/demonstrations", here.parent / "demonstrations")
            content = {
                **params,
                "evaluate": {**params["evaluate"], "distance": {"episodes": episodes, "max_steps": 40}},
            }
            (root / "params.yaml").write_text(yaml.safe_dump(content))
            where = ("--output", here / "evaluation", "--params", root / "params.yaml")
            assert stage("evaluate", "distance", here / "policy.npz", *where).status == 0
        return root

    def run(policy: str, episodes: int, *arguments: object, before: int = 0) -> tuple[int, dict[str, Any]]:
        old, new = side("old", LAST, before or episodes), side("new", policy, episodes)
        where = ("--data", new / "data", "--params", new / "params.yaml")
        ended = stage("gate", "--baseline", old / "data", "--sequential", "--json", *where, *arguments)
        told, _ = json.JSONDecoder().raw_decode(ended.output[ended.output.index("{") :])
        lacking = {one["condition"]: one["lacking"] for one in told["left_out"]}
        answers = [{"lacking": lacking.get(one["condition"], 0), **one} for one in told["conditions"]]
        return ended.status, {one["condition"]: one for one in answers}

    return run


def test_what_is_as_good_is_cleared_with_as_few_worlds_as_it_takes(gate: Any) -> None:
    status, found = gate(LAST, 30)
    assert status == 0
    assert {one["state"] for one in found.values()} == {"cleared"}
    assert all(one["recorded"] == 30 < one["pairs"] < 100 for one in found.values())


def test_what_is_worse_fails_and_what_is_not_does_not(gate: Any) -> None:
    status, found = gate("round_0", 30)
    assert status == 1
    states = {condition: one["state"] for condition, one in found.items()}
    assert states == {"near": "cleared", "far": "failed", "region": "cleared", "beyond": "failed", "real": "cleared"}
    assert found["far"]["lost"] == found["far"]["pairs"] < 60


def test_the_answer_does_not_hang_on_what_was_recorded_before(gate: Any) -> None:
    few, many = (gate("round_0", episodes)[1] for episodes in (30, 150))
    for condition, one in few.items():
        # Recorded pairs are read in another order than worlds are run in, so the count may differ a little.
        assert one["state"] == many[condition]["state"]
        assert many[condition]["pairs"] <= many[condition]["recorded"] == 150


def test_what_did_the_same_by_the_same_policy_is_cleared_and_nothing_is_run(chain: Chain, stage: Any) -> None:
    where = ("--data", chain.data, "--params", chain.params, "--task", "distance", "--baseline", chain.data)
    for more in ((), ("--sequential",)):
        ended = stage("gate", *where, *more)
        assert ended.status == 0
        *cleared, counted = ended.output.splitlines()
        same = "; the same policy did the same in [0-9]+ episodes, to the last bit"
        assert [re.fullmatch(f"cleared: distance \\w+: [0-9.]+ %{same}", line) is not None for line in cleared] == [
            True
        ] * 5
        assert counted == f"gate: passed: 0 of 5 conditions are worse than {chain.data}"


def test_time_that_is_up_leaves_it_open(gate: Any) -> None:
    status, found = gate(LAST, 30, "--minutes", 0)
    assert status == 0
    assert {(one["state"], one["pairs"]) for one in found.values()} == {("open", 30)}


def test_what_is_settled_misses_no_world_of_the_baseline_and_what_is_open_does(gate: Any) -> None:
    status, found = gate(LAST, 30, before=150)
    assert (status, {(one["state"], one["lacking"]) for one in found.values()}) == (0, {("cleared", 120)})
    status, found = gate(LAST, 30, "--minutes", 0, before=150)
    assert (status, {(one["state"], one["lacking"]) for one in found.values()}) == (2, {("open", 120)})
    assert gate(LAST, 30, "--minutes", 0, "--allow-missing", before=150)[0] == 0


def test_worlds_that_are_all_used_leave_it_open(gate: Any) -> None:
    for worlds, pairs in ((40, 40), (20, 30)):
        assert {one["pairs"] for one in gate(LAST, 30, "--worlds", worlds)[1].values()} == {pairs}


def test_the_text_says_what_was_read_and_run(chain: Chain, twin: Path, stage: Any) -> None:
    """A round against its twin, from the recorded episodes and as many more as it takes."""
    where = ("--data", twin, "--params", chain.params, "--task", "distance", "--sequential")
    said = stage("gate", "--baseline", chain.data, *where).output.splitlines()
    read = "(76 pairs, 0 of them run for it: 0 lost, 0 gained; anytime p 0.05)"
    assert f"cleared: distance near: not worse by 5.0 points {read}" in said
    assert said[-1] == f"gate: passed: 0 of 5 conditions are worse than {chain.data}"


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("noise.distance.action", 0.021, "beyond: found another action_noise"),
        ("randomization.distance.evaluate.near.start.low", 3.0, "near: found another start"),
        ("evaluation_seed", 2, "beyond: found other seeds"),
        ("randomization.distance.evaluate", {"far": {"start": {"low": 11.5, "high": 11.5}}}, "beyond: found no such"),
    ],
)
def test_other_worlds_than_the_recorded_ones_are_not_added_to_them(
    chain: Chain, twin: Path, stage: Any, tmp_path: Path, key: str, value: Any, found: str
) -> None:
    content = yaml.safe_load(chain.params.read_text())
    change(content, key, value)
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(content))
    where = ("--data", twin, "--params", params, "--task", "distance")
    status, said = stage("gate", "--baseline", chain.data, "--sequential", *where)
    assert status == 2
    assert said.startswith(f"error: {params}: distance {found}")
    assert said.endswith(", allowed: the worlds of its evaluation (`dvc repro` evaluates in those of now)\n")
    assert said.count("\n") == 1


def test_copies_of_recorded_worlds_are_no_evidence(content: dict[str, Any], tmp_path: Path) -> None:
    """Only a category varies: two worlds there are, however many seeds; nothing is left to run."""
    content["randomization"]["kuka_joints"]["evaluate"] = {"both": {"movement": {"low": 0, "high": 1}}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    settings = load_settings(tmp_path / "params.yaml", TASKS, POLICIES)
    contest = Contest("kuka_joints", settings, tmp_path, (tmp_path / "old.npz", tmp_path / "new.npz"))
    plans = contest.worlds(40)["both"]
    assert len(plans) == 40
    worlds = {knob: np.array([plan.world[knob] for plan in plans[2:4]]) for knob in plans[0].world}
    won, seeds = np.array([True, True]), np.array([plan.seed for plan in plans[2:4]])
    paired = [Pairs("kuka_joints", "both", won, won, seeds=seeds, worlds=worlds)]
    (answer,) = run_trials(paired, {"kuka_joints": contest}, Rule(0.05, 0.01, 0.05), 40, lambda: False)
    assert (answer.state, answer.pairs) == ("open", 2)
