"""Knobs are moved from where they were shown to where the file says; responses meet the same worlds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace as changed
import numpy as np
import pandas as pd
import pytest
import yaml

from stages.core.episode import Episode
from stages.core.errors import UserError
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings, Range
from stages.core.policy import Trained, load_policy, policy_controller
from stages.core.rollout import expert_controller
from stages.core.settings import Settings
from stages.core.streams import stream
from stages.core.tables import episode_slices
from stages.core.worlds import plan_episodes, with_noise
from stages.policies import POLICIES
from stages.policies.calibration import left_out, threshold_of
from stages.policies.memory import Memory
from stages.policies.surprise import largest_surprise, ranked, surprises_left_out
from stages.probing.calibration import QUANTILES, check_calibration, steps_of
from stages.probing.knobs import probe_knobs, probe_plans
from stages.probing.probe import SHOWN, Ends, Probe, points, read_probe
from stages.probing.responses import try_responses
from stages.tasks import TASKS
from stages.tasks.distance import Distance

PROBE = {"steps": 4, "episodes": 6, "knobs": {"start": {"high": 14.0}, "action_noise": {"high": 0.4}}}


def write(path: Path, content: Any) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def test_values_go_out_from_both_edges_to_the_ends() -> None:
    probe = Probe(steps=2, episodes=1, knobs={"start": Ends(low=-1.0, high=14.0)})
    found = points(probe, "start", Range(1.0, 10.0))
    assert [(point.side, point.value, point.distance) for point in found] == [
        ("below", 0.0, 1.0),
        ("below", -1.0, 2.0),
        ("above", 12.0, 2.0),
        ("above", 14.0, 4.0),
    ]


def test_an_end_within_what_was_shown_is_told() -> None:
    probe = Probe(steps=2, episodes=1, knobs={"start": Ends(high=9.0)})
    with pytest.raises(UserError, match=r"knobs.start: found an end of 9 above, allowed: beyond the 10 that was shown"):
        points(probe, "start", Range(1.0, 10.0))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({**PROBE, "steps": 0}, "steps: found 0, allowed: at least 1"),
        ({**PROBE, "knobs": {}}, "knobs"),
        ({**PROBE, "knobs": {"speed": {"high": 1.0}}}, "knobs.speed: found an unknown knob, allowed: start, "),
        (
            {**PROBE, "knobs": {"observation_noise": {"low": -0.01}}},
            "knobs.observation_noise.low: found -0.01",
        ),
        ({**PROBE, "more": 1}, "more"),
        ("[", "not YAML"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "distance.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        read_probe(path, Distance)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ({"start_grip": {"high": 1.5}}, "knobs.start_grip: found 0.0 to 1.5, allowed: whole numbers"),
        ({"start_grip": {"high": 2}}, "knobs.start_grip.high: found 2.0, allowed: at most 1"),
        ({"latency": {"high": 1e9}}, "knobs.latency.high: found 1000000000.0, allowed: at most 10000"),
        (
            {"push": {"high": 1}, "friction": {"low": -0.4}},
            "knobs.friction.low: found -0.4, allowed: at least 0",
        ),
    ],
)
def test_an_end_that_the_knob_cannot_have_is_told(tmp_path: Path, ends: Any, told: str) -> None:
    path = write(tmp_path / "kuka_pick_place.yaml", {**PROBE, "knobs": ends})
    with pytest.raises(UserError) as caught:
        read_probe(path, TASKS.find("kuka_pick_place"))
    assert str(caught.value) == f"{path}: {told}"


def test_a_step_of_a_whole_knob_that_is_not_whole_is_told() -> None:
    probe = Probe(steps=2, episodes=1, knobs={"movement": Ends(high=4.0)})
    assert [point.value for point in points(probe, "movement", Range(0.0, 0.0), whole=True)] == [2, 4]
    with pytest.raises(UserError, match=r"knobs.movement: found 2.5 on the way to 4, allowed: whole numbers"):
        points(probe, "movement", Range(1.0, 1.0), whole=True)


@pytest.mark.parametrize("name", ["kuka_reach", "kuka_pick_place"])
def test_a_committed_file_moves_knobs_that_there_are_out_of_what_is_shown(
    name: str, root: Path, settings: Settings
) -> None:
    task = TASKS.find(name)
    probe = read_probe(root / "reports" / "alarm" / f"{name}.yaml", task)
    _, tried = probe_plans(name, task, probe, settings)
    assert {point.knob for point in tried.values() if point} == set(probe.knobs)


def test_every_value_meets_the_same_draws_of_all_else(settings: Settings) -> None:
    task = TASKS.find("kuka_reach")
    probe = Probe(steps=2, episodes=3, knobs={"goal_y": Ends(low=-0.5, high=0.5)})
    plans, tried = probe_plans("kuka_reach", task, probe, settings)
    assert len({plan.index for plan in plans}) == len(plans) == 3 * len(tried)
    by_value = [[plan for plan in plans if plan.condition == key] for key in tried]
    for others in by_value[1:]:
        for one, other in zip(by_value[0], others, strict=True):
            assert one.seed == other.seed
            assert {knob for knob in one.world if one.world[knob] != other.world[knob]} == {"goal_y"}


@pytest.fixture(scope="module")
def written(chain: Any, stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Path]]:
    """Asks a question about the lab's policy of round 0; the files that the command writes, by how their names end."""
    folder = tmp_path_factory.mktemp("alarm")
    write(folder / "distance.yaml", PROBE)

    def ask(question: str) -> dict[str, Path]:
        common = ("--data", chain.data, "--params", chain.params, "--output", folder, "--round", "round_0")
        ended = stage("alarm", question, "distance", *common, *(("--episodes", 20) if question == "responses" else ()))
        assert ended.status == 0, ended.output
        return {path.suffix: path for path in folder.glob(f"distance-{question}.*")}

    return ask


