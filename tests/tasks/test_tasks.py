"""What every task promises; a task is tested by being listed."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
import numpy as np
import pytest

from stages.core import parallel
from stages.core.episode import Controller, Decision, Episode, Plan
from stages.core.parallel import run_episodes
from stages.core.params import ComputeSettings, Range
from stages.core.rollout import expert_controller, rollout
from stages.core.settings import Settings
from stages.core.streams import stream
from stages.core.task import NOISE_KNOBS, Floats, Task
from stages.core.worlds import plan_episodes, with_noise
from stages.tasks import TASKS

SHORT = 25  # steps of an episode whose end does not matter
FEW = {"kuka_reach_camera": 5}  # episodes of a task whose steps are dear: a picture takes as long as 200 physics steps
BATCHED = ("expert", "hold", "runaway")

Shown = Callable[[str], list[Episode]]
Same = Callable[[list[Episode], list[Episode]], None]


@pytest.fixture(scope="session")
def make(shown_folder: Callable[[str], Path]) -> Callable[[str], Callable[[], Task]]:
    """What `prepare` makes of a task for evaluation and practice."""
    return lambda name: TASKS.find(name).prepare(shown_folder(name))


def noisy_plans(settings: Settings, name: str, count: int, observation: float = 0.003) -> list[Plan]:
    """Worlds of a task's practice with all its families of knobs, and noise on everything."""
    task = TASKS.find(name)
    spans = (settings.params.randomization or {}).get(name)
    families = replace(spans, randomize=list(spans.domain or {})) if spans else None
    drawn = families.trained(families.practice or {}) if families else {}
    return plan_episodes(with_noise(task.knobs, observation, 0.05), drawn, count, "test", 5, name)


def varied(settings: Settings, name: str) -> dict[str, Range]:
    """The widest range of every knob that varies anywhere in a task's parameters."""
    spans = (settings.params.randomization or {}).get(name)
    if spans is None:
        pytest.skip(f"params.yaml has no worlds for {name}")
    found: dict[str, Range] = {}
    for drawn in (*(spans.domain or {}).values(), spans.practice or {}, *spans.conditions().values()):
        for knob, span in drawn.items():
            known = found.get(knob, span)
            found[knob] = Range(min(known.low, span.low), max(known.high, span.high))
    return {knob: span for knob, span in found.items() if span.low < span.high}


