"""The laws of the lesson: what the hand shows, what a recording becomes, who can follow and who stalls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
import pickle
import re
from typing import Any

import numpy as np
import pytest
import yaml

from stages.comparing.evaluations import read_evaluation
from stages.comparing.further import Contest
from stages.comparing.pairing import Pairs, pair
from stages.comparing.planned import planned_worlds
from stages.core.episode import Episode, Plan, Scores, Steps
from stages.core.errors import UserError
from stages.core.params import FeatureSettings, PolicySettings
from stages.core.policy import Trained, policy_controller, save_policy
from stages.core.recordings import write_recording
from stages.core.rollout import expert_controller, rollout
from stages.core.settings import load_settings
from stages.core.streams import stream
from stages.core.tables import write_episodes
from stages.core.task import NOISE_KNOBS, Floats, Task
from stages.policies import POLICIES
from stages.policies.knn import KNN
from stages.tasks import TASKS
from stages.tasks.kuka.kinematics import LIMITS, tool_and_jacobian
from stages.tasks.kuka.movements import RAISE_POSE, SCRIPTED, STEPS, Reference, scripted_references
from stages.tasks.kuka_joints import LIMIT_MARGIN, MEAN_BOUND, SLIDER, TORQUES, WORST_BOUND, KukaJoints
from tests.chain import ROOT

WAVES, RAISE = range(2)
CALM = {name: knob.default for name, knob in {**KukaJoints.knobs, **NOISE_KNOBS}.items()}


def plans(worlds: Sequence[Mapping[str, float]]) -> list[Plan]:
    return [Plan(index, "test", 100 + index, {**CALM, **world}) for index, world in enumerate(worlds)]


def in_order(episodes: Sequence[Episode]) -> list[Episode]:
    return sorted(episodes, key=lambda episode: episode.plan.index)


@pytest.fixture(scope="module")
def shown() -> list[Episode]:
    """One demonstration of each scripted movement."""
    both = plans([{"movement": float(movement)} for movement in range(len(SCRIPTED))])
    return in_order(list(rollout(KukaJoints, expert_controller(KukaJoints), both, STEPS, 2)))


@pytest.fixture(scope="module")
def make(shown: list[Episode], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Task]:
    """What `prepare` makes of those demonstrations, as another process would get it."""
    folder = tmp_path_factory.mktemp("joints") / "demonstrations"
    write_episodes(folder, "kuka_joints", KukaJoints, shown)
    made: Callable[[], Task] = pickle.loads(pickle.dumps(KukaJoints.prepare(folder)))
    return made


def clone(shown: Sequence[Episode], **scales: float) -> KNN:
    count = len(shown)
    steps = Steps(
        np.repeat(np.arange(count), STEPS),
        np.tile(np.arange(STEPS), count),
        np.zeros(count * STEPS, dtype=np.int64),
        ["expert"] * (count * STEPS),
        np.concatenate([episode.observations for episode in shown]),
        np.concatenate([episode.actions for episode in shown]),
    )
    features = {group: FeatureSettings(scale=scale) for group, scale in scales.items()}
    settings = PolicySettings(kind="knn", neighbors=3, weights="uniform", features=features)
    return KNN.fit(steps, settings, KukaJoints.observation)


def playback(make: Callable[[], Task], policy: KNN, worlds: Sequence[Mapping[str, float]]) -> list[Episode]:
    controller = policy_controller(Trained("kuka_joints", "knn", policy, np.inf), "act", KukaJoints)
    return in_order(list(rollout(make, controller, plans(worlds), STEPS, len(worlds))))


def group(observations: Floats, name: str) -> Floats:
    return observations[:, [place for place, one in enumerate(KukaJoints.observation) if one.group == name]]


# What is shown


def test_the_scripted_movements_begin_and_end_at_rest_and_never_jump() -> None:
    for reference in scripted_references():
        speed = np.abs(np.diff(reference.joints, axis=0)).max(axis=1) * 240  # [rad/s]
        assert speed[0] < 0.02
        assert speed[-1] < 0.02
        assert np.abs(np.diff(speed)).max() < 0.02
        assert speed.max() < 1.5


def test_the_scripted_movements_keep_within_the_limits_and_off_the_ground() -> None:
    for reference in scripted_references():
        assert (np.abs(reference.joints) < LIMITS).all()
        assert tool_and_jacobian(reference.joints)[0][:, 2].min() > 0.3


def test_the_scripted_movements_are_far_from_each_other() -> None:
    waves, lift = (reference.joints[::20] for reference in scripted_references())
    assert np.linalg.norm(waves[:, None] - lift[None], axis=2).min() > 1


def test_raise_moves_one_joint_and_waves_moves_all() -> None:
    waves, lift = (reference.amplitude > 0 for reference in scripted_references())
    assert waves.all()
    assert lift.sum() == 1


def test_every_demonstration_lasts_ten_seconds_and_succeeds(shown: list[Episode]) -> None:
    for episode in shown:
        assert len(episode) == STEPS
        assert episode.outcome == "success"
        assert episode.details["mean_relative"] < 0.02


def test_the_expert_commands_what_the_hand_shows_row_by_row(shown: list[Episode]) -> None:
    rows = np.concatenate([episode.observations for episode in shown])[::97]
    assert np.array_equal(KukaJoints.expert(rows), group(rows, "hand"))
    assert np.array_equal(KukaJoints.expert(rows), np.concatenate([KukaJoints.expert(row[None]) for row in rows]))


def test_the_last_target_is_the_command_before(shown: list[Episode]) -> None:
    for episode in shown:
        assert np.array_equal(group(episode.observations, "last_target")[1:], episode.executed[:-1])
        assert np.array_equal(group(episode.observations, "last_target")[0], group(episode.observations, "joint")[0])


# What a recording becomes


def test_a_recording_of_a_demonstration_becomes_the_same_episode(shown: list[Episode]) -> None:
    for episode in shown:
        joints, velocities = group(episode.observations, "joint"), group(episode.observations, "velocity")
        observations, actions = KukaJoints.complete(np.concatenate([joints, velocities, episode.actions], axis=1))
        assert np.array_equal(observations, episode.observations)
        assert np.array_equal(actions, episode.actions)


# Following


def test_replaying_the_commands_follows_to_the_bit(make: Callable[[], Task], shown: list[Episode]) -> None:
    movements = plans([{"movement": float(movement)} for movement in range(len(shown))])
    for episode, demonstration in zip(
        in_order(list(rollout(make, expert_controller(KukaJoints), movements, STEPS, 2))), shown, strict=True
    ):
        assert np.array_equal(episode.observations, demonstration.observations)
        assert episode.outcome == "success"
        assert not episode.errors[:-1].any()


def test_joint_angles_alone_stall_where_a_movement_goes_back_the_way_it_came(
    make: Callable[[], Task], shown: list[Episode]
) -> None:
    waves, lift = playback(make, clone(shown, joint=1), [{"movement": WAVES}, {"movement": RAISE}])
    assert waves.outcome == "success"
    assert lift.outcome == "timeout"
    assert lift.details["travelled"] < 0.5


@pytest.mark.parametrize("cure", ["last_target", "velocity", "clock"])
def test_one_more_observation_cures_the_stall(cure: str, make: Callable[[], Task], shown: list[Episode]) -> None:
    policy = clone(shown, joint=1, **{cure: 1})
    for episode in playback(make, policy, [{"movement": WAVES}, {"movement": RAISE}]):
        assert episode.outcome == "success"
        assert episode.details["mean_relative"] < 0.01
        assert episode.details["travelled"] == pytest.approx(1, abs=0.02)


def test_order_and_number_in_lockstep_change_no_bit(make: Callable[[], Task], shown: list[Episode]) -> None:
    policy = clone(shown, joint=1, last_target=1)
    some: list[dict[str, float]] = [
        {"movement": RAISE, "start_offset": 0.1},
        {"movement": WAVES, "start_offset": 0.2, "action_noise": 0.5},
        {"movement": RAISE, "observation_noise": 0.02},
    ]
    controller = policy_controller(Trained("kuka_joints", "knn", policy, np.inf), "act", KukaJoints)
    together = in_order(list(rollout(make, controller, plans(some), 500, 3)))
    alone = in_order(list(rollout(make, controller, plans(some)[::-1], 500, 1)))
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.observations, other.observations)
        assert np.array_equal(one.errors, other.errors)
        assert one.details == other.details


def test_other_demonstrations_to_follow_are_other_worlds(tmp_path: Path) -> None:
    both = [{"movement": float(movement)} for movement in (WAVES, RAISE)]
    waves, raised = scripted_references()
    evaluations = []
    for name, last in (("a", raised), ("b", raised), ("c", replace(raised, hand=raised.hand + 1e-9))):
        controller = expert_controller(KukaJoints)
        episodes = rollout(partial(KukaJoints, (waves, last)), controller, plans(both), 20, 2)
        write_episodes(tmp_path / name, "kuka_joints", KukaJoints, in_order(list(episodes)))
        evaluations.append(read_evaluation(tmp_path / name))
    a, b, c = evaluations
    assert [one.differing for one in pair(a, b)] == [0]
    assert [one.differing for one in pair(a, c)] == [1]


def test_recorded_pairs_that_followed_others_are_not_added_to(shown: list[Episode], tmp_path: Path) -> None:
    write_episodes(tmp_path / "demonstrations", "kuka_joints", KukaJoints, shown)
    settings = load_settings(ROOT / "params.yaml", TASKS, POLICIES)
    contest = Contest("kuka_joints", settings, tmp_path / "demonstrations", (tmp_path, tmp_path))
    plan = contest.worlds(1)["raise"][0]
    with contest.make() as task:
        task.reset(plan.world, stream(plan.seed, "reset"))
        followed = task.given()["followed"]
    won, seeds = np.array([True]), np.array([plan.seed])
    world = {knob: np.array([value]) for knob, value in plan.world.items()}
    pairs = Pairs("kuka_joints", "raise", won, won, seeds=seeds, worlds=world, given={"followed": np.array([followed])})
    assert [plan.seed for plan in planned_worlds([pairs], {"kuka_joints": contest}, 1)[0]] == [plan.seed]
    others = replace(pairs, given={"followed": np.array([followed + 1])})
    told = "demonstrations: found others than kuka_joints raise was evaluated with (followed), allowed: the same"
    with pytest.raises(UserError, match=f"{re.escape(told)}$"):
        planned_worlds([others], {"kuka_joints": contest}, 1)


def test_the_start_is_off_by_the_offset_in_its_worst_joint(make: Callable[[], Task], shown: list[Episode]) -> None:
    start = shown[RAISE].observations[0, :7]
    with make() as task:
        for seed in range(5):
            world = {**CALM, "movement": RAISE, "start_offset": 0.2}
            observation = task.reset(world, np.random.default_rng(seed))
            assert np.abs(observation[:7] - start).max() == pytest.approx(0.2)
            assert np.array_equal(KukaJoints.hold(observation[None])[0], observation[:7])


@pytest.mark.parametrize("movement", [-1, 2])
def test_a_movement_that_is_not_there_is_told(movement: int, make: Callable[[], Task]) -> None:
    for maker in (make, KukaJoints):
        with maker() as task, pytest.raises(UserError, match=f"movement: found {movement}, allowed: 0 to 1"):
            task.reset({**CALM, "movement": movement}, np.random.default_rng(0))


@pytest.mark.parametrize("stage_name", ["evaluate", "practice"])
def test_without_demonstrations_there_is_nothing_to_follow(
    stage_name: str, shown: list[Episode], stage: Any, root: Path, tmp_path: Path
) -> None:
    features = dict.fromkeys(("joint", "clock"), 1.0)
    policy = tmp_path / "policy.npz"
    save_policy(policy, Trained("kuka_joints", "knn", clone(shown, **features), 1.0))
    names = ("kuka_joints", "round_0", policy) if stage_name == "practice" else ("kuka_joints", policy)
    ended = stage(stage_name, *names, "--params", root / "params.yaml", "--output", tmp_path / "out")
    assert ended.status == 2
    assert ended.output.strip().startswith("error: --demonstrations: found nothing, allowed: the folder of those that ")
    assert not (tmp_path / "out").exists()


def recording(path: Path, still: int, moving: int, rate: float = 240) -> Path:
    """A person's recording that stands still for so many rows and then lifts one joint in so many more."""
    lift = np.concatenate([np.zeros(still), np.linspace(0, 0.5, moving)])
    joints = np.tile(RAISE_POSE, (still + moving, 1))
    joints[:, 1] -= lift
    velocities = np.diff(joints, axis=0, prepend=joints[:1]) * rate
    write_recording(np.concatenate([joints, velocities, joints], axis=1), KukaJoints.recorded, path)
    return path


