"""A policy in worlds of which one knob is moved outwards, step by step, from where it was demonstrated."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from stages.comparing.shares import wilson
from stages.core.conditions import conditions_of
from stages.core.episode import Episode, Plan
from stages.core.parallel import run_episodes
from stages.core.params import Range
from stages.core.policy import Trained, policy_controller
from stages.core.settings import Settings
from stages.core.task import NOISE_KNOBS, Task
from stages.core.worlds import plan_episodes, with_noise
from stages.probing.probe import SHOWN, Point, Probe, points

Row = dict[str, Any]


def probe_knobs(
    name: str, task: type[Task], make: Any, trained: Trained, probe: Probe, settings: Settings
) -> list[Row]:
    """One row a value of a knob, the worlds as shown first: shares alarmed, surprised and failed, with 95 % intervals.

    The policy acts whatever the alarm says. All values meet the same draws of everything else.
    """
    plans, tried = probe_plans(name, task, probe, settings)
    max_steps = settings.max_steps("evaluate", name)
    controller = policy_controller(trained, "act", task)
    found: Mapping[str, list[Episode]] = defaultdict(list)
    for episode in run_episodes(make, controller, plans, max_steps, settings.params.compute, f"{name}: knobs"):
        found[episode.plan.condition].append(episode)
    units = {knob: known.unit for knob, known in {**task.knobs, **NOISE_KNOBS}.items()}
    return [{**_place(point, units), **_shares(found[key], trained.surprise_threshold)} for key, point in tried.items()]


def probe_plans(
    name: str, task: type[Task], probe: Probe, settings: Settings
) -> tuple[list[Plan], dict[str, Point | None]]:
    """All episodes, and the value that each one's condition stands for; none: as shown."""
    knobs = with_noise(task.knobs, settings.noise(name, "observation"), settings.noise(name, "action"))
    shown = conditions_of(settings, name, "demonstrate")["demonstrate"]
    tried: dict[str, Point | None] = {SHOWN: None}
    for knob in probe.knobs:
        span = shown.get(knob, Range(knobs[knob].default, knobs[knob].default))
        tried |= {f"{knob} {point.value:g}": point for point in points(probe, knob, span, knobs[knob].integer)}
    plans: list[Plan] = []
    for key, point in tried.items():
        moved = {} if point is None else {point.knob: Range(point.value, point.value)}
        spans = {**shown, **moved}
        plans += plan_episodes(
            knobs, spans, probe.episodes, key, settings.evaluation_seed, "alarm", name, first=len(plans)
        )
    return plans, tried


def _place(point: Point | None, units: Mapping[str, str]) -> Row:
    if point is None:
        return {"knob": SHOWN, "unit": "1", "side": SHOWN, "value": None, "distance": 0.0}
    return {**point._asdict(), "unit": units[point.knob]}


def _shares(episodes: Sequence[Episode], surprise: float) -> Row:
    count = len(episodes)
    numbers = {
        "alarmed": sum(bool(one.shift.any()) for one in episodes),
        "surprised": sum(bool((one.scores.surprise > surprise).any()) for one in episodes),
        "failed": sum(one.outcome != "success" for one in episodes),
    }
    row: Row = {"episodes": count}
    for kind, number in numbers.items():
        low, high = wilson(number, count)
        row |= {kind: number / count, f"{kind}_low": low, f"{kind}_high": high}
    return row
