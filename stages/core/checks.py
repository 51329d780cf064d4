"""What is wrong with parameters though their form is right: names that nothing has, and values that clash."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import asdict

from stages.core.errors import quoted
from stages.core.params import Params, Range, Ranges, RoundSettings, round_entry
from stages.core.policy import Policy
from stages.core.registry import Registry
from stages.core.task import NOISE_KNOBS, Knob, Task

T = TypeVar("T")

# No condition may be called what stands beside the conditions.
_TAKEN = {
    "all": "all conditions together",
    "rows": "the rows of the dataset, in the metrics",
    "cv_error": "the error of the cross-validation, in the metrics",
    "demonstrate": "what is drawn for demonstrations",
    "practice": "what is drawn for practice",
}

PER_TASK = ("demonstrate", "noise", "policy", "train", "shift", "randomization", "practice", "correct", "evaluate")


class Known(NamedTuple):
    """The names that parameters may use."""

    tasks: Registry[Task]
    policies: Registry[Policy]


def problems(params: Params, known: Known) -> Iterator[str]:
    """One line for everything that is wrong: key, what was found, what is allowed."""
    for place, name in enumerate(params.tasks or []):
        if name not in known.tasks:
            yield f"tasks.{place}: found {name}, allowed: {', '.join(known.tasks)}"
        elif name in (params.tasks or [])[:place]:
            yield f"tasks.{place}: found {name} again, allowed: each task once"
    for section in PER_TASK:
        for name in getattr(params, section) or {}:
            if name not in known.tasks:
                yield f"{section}.{name}: found an unknown task, allowed: {', '.join(known.tasks)}"
            elif section in _CHECKS:
                yield from _CHECKS[section](params, name, known)
    yield from _check_rounds(params.rounds or [])
    if params.compute.jobs == 0:
        yield "compute.jobs: found 0, allowed: a number of processes, or -1 for one a core"
    if params.compute.backend == "dask" and not params.compute.scheduler:
        yield "compute.scheduler: found nothing, allowed: such as tcp://host:8786, as compute.backend is dask"


def repeated(names: Sequence[T]) -> T | None:
    """The first that is named again; None where each is named once."""
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def _check_rounds(rounds: Sequence[RoundSettings]) -> Iterator[str]:
    """The first thing in which the rounds are not a chain: whatever follows would be wrong as well."""
    for place, one in enumerate(rounds):
        for key, allowed in asdict(round_entry(place)).items():
            found = getattr(one, key)
            if found != allowed:
                yield f"rounds.{place}.{key}: found {found}, allowed: {allowed}"
                return


def _check_shift(params: Params, name: str, _: Known) -> Iterator[str]:
    one = (params.shift or {})[name]
    # A stage that does not read the threshold need not be given it.
    if one.threshold is None and one.quantile is None:
        yield f"shift.{name}.quantile: found nothing, allowed: a share, as shift.{name}.threshold is null"


def _check_demonstrate(params: Params, name: str, _: Known) -> Iterator[str]:
    one = (params.demonstrate or {})[name]
    if one.episodes == 0 and not one.recordings:
        yield f"demonstrate.{name}.episodes: found 0 and no recordings, allowed: at least 1 of either"
    again = repeated(one.recordings)
    if again is not None:
        yield f"demonstrate.{name}.recordings: found {quoted(again)} again, allowed: each file once"


def _check_policy(params: Params, name: str, known: Known) -> Iterator[str]:
    task = known.tasks[name]
    one = (params.policy or {})[name]
    if one.kind not in known.policies:
        yield f"policy.{name}.kind: found {quoted(one.kind)}, allowed: {', '.join(known.policies)}"
    groups = list(dict.fromkeys(channel.group for channel in task.observation))
    if one.embedding is not None:
        if one.embedding.tells not in groups:
            yield f"policy.{name}.embedding.tells: found {one.embedding.tells}, allowed: {', '.join(groups)}"
        # What is known in training alone cannot be looked at when the policy acts.
        groups = [group for group in groups if group != one.embedding.tells]
        if one.embedding.sees not in groups:
            others = ", ".join(groups) or "none, as the task has no other group"
            yield f"policy.{name}.embedding.sees: found {one.embedding.sees}, allowed: {others}"
        groups.append("embedded")
    for group in one.features:
        if group not in groups:
            yield f"policy.{name}.features.{group}: found an unknown group, allowed: {', '.join(groups)}"


def _check_randomization(params: Params, name: str, known: Known) -> Iterator[str]:
    task = known.tasks[name]
    one = (params.randomization or {})[name]
    purposes = {"demonstrate": one.demonstrate, "practice": one.practice, "common": one.common}
    purposes |= {f"domain.{family}": spans for family, spans in (one.domain or {}).items()}
    purposes |= {f"evaluate.{condition}": spans for condition, spans in (one.evaluate or {}).items()}
    for purpose, spans in purposes.items():
        yield from check_ranges(f"randomization.{name}.{purpose}", spans or {}, task)
    for family in one.randomize or []:
        if family not in (one.domain or {}):
            allowed = ", ".join(one.domain or {}) or "none"
            yield f"randomization.{name}.randomize: found {family}, allowed: {allowed}"
    again = repeated(one.randomize or [])
    if again is not None:
        yield f"randomization.{name}.randomize: found {again} again, allowed: each family once"
    if one.evaluate is not None and not one.evaluate:
        yield f"randomization.{name}.evaluate: found no condition, allowed: at least 1"
    for taken in (condition for condition in one.evaluate or {} if condition in _TAKEN):
        yield f"randomization.{name}.evaluate: found {taken}, allowed: other names, for that one is {_TAKEN[taken]}"


def check_ranges(key: str, spans: Ranges, task: type[Task]) -> Iterator[str]:
    """One line for everything that is wrong with the ranges of a task's knobs; `key` is where they stand."""
    knobs = {**task.knobs, **NOISE_KNOBS}
    for knob, span in spans.items():
        if knob not in knobs:
            yield f"{key}.{knob}: found an unknown knob, allowed: {', '.join(knobs)}"
        elif knobs[knob].integer and not (span.low.is_integer() and span.high.is_integer()):
            yield f"{key}.{knob}: found {span.low} to {span.high}, allowed: whole numbers"
        else:
            yield from _check_bounds(f"{key}.{knob}", span, knobs[knob])


def _check_bounds(key: str, span: Range, knob: Knob) -> Iterator[str]:
    """One line for the first end of a range that is beyond a bound of its knob."""
    for end, value in (("low", span.low), ("high", span.high)):
        if knob.low is not None and value < knob.low:
            yield f"{key}.{end}: found {value}, allowed: at least {knob.low:g}"
            return
        if knob.high is not None and value > knob.high:
            yield f"{key}.{end}: found {value}, allowed: at most {knob.high:g}"
            return


_CHECKS: Mapping[str, Callable[[Params, str, Known], Iterator[str]]] = {
    "demonstrate": _check_demonstrate,
    "policy": _check_policy,
    "randomization": _check_randomization,
    "shift": _check_shift,
}
