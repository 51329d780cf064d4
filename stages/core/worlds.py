"""Draws worlds: everything random about an episode, from its own named streams."""

from collections.abc import Mapping
from dataclasses import replace

from stages.core.conditions import Conditions
from stages.core.episode import Plan
from stages.core.params import Range
from stages.core.settings import Settings
from stages.core.streams import Name, derive, uniform
from stages.core.task import NOISE_KNOBS, Knob, Task, World


def draw_world(knobs: Mapping[str, Knob], ranges: Mapping[str, Range], seed: int, index: int) -> World:
    """One world: a knob without a range has its default; each knob has a stream of its own.

    So a knob that is added, or whose range changes, moves no other knob.
    """
    world = {}
    for name, knob in knobs.items():
        span = ranges.get(name, Range(knob.default, knob.default))
        if knob.integer:
            world[name] = span.low + index % int(span.high - span.low + 1)
        else:
            world[name] = span.low + (span.high - span.low) * uniform(seed, "knob", name)
    return world


def with_noise(knobs: Mapping[str, Knob], observation: float, action: float) -> dict[str, Knob]:
    """A task's knobs and those that every task has; the defaults of the noises are given."""
    levels = {"observation_noise": observation, "action_noise": action}
    noises = {name: replace(NOISE_KNOBS[name], default=level) for name, level in levels.items()}
    return {**knobs, **NOISE_KNOBS, **noises}


def plan_episodes(
    knobs: Mapping[str, Knob],
    ranges: Mapping[str, Range],
    count: int,
    condition: str,
    seed: int,
    *names: Name,
    first: int = 0,
) -> list[Plan]:
    """Plans for `count` episodes, numbered from `first`; `names` tell this set of worlds from every other.

    Plan i is the same however many others there are.
    """
    plans = []
    for number in range(count):
        episode_seed = derive(seed, *names, "episode", number)
        world = draw_world(knobs, ranges, episode_seed, number)
        plans.append(Plan(first + number, condition, episode_seed, world))
    return plans


def evaluation_plans(name: str, task: type[Task], settings: Settings, conditions: Conditions, count: int) -> list[Plan]:
    """`count` episodes of each condition; neither round nor policy has a part in them."""
    knobs = with_noise(task.knobs, settings.noise(name, "observation"), settings.noise(name, "action"))
    plans: list[Plan] = []
    for condition, spans in conditions.items():
        seed, names = settings.evaluation_seed, ("evaluate", name, condition)
        plans += plan_episodes(knobs, spans, count, condition, seed, *names, first=len(plans))
    return plans