@pytest.fixture(scope="module")
def answered(written: Callable[[str], dict[str, Path]]) -> Callable[[str], pd.DataFrame]:
    """The table among them."""
    return lambda question: pd.read_csv(written(question)[".csv"])


def test_the_alarm_rises_where_it_must_and_the_policy_acts_on(
    answered: Callable[[str], pd.DataFrame], chain: Any
) -> None:
    """On the lab's exercise everything is known: a start alarms beyond the farthest known point and the threshold."""
    table = answered("knobs")
    trained = load_policy(chain.data / "distance" / "round_0" / "policy.npz", "distance", POLICIES)
    farthest = float(trained.policy.arrays()["points"].max()) + trained.threshold
    start = table[table["knob"] == "start"]
    assert start["value"].tolist() == [11.0, 12.0, 13.0, 14.0]
    assert start["distance"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (start["alarmed"] == (start["value"] > farthest)).all()
    assert (table["episodes"] == 6).all()
    assert table.iloc[0][["knob", "distance", "failed"]].tolist() == [SHOWN, 0.0, 0.0]
    assert (start["failed"] < 1).any()  # to run away would have failed in all of them


def test_asking_helps_holding_stops_and_acting_asks_nobody(answered: Callable[[str], pd.DataFrame]) -> None:
    table = answered("responses").set_index(["response", "condition"])
    assert set(table.loc["ask"].index) == {"near", "far", "region", "beyond", "real"}
    asked, held, acted = (table.loc[(response, "far")] for response in ("ask", "hold", "act"))
    assert asked["alarmed"] == held["alarmed"] == acted["alarmed"] == 1
    assert (asked["success"], held["success"]) == (1, 0)
    assert (held["timeout"], held["crash"]) == (1, 0)
    assert asked["asked"] >= 1
    assert asked["asked_share"] == pytest.approx(asked["asked"] / asked["steps"], rel=1e-4)
    assert table.loc[["act", "hold"]]["asked"].eq(0).all()
    near = [table.loc[(response, "near")] for response in ("ask", "hold", "act")]
    assert all(np.array_equal(one[4:], near[0][4:]) for one in near[1:])  # where no alarm rises, nothing differs


@pytest.mark.parametrize(("question", "ends"), [("knobs", {".csv", ".svg"}), ("responses", {".csv"})])
def test_the_same_question_gives_the_same_bytes(
    question: str, ends: set[str], written: Callable[[str], dict[str, Path]]
) -> None:
    first, again = ({end: path.read_bytes() for end, path in written(question).items()} for _ in "12")
    assert set(first) == ends
    assert first == again


def test_a_round_that_is_none_ends_with_status_2(chain: Any, stage: Any, tmp_path: Path) -> None:
    common = ("--data", chain.data, "--params", chain.params, "--output", tmp_path)
    assert stage("alarm", "responses", "distance", *common, "--round", "last").status == 2
    ended = stage("alarm", "responses", "distance", *common, *("--round", "round_0") * 2)
    assert (ended.status, ended.output) == (2, "error: --round: found round_0 again, allowed: each round once\n")
    ended = stage("alarm", "responses", "distance", *common, "--episodes", 0)
    assert (ended.status, ended.output) == (2, "error: --episodes: found 0, allowed: at least 1\n")
    ended = stage("alarm", "knobs", "distance", *common)
    assert ended.status == 2
    assert ended.output.strip() == "error: reports/alarm/distance.yaml: no such file"


def test_held_out_demonstrations_alarm_about_as_often_as_was_asked_for(chain: Any, stage: Any, tmp_path: Path) -> None:
    common = ("--params", chain.params, "--output", tmp_path, "--splits", 10, "--pool", 30)
    ended = stage("alarm", "calibration", "kuka_reach", *common)
    assert ended.status == 0, ended.output
    table = pd.read_csv(tmp_path / "kuka_reach-calibration.csv")
    assert table["asked"].tolist() == [0.2, 0.1, 0.05]
    assert (table["rate_low"] < table["asked"]).all()
    assert (table["proven"] <= table["rate"]).all()
    ended = stage("alarm", "calibration", "distance", *common)
    assert ended.status == 2
    assert "demonstrate.distance.episodes: found 0, allowed: at least 2" in ended.output


def test_a_pool_of_which_too_few_succeed_is_told(chain: Any, stage: Any, tmp_path: Path) -> None:
    content = yaml.safe_load(chain.params.read_text())
    content["demonstrate"]["kuka_reach"]["max_steps"] = 2
    params = ("--params", write(tmp_path / "params.yaml", content))
    ended = stage("alarm", "calibration", "kuka_reach", *params, "--output", tmp_path / "out", "--pool", 16)
    told = "error: --pool: found 16 demonstrations, of which 0 succeed, allowed: so many that 16 do\n"
    assert ended.status == 2
    assert ended.output.endswith(told)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("calibration", "--round", "round_77", "--episodes", 3), "--round: has no effect on calibration"),
        (("calibration", "--episodes", 3), "--episodes: has no effect on calibration"),
        (("knobs", "--pool", 5), "--pool: has no effect on knobs"),
        (("responses", "--splits", 5), "--splits: has no effect on responses"),
        (("knobs", "--round", "round_0", "--round", "round_1"), "--round: found round_0, round_1, allowed: one"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    chain: Any, stage: Any, arguments: tuple[object, ...], told: str
) -> None:
    question, *options = arguments
    ended = stage("alarm", question, "distance", "--params", chain.params, *options)
    assert ended.status == 2
    assert ended.output.startswith(f"error: {told}")