@pytest.mark.parametrize(
    ("moving", "rate", "told"),
    [
        (0, 240, "found no joint that covers more than 0 rad, allowed: more than 0.02 rad"),
        (
            60,
            24,
            "found joint_2 to turn -0.5 rad in rows 60 to 120, and -0.05 rad by its velocities, allowed: "
            "half to double that, with velocities in rad/s and rows 1/240 s apart",
        ),
    ],
)
def test_a_recording_in_which_nothing_moves_or_at_another_rate_is_refused(
    moving: int, rate: float, told: str, stage: Any, content: dict[str, Any], tmp_path: Path
) -> None:
    """Be it shown first, or as a correction."""
    wrong, output = recording(tmp_path / "wrong.csv", 60, moving, rate), ("--output", tmp_path / "out")
    content["correct"]["kuka_joints"]["recordings"] = {"round_1": wrong.name}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    for name, *arguments in (
        ("demonstrate", "kuka_joints", "--recording", wrong),
        ("correct", "kuka_joints", "round_0", tmp_path / "practice", "--recordings", tmp_path),
    ):
        ended = stage(name, *arguments, "--params", tmp_path / "params.yaml", *output)
        assert (ended.status, ended.output) == (2, f"error: {wrong}: {told}\n"), name
        assert not (tmp_path / "out").exists()