def visited(shown: Shown, name: str) -> Floats:
    """Observations (N, O) from all along episodes."""
    everything = np.concatenate([episode.observations for episode in shown(name)])
    return everything[:: max(1, len(everything) // 150)]


def _number(episode: Episode) -> int:
    return episode.plan.index


def short(make: Callable[[], Task], task: type[Task], plans: list[Plan], lockstep: int) -> list[Episode]:
    return list(rollout(make, expert_controller(task), plans, SHORT, lockstep))


# The declaration


def test_names_are_unique_and_units_are_given(task_name: str) -> None:
    task = TASKS.find(task_name)
    for channels in (task.observation, task.action, task.recorded):
        names = [channel.name for channel in channels]
        assert len(set(names)) == len(names) > 0
        assert all(channel.unit.strip() for channel in channels)
    assert not set(task.knobs) & set(NOISE_KNOBS)
    assert all(knob.unit.strip() and knob.meaning.strip() for knob in task.knobs.values())
    assert task.error_unit.strip()
    assert all(task.detail_units.values())
    assert all(task.given_units.values())
    assert task.control_period > 0


def test_an_integer_knobs_default_is_whole(task_name: str) -> None:
    for knob in TASKS.find(task_name).knobs.values():
        assert not knob.integer or float(knob.default).is_integer()


def test_every_knob_that_varies_changes_an_episode(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings
) -> None:
    """One that does nothing would be taken for one that the policy masters."""
    task, ranges = TASKS.find(task_name), varied(settings, task_name)
    world = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    integers = {name for name, knob in task.knobs.items() if knob.integer}
    # Not halfway: a range may have the goal in its middle, where an episode ends before anything tells.
    middle = {name: 0.45 * span.low + 0.55 * span.high for name, span in ranges.items()}
    world |= {name: np.floor(value) if name in integers else value for name, value in middle.items()}
    moved = [{**world, name: span.low if span.low != world[name] else span.high} for name, span in ranges.items()]
    plans = [Plan(number, "moved", 1, one) for number, one in enumerate([world, *moved])]
    episodes = rollout(make(task_name), expert_controller(task), plans, 12 if task_name in FEW else 120, 8)
    first, *others = [(one.observations.tobytes(), one.errors.tobytes()) for one in sorted(episodes, key=_number)]
    assert [name for name, other in zip(ranges, others, strict=True) if other == first] == []


def test_a_knobs_default_is_within_its_bounds(task_name: str) -> None:
    for name, knob in {**TASKS.find(task_name).knobs, **NOISE_KNOBS}.items():
        assert knob.low is None or knob.low <= knob.default, name
        assert knob.high is None or knob.default <= knob.high, name


def test_at_its_bounds_a_knob_still_makes_a_world(task_name: str, make: Callable[[str], Callable[[], Task]]) -> None:
    task = TASKS.find(task_name)
    world = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    if "push" in world:
        world |= {"push": 0.01, "push_time": 0.0}
    with make(task_name)() as one:
        for name, knob in task.knobs.items():
            # A start that is out of reach is searched for long before that is said.
            for bound in {knob.low, knob.high} - {None} if name != "start_offset" else ():
                seen = one.reset({**world, name: bound}, stream(1, "bounds"))
                assert np.isfinite(one.step(task.expert(seen[None])[0])).all(), (name, bound)


def test_hidden_knobs_are_those_that_the_first_observation_tells_nothing_of(
    task_name: str, make: Callable[[str], Callable[[], Task]]
) -> None:
    task = TASKS.find(task_name)
    world = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    assert task.hidden <= set(task.knobs)
    with make(task_name)() as one:
        seen = one.reset(world, stream(1, "hidden"))
        for name, knob in task.knobs.items():
            # A little, or, where that is rounded away, by one.
            ways = (1.0,) if knob.integer else (max(0.05, 0.1 * abs(knob.default)), 1.0)
            moved = (one.reset({**world, name: knob.default + way}, stream(1, "hidden")) for way in ways)
            told = f"{name}: in `hidden`, but the first observation shows it, or the other way round"
            assert all(np.array_equal(there, seen) for there in moved) is (name in task.hidden), told


def test_a_recording_completes_to_observations_and_actions(task_name: str) -> None:
    task = TASKS.find(task_name)
    recorded = np.random.default_rng(0).normal(size=(6, len(task.recorded)))
    observations, actions = task.complete(recorded)
    assert observations.shape == (6, len(task.observation))
    assert actions.shape == (6, len(task.action))


# Reset and step


def test_reset_and_step_give_an_observation(task_name: str, make: Callable[[str], Callable[[], Task]]) -> None:
    task = TASKS.find(task_name)
    world = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    with make(task_name)() as one:
        first = one.reset(world, np.random.default_rng(0))
        assert one.outcome is None
        assert set(one.given()) == set(task.given_units)
        second = one.step(task.expert(first[None])[0])
        assert isinstance(one.error, float)
        assert one.error >= 0
        assert set(one.details()) == set(task.detail_units)
    for observation in (first, second):
        assert observation.shape == (len(task.observation),)
        assert observation.dtype == np.float64
        assert np.isfinite(observation).all()


def test_an_observation_is_not_changed_afterwards(task_name: str, make: Callable[[str], Callable[[], Task]]) -> None:
    task = TASKS.find(task_name)
    world = {name: knob.default for name, knob in {**task.knobs, **NOISE_KNOBS}.items()}
    with make(task_name)() as one:
        first = one.reset(world, np.random.default_rng(0))
        before = first.copy()
        action = task.expert(first[None])[0]
        commanded = action.copy()
        for _ in range(3):
            one.step(action)
        assert np.array_equal(first, before)
        assert np.array_equal(action, commanded)


@pytest.mark.parametrize("answer", BATCHED)
def test_row_by_row_and_in_batches_the_answer_is_the_same(answer: str, task_name: str, shown: Shown) -> None:
    task, seen = TASKS.find(task_name), visited(shown, task_name)
    respond = getattr(task, answer)
    whole = respond(seen)
    assert whole.shape == (len(seen), len(task.action))
    assert np.isfinite(whole).all()
    for size in (1, 2, 3, 5, 8, 13, 64):
        parts = [respond(seen[start : start + size]) for start in range(0, len(seen), size)]
        assert np.array_equal(np.concatenate(parts), whole), size
    order = np.random.default_rng(0).permutation(len(seen))
    assert np.array_equal(respond(seen[order]), whole[order])
    assert np.array_equal(respond(np.asfortranarray(seen)), whole)


@pytest.mark.parametrize("answer", BATCHED)
def test_an_answer_leaves_the_observations_as_they_are(answer: str, task_name: str, shown: Shown) -> None:
    seen = visited(shown, task_name).copy()
    before = seen.copy()
    getattr(TASKS.find(task_name), answer)(seen)[:] = np.nan
    assert np.array_equal(seen, before)


# Same bits, whatever ran before


def test_order_and_number_in_lockstep_change_no_bit(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings, assert_same: Same
) -> None:
    task, plans = TASKS.find(task_name), noisy_plans(settings, task_name, 9)
    alone = [episode for plan in plans for episode in short(make(task_name), task, [plan], 1)]
    assert len({episode.observations.tobytes() for episode in alone}) == len(plans)
    shuffled = [plans[place] for place in np.random.default_rng(3).permutation(len(plans))]
    for order, lockstep in ((plans, 1), (plans, 8), (plans[::-1], 3), (shuffled, 1), (shuffled, 8)):
        assert_same(short(make(task_name), task, order, lockstep), alone)


@pytest.mark.parametrize("backend", ["fork", "loky", "threading"])
def test_neither_jobs_nor_backend_change_a_bit_or_the_order(
    backend: str,
    task_name: str,
    make: Callable[[str], Callable[[], Task]],
    settings: Settings,
    assert_same: Same,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_STEPS_WORTH_A_PROCESS", "_STEPS_WORTH_A_COPY", "_STEPS_WORTH_A_SIMULATION"):
        monkeypatch.setattr(parallel, name, 1)
    plans = noisy_plans(settings, task_name, 11)[::-1]
    controller = _Named(task_name)
    one, two = (
        run_episodes(make(task_name), controller, plans, 5, ComputeSettings(jobs, backend, 3), "test")
        for jobs in (1, 2)
    )
    assert [episode.plan.index for episode in two] == [plan.index for plan in plans]
    assert_same(one, two)


class _Named:
    """A task's expert as a controller that another process can be sent."""

    def __init__(self, task: str) -> None:
        self.task = task

    def __call__(self, observations: Floats) -> Decision:
        return expert_controller(TASKS.find(self.task))(observations)


def test_a_crash_or_any_other_end_leaves_no_trace(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings, assert_same: Same
) -> None:
    task, (violent, plan) = TASKS.find(task_name), noisy_plans(settings, task_name, 2)
    fresh = short(make(task_name), task, [plan], 1)
    runaway: Controller = lambda seen: expert_controller(task)(seen)._replace(actions=task.runaway(seen))  # noqa: E731
    with make(task_name)() as one:
        keep = _Kept(one)
        list(rollout(lambda: keep, runaway, [violent], 600, 1))
        assert_same(list(rollout(lambda: keep, expert_controller(task), [plan], SHORT, 1)), fresh)


def test_a_short_episode_leaves_no_trace_in_its_own_world(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings, assert_same: Same
) -> None:
    """Where nothing has moved far, a simulation that restores a state keeps what touched what."""
    task, (plan,) = TASKS.find(task_name), noisy_plans(settings, task_name, 1)
    fresh = short(make(task_name), task, [plan], 1)
    with make(task_name)() as one:
        keep = _Kept(one)
        for length in (1, 3, 10):
            list(rollout(lambda: keep, expert_controller(task), [plan], length, 1))
            assert_same(list(rollout(lambda: keep, expert_controller(task), [plan], SHORT, 1)), fresh)


class _Kept:
    """A task that outlives its rollout."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __getattr__(self, name: str) -> object:
        return getattr(self._task, name)

    def close(self) -> None:
        pass


def test_an_episode_is_replayed_by_its_executed_commands(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings
) -> None:
    task = TASKS.find(task_name)
    for episode in short(make(task_name), task, noisy_plans(settings, task_name, 3), 2):
        cut = len(episode) * 2 // 3
        # Neither another noise level nor another controller matters as long as the commands are given.
        world = {**episode.plan.world, "action_noise": 0.5}
        plan = Plan(0, "replay", episode.plan.seed, world, episode.executed[:cut])
        holding: Controller = lambda seen: expert_controller(task)(seen)._replace(actions=task.hold(seen))  # noqa: E731
        (again,) = rollout(make(task_name), holding, [plan], SHORT + 10, 1)
        assert np.array_equal(again.observations[: cut + 1], episode.observations[: cut + 1])
        assert np.array_equal(again.executed[:cut], episode.executed[:cut])
        assert np.array_equal(again.errors[:cut], episode.errors[:cut])


def test_noise_is_uniform_within_its_half_width_and_the_episodes_own(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings
) -> None:
    task, plans = TASKS.find(task_name), noisy_plans(settings, task_name, 8, observation=0)
    episodes = short(make(task_name), task, plans, 4)
    noise = np.concatenate([episode.executed - episode.actions for episode in episodes])
    assert 0.03 < np.abs(noise).max() <= 0.05 + 1e-12
    assert abs(noise.mean()) < 0.05 / np.sqrt(3 * noise.size) * 4
    drawn = stream(plans[0].seed, "action_noise").uniform(-1, 1, (SHORT, len(task.action)))
    first = next(episode for episode in episodes if episode.plan.index == 0)
    assert np.array_equal(first.executed, first.actions + 0.05 * drawn[: len(first)])


# The expert


def test_the_expert_succeeds_in_its_default_world(task_name: str, make: Callable[[str], Callable[[], Task]]) -> None:
    task = TASKS.find(task_name)
    plans = plan_episodes(with_noise(task.knobs, 0, 0), {}, 1, "default", 1, task_name)
    (episode,) = rollout(make(task_name), expert_controller(task), plans, 2400, 1)
    assert episode.outcome == "success"


def test_the_expert_succeeds_where_it_demonstrates(task_name: str, shown: Shown) -> None:
    assert [episode.outcome for episode in shown(task_name)] == ["success"] * 4


def test_the_expert_succeeds_in_every_condition(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings
) -> None:
    """An expert that fails in a condition has nothing to teach about it."""
    spans, limits = (
        (settings.params.randomization or {}).get(task_name),
        (settings.params.evaluate or {}).get(task_name),
    )
    if spans is None or limits is None:
        pytest.skip(f"params.yaml has no conditions for {task_name}")
    task, limit = TASKS.find(task_name), limits.max_steps or 0
    knobs = with_noise(task.knobs, settings.noise(task_name, "observation"), settings.noise(task_name, "action"))
    count = FEW.get(task_name, max(2, min(20, 3000 // limit)))
    families = replace(spans, randomize=list(spans.domain or {}))
    taught = {"practice": spans.practice or {}, "practice, randomized": families.trained(spans.practice or {})}
    for condition, drawn in {**spans.conditions(), **taught}.items():
        plans = plan_episodes(knobs, drawn, count, condition, 77, task_name, condition)
        episodes = list(rollout(make(task_name), expert_controller(task), plans, limit, 8))
        failed = [dict(episode.plan.world) for episode in episodes if episode.outcome != "success"]
        # Of worlds that vary in everything at once some are too much; what failed there is not learned from.
        allowed = max(1, count // 10) if condition == "practice, randomized" else 0
        told = f"the expert fails in {len(failed)} of {count} worlds of {condition} (at most {allowed}): {failed[:1]}"
        assert len(failed) <= allowed, told


def test_what_runs_away_or_holds_does_not_succeed(
    task_name: str, make: Callable[[str], Callable[[], Task]], settings: Settings
) -> None:
    task, plans = TASKS.find(task_name), noisy_plans(settings, task_name, 2, observation=0)
    for answer in (task.runaway, task.hold):
        still = [Plan(plan.index, "", plan.seed, {**plan.world, "action_noise": 0}) for plan in plans]
        lost: Controller = lambda seen, answer=answer: expert_controller(task)(seen)._replace(actions=answer(seen))  # type: ignore[misc]  # noqa: E731
        for episode in rollout(make(task_name), lost, still, 150, 2):
            assert episode.outcome != "success"
