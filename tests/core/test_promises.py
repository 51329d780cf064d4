"""Whoever writes a task is told in a sentence what it lacks."""

from collections.abc import Mapping
from pathlib import Path
import re
import sys
from typing import ClassVar

import numpy as np
import pytest

from stages.core.episode import Plan, Recollection
from stages.core.errors import UserError
from stages.core.policy import Answer, Policy, Trained, policy_controller
from stages.core.registry import Registry
from stages.core.rollout import expert_controller, rollout
from stages.core.streams import stream
from stages.core.task import NOISE_KNOBS, Channel, Floats, Knob, Task, World


class Cart(Task):
    """A cart that is to stop at 0."""

    observation: ClassVar = (Channel("position", "m"), Channel("velocity", "m/s"))
    action: ClassVar = (Channel("force", "N"),)
    knobs: ClassVar[Mapping[str, Knob]] = {"start": Knob("m", 1.0, "where it stands")}
    control_period: ClassVar = 0.1
    error_unit: ClassVar = "m"
    recorded: ClassVar = (*observation, *action)
    error = 0.0

    def reset(self, world: World, rng: np.random.Generator) -> Floats:
        self.outcome = None
        self.state = np.array([world["start"], 0.0])
        return self.state

    def step(self, action: Floats) -> Floats:
        self.state = self.state + 0.1 * np.array([self.state[1], action[0]])
        self.error = abs(float(self.state[0]))
        return self.state

    @staticmethod
    def expert(observations: Floats) -> Floats:
        return -observations[:, :1] - 2 * observations[:, 1:]

    @staticmethod
    def hold(observations: Floats) -> Floats:
        return np.zeros((len(observations), 1))

    runaway = hold


class MissingKnob(Cart):
    def reset(self, world: World, rng: np.random.Generator) -> Floats:
        self.state = np.array([world["start"], world["speed"]])
        return self.state


class OneChannelTooFew(Cart):
    def reset(self, world: World, rng: np.random.Generator) -> Floats:
        return super().reset(world, rng)[:1]


class NoNumbers(Cart):
    @staticmethod
    def expert(observations: Floats) -> Floats:
        return np.full((len(observations), 1), np.nan)


class FlatActions(Cart):
    @staticmethod
    def expert(observations: Floats) -> Floats:
        return -observations[:, 0]


class Lost(Cart):
    def step(self, action: Floats) -> Floats:
        return super().step(action) / (0.0 if self.error > 0.9 else 1.0) if self.state[1] else super().step(action)


class OddOutcome(Cart):
    def step(self, action: Floats) -> Floats:
        self.outcome = "done"  # type: ignore[assignment]
        return super().step(action)


class NoUnit(Task):
    observation: ClassVar = Cart.observation
    action: ClassVar = Cart.action
    reset, step = Cart.reset, Cart.step
    expert, hold = staticmethod(Cart.expert), staticmethod(Cart.hold)


def run(task: type[Task], steps: int = 5) -> None:
    world = {knob: known.default for knob, known in {**task.knobs, **NOISE_KNOBS}.items()}
    plans = [Plan(number, "test", number, world) for number in range(3)]
    list(rollout(task, expert_controller(task), plans, steps, 2))


def test_a_whole_task_runs() -> None:
    run(Cart)


def test_noise_is_that_of_the_episodes_stream_however_long_it_is() -> None:
    world = {knob: known.default for knob, known in {**Cart.knobs, **NOISE_KNOBS}.items()}
    noisy = {**world, "observation_noise": 0.1, "action_noise": 0.2}
    prelude = np.zeros((3, 1))
    plan = Plan(0, "test", 7, noisy, prelude)
    (episode,) = rollout(Cart, expert_controller(Cart), [plan], 150, 1)
    quiet = next(rollout(Cart, expert_controller(Cart), [Plan(0, "test", 7, world, episode.executed)], 150, 1))
    seen = stream(7, "observation_noise").uniform(-1, 1, (150, 2))
    done = stream(7, "action_noise").uniform(-1, 1, (150, 1))
    assert len(episode) == 150
    assert np.array_equal(episode.observations, quiet.observations + 0.1 * seen)
    assert np.array_equal(episode.executed, np.concatenate([prelude, (episode.actions + 0.2 * done)[3:]]))


def test_what_reset_says_of_the_end_stands() -> None:
    class Over(Cart):
        def reset(self, world: World, rng: np.random.Generator) -> Floats:
            seen = super().reset(world, rng)
            self.outcome = "crash" if world["start"] > 2 else None
            return seen

        def step(self, action: Floats) -> Floats:
            self.outcome = None
            return super().step(action)

    world = {knob: known.default for knob, known in {**Over.knobs, **NOISE_KNOBS}.items()}
    plans = [Plan(number, "test", number, {**world, "start": start}) for number, start in enumerate((3.0, 1.0, 3.0))]
    ended = {episode.plan.index: episode for episode in rollout(Over, expert_controller(Over), plans, 5, 1)}
    assert [ended[number].outcome for number in range(3)] == ["crash", "timeout", "crash"]
    assert [len(ended[number]) for number in range(3)] == [1, 5, 1]


class Known(Policy):
    """To which everything is new."""

    def act(self, observations: Floats) -> Answer:
        rows = len(observations)
        return Answer(np.zeros((rows, 1)), Recollection.none(rows)._replace(distances=np.ones((rows, 1))))


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (NoNumbers, "NoNumbers.expert: found force nan, allowed: numbers"),
        (FlatActions, "FlatActions.expert: found the shape (3,), allowed: (3, 1), for the channels force"),
    ],
)
def test_an_expert_that_is_asked_is_held_to_it_too(task: type[Task], told: str) -> None:
    Known.__abstractmethods__ = frozenset()
    asks = policy_controller(Trained("cart", "known", Known(), 0.5), "ask", task)  # type: ignore[abstract]
    with pytest.raises(UserError, match=f"^{re.escape(told)}"):
        asks(np.ones((3, 2)))


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(
    ("task", "told"),
    [
        (MissingKnob, "reset: found the knob speed, allowed: start, observation_noise, "),
        (OneChannelTooFew, "OneChannelTooFew.reset: found the shape (1,), allowed: (2,), for the channels position, "),
        (NoNumbers, "NoNumbers.expert: found force nan, allowed: numbers"),
        (FlatActions, "FlatActions.expert: found the shape (2,), allowed: (2, 1), for the channels force"),
        (Lost, "Lost: found position inf observed, allowed: numbers"),
        (OddOutcome, "OddOutcome.outcome: found done, allowed: success, crash, timeout, or None"),
    ],
)
def test_what_is_wrong_is_said_with_what_it_should_be(task: type[Task], told: str) -> None:
    with pytest.raises(UserError) as caught:
        run(task)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("class Other: pass", "broken_task:Cart cannot be imported (module 'broken_task' has no attribute 'Cart')"),
        ("import no_such_thing", "broken_task:Cart cannot be imported (No module named 'no_such_thing')"),
        ("def f(:\n", "{folder}/broken_task.py: not Python (line 1: "),
        ("from tests.core.test_promises import NoUnit as Cart", "NoUnit lacks control_period, error_unit, knobs, "),
    ],
)
def test_what_a_registry_cannot_give_is_told(
    source: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_task.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_task", raising=False)
    with pytest.raises(UserError) as caught:
        Registry[Task]("task", {"cart": "broken_task:Cart"}).find("cart")
    assert str(caught.value).startswith("task cart: " + told.format(folder=tmp_path))