def test_a_demonstration_in_which_nothing_moves_is_refused(shown: list[Episode], tmp_path: Path) -> None:
    parts = ("observations", "actions", "executed", "shift", "responded", "asked", "errors")
    first = replace(shown[0], **{part: getattr(shown[0], part)[:5] for part in parts}, scores=Scores.unknown(5))
    write_episodes(tmp_path / "shown", "kuka_joints", KukaJoints, [first])
    with pytest.raises(UserError, match=r"shown: episode 0: found no joint that covers more than .* rad, allowed: "):
        KukaJoints.prepare(tmp_path / "shown")


def test_steps_in_which_no_demonstration_ends_are_refused(stage: Any, root: Path, tmp_path: Path) -> None:
    """Evaluation would call every episode out of time, be it as exact as it may."""
    long, folder = recording(tmp_path / "long.csv", 120, 60), tmp_path / "out"
    shown = stage(
        "demonstrate", "kuka_joints", "--recording", long, "--params", root / "params.yaml", "--output", folder
    )
    assert shown.status == 0, shown.output
    KukaJoints.prepare(folder, 180)
    with pytest.raises(UserError, match="max_steps of kuka_joints: found 179, allowed: at least 180"):
        KukaJoints.prepare(folder, 179)


def test_while_nothing_is_to_be_covered_nothing_is_travelled(stage: Any, root: Path, tmp_path: Path) -> None:
    late, folder = recording(tmp_path / "late.csv", 120, 60), tmp_path / "out"
    params = ("--params", root / "params.yaml")
    ended = stage("demonstrate", "kuka_joints", "--recording", late, *params, "--output", folder)
    assert ended.status == 0, ended.output
    (episode,) = rollout(KukaJoints.prepare(folder), expert_controller(KukaJoints), plans([{}]), 30, 1)
    assert (episode.outcome, episode.details["travelled"]) == ("timeout", 0)
    assert all(np.isfinite(value) for value in episode.details.values())