def pool(count: int) -> list[Episode]:
    knobs = with_noise(Distance.knobs, 0.0, 0.05)
    plans = plan_episodes(knobs, {"start": Range(0.5, 12.0)}, count, "pool", 3, "pool")
    return run_episodes(Distance, expert_controller(Distance), plans, 40, ComputeSettings(jobs=1), "pool")


def trained(settings: Settings) -> Trained:
    cloning = settings.of(settings.params.policy, "policy", "distance")
    policy = POLICIES["knn"].fit(steps_of(pool(6)), changed(cloning, kind="knn", neighbors=3), Distance.observation)
    return Trained("distance", "knn", policy, 0.3, 4.0)


def test_shares_are_those_of_the_episodes_that_are_run(settings: Settings) -> None:
    probe, policy = (
        Probe(steps=3, episodes=8, knobs={"start": Ends(high=14.0), "action_noise": Ends(high=0.6)}),
        trained(settings),
    )
    rows = probe_knobs("distance", Distance, Distance, policy, probe, settings)
    plans, tried = probe_plans("distance", Distance, probe, settings)
    steps, compute = settings.max_steps("evaluate", "distance"), ComputeSettings(jobs=1)
    episodes = run_episodes(Distance, policy_controller(policy, "act", Distance), plans, steps, compute, "test")
    assert len(rows) == len(tried)
    for row, key in zip(rows, tried, strict=True):
        mine = [one for one in episodes if one.plan.condition == key]
        assert row["alarmed"] == np.mean([one.shift.any() for one in mine])
        assert row["surprised"] == np.mean([np.nanmax(one.scores.surprise, initial=0) > 4 for one in mine])
        assert row["failed"] == np.mean([one.outcome != "success" for one in mine])
        for kind in ("alarmed", "surprised", "failed"):
            assert row[f"{kind}_low"] <= row[kind] <= row[f"{kind}_high"]
    assert any(row["surprised"] != row["alarmed"] for row in rows)