def test_a_runaway_ends_in_a_crash_or_at_the_limits_without_success(make: Callable[[], Task]) -> None:
    with make() as task:
        observation = task.reset(CALM, np.random.default_rng(0))
        while task.outcome is None:
            observation = task.step(KukaJoints.runaway(observation[None])[0])
        assert task.outcome != "success"


def test_the_arm_on_the_ground_is_a_crash() -> None:
    with KukaJoints() as task:
        task.reset({**CALM, "movement": RAISE}, np.random.default_rng(0))
        down = np.array([1.8, 2.0, 0.0, -0.5, 0.0, 0.5, 0.0])
        for _ in range(240):
            task.step(down)
            if task.outcome:
                break
        assert task.outcome == "crash"


def test_commands_are_held_to_what_sliders_reach() -> None:
    with KukaJoints() as task:
        task.reset(CALM, np.random.default_rng(0))
        observation = task.step(np.full(7, 9.0))
        assert np.array_equal(KukaJoints.hold(observation[None])[0], np.full(7, SLIDER))


def test_the_final_error_is_the_mean_over_the_episode(make: Callable[[], Task]) -> None:
    with make() as task:
        assert isinstance(task, KukaJoints)
        observation = task.reset(CALM, np.random.default_rng(0))
        errors = []
        for _ in range(100):
            observation = task.step(KukaJoints.hold(observation[None])[0])
            errors.append(task.error)
        assert task.final_error() == pytest.approx(np.mean(errors))
        assert task.details()["mean_error"] == pytest.approx(np.mean(errors))
        assert task.details()["travelled"] == pytest.approx(0, abs=1e-3)
    assert set(TORQUES) == {500}