def test_probed_worlds_go_by_the_seed_of_evaluation(settings: Settings) -> None:
    probe = Probe(steps=1, episodes=5, knobs={"start": Ends(high=14.0)})

    def seeds(**changes: int) -> list[int]:
        other = Settings(settings.path, changed(settings.params, **changes))
        return [plan.seed for plan in probe_plans("distance", Distance, probe, other)[0]]

    first = seeds()
    assert seeds(seed=settings.seed + 1) == first
    assert not set(seeds(evaluation_seed=settings.evaluation_seed + 1)) & set(first)


def test_rates_are_of_the_demonstrations_that_were_held_out(settings: Settings) -> None:
    episodes, known = pool(40), 25
    cloning = changed(settings.of(settings.params.policy, "policy", "distance"), neighbors=2)
    found = check_calibration(episodes, known, 3, cloning, Distance.observation, 7)
    for row, quantile in zip(found, QUANTILES, strict=True):
        rates, surprised = [], []
        for number in range(3):
            order = stream(7, "calibration", number).permutation(40)
            steps = steps_of([episodes[place] for place in order[:known]])
            memory = Memory.of(steps, cloning, Distance.observation)
            others = [memory.recall(episodes[place].observations) for place in order[known:]]
            scores = left_out(steps, episode_slices(steps.episode), cloning, Distance.observation)
            rates.append(
                np.mean([one.distances[:, -1].max() > threshold_of(scores, quantile).threshold for one in others])
            )
            above = ranked(surprises_left_out(steps, cloning, Distance.observation), quantile)
            surprised.append(np.mean([largest_surprise(memory.recollection(one)) > above.threshold for one in others]))
        assert row["rate"] == pytest.approx(np.mean(rates))
        assert row["surprise"] == pytest.approx(np.mean(surprised))
        assert (row["demonstrations"], row["held_out"]) == (known, 15)
    assert any(row["rate"] > 0 for row in found)


def test_what_a_response_comes_to_is_counted_episode_by_episode(settings: Settings) -> None:
    rows = {
        (row["response"], row["condition"]): row
        for row in try_responses("distance", Distance, Distance, trained(settings), 10, settings)
    }
    asked = rows["ask", "far"]
    assert 0 < asked["asked"] <= asked["steps"]
    assert asked["asked_share"] == pytest.approx(asked["asked"] / asked["steps"])