def test_the_error_of_an_episode_is_the_mean_over_it(make: Any, shown: list[Episode]) -> None:
    (lift,) = playback(make, clone(shown, joint=1), [{"movement": RAISE}])
    assert lift.error == pytest.approx(lift.errors.mean())
    assert lift.error != lift.errors[-1]


def followed(swerve: float, steps: int) -> KukaJoints:
    """An arm that has followed a movement but for some steps in the middle, in which one joint is led astray."""
    reference = scripted_references()[RAISE]
    hand = reference.hand.copy()
    hand[1000 : 1000 + steps, 1] += swerve
    task = KukaJoints([reference])
    task.reset({**CALM}, np.random.default_rng(0))
    for row in hand:
        task.step(row)
        if task.outcome:
            break
    return task


def test_success_is_to_be_near_in_the_mean_and_never_far() -> None:
    for swerve, steps, outcome in (
        (0.0, 0, "success"),
        (0.1, 100, "success"),
        (0.5, 100, "timeout"),
        (0.1, 1300, "timeout"),
    ):
        with followed(swerve, steps) as task:
            details = task.details()
            near = details["mean_relative"] <= MEAN_BOUND, details["worst_relative"] <= WORST_BOUND
            assert task.outcome == outcome
            assert all(near) == (outcome == "success")


def test_a_share_is_of_the_joints_own_amplitude() -> None:
    reference = scripted_references()[0]
    with KukaJoints([reference]) as task:
        task.reset(CALM, np.random.default_rng(0))
        for _ in range(200):
            task.step(reference.joints[0])
        errors = np.array(task.errors)
        relative = errors / np.ptp(reference.joints, axis=0)
        details = task.details()
    assert details["mean_relative"] == pytest.approx(relative.mean())
    assert details["worst_relative"] == pytest.approx(relative.max())
    assert details["worst_error"] == pytest.approx(errors.max())


def test_what_stands_still_in_a_movement_is_not_judged() -> None:
    """Only one joint is raised: what the others do is no error."""
    reference = scripted_references()[RAISE]
    with KukaJoints([reference]) as task:
        task.reset(CALM, np.random.default_rng(0))
        for row in reference.hand[:50]:
            task.step(row + np.array([0, 0, 0, 0, 0, 0, 0.3]))
        assert task.error < 0.05


@pytest.mark.parametrize("way", [-1, 1])
def test_a_joint_beyond_its_range_is_a_crash(way: int) -> None:
    """Where the arm touches nothing."""
    reference = scripted_references()[RAISE]
    for beyond, outcome in ((LIMITS[5], None), (LIMITS[5] + 2 * LIMIT_MARGIN, "crash")):
        joints = reference.joints + np.array([0, 0, 0, 0, 0, way * beyond - RAISE_POSE[5], 0])
        with KukaJoints([Reference(joints, joints[1:])]) as task:
            task.reset(CALM, np.random.default_rng(0))
            task.step(joints[0])
            assert not task.arm.client.getContactPoints(task.arm.body)
            assert task.outcome == outcome


def test_the_way_is_held_against_what_was_to_be_covered_so_far() -> None:
    with KukaJoints() as task:
        task.reset({**CALM, "movement": RAISE}, np.random.default_rng(0))
        for row in task.reference.hand[:1200]:
            task.step(row)
        assert task.details()["travelled"] == pytest.approx(1, abs=0.03)


def test_a_movement_is_another_by_its_joints_or_by_its_hand() -> None:
    one = scripted_references()[0]
    others = [replace(one, joints=one.joints + 1e-9), replace(one, hand=one.hand + 1e-9)]
    assert len({reference.checksum for reference in (one, *others)}) == 3
    assert Reference(one.joints, one.hand).checksum == one.checksum
