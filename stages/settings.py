"""Reads `params.yaml` and checks it as a whole: its form, and its names against the tasks and policies there are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
import re
from typing import Literal, TypeVar

from pydantic import ValidationError
import yaml

from stages.core import validation
from stages.core.errors import UserError
from stages.core.parallel import Compute
from stages.core.params import Params, Ranges, RoundSettings
from stages.core.policy import Response
from stages.core.task import NOISE_KNOBS, Task
from stages.core.worlds import Range
from stages.policies import POLICIES
from stages.tasks import TASKS, find_task

PER_TASK = ("demonstrate", "noise", "policy", "train", "shift", "randomization", "practice", "correct", "evaluate")

T = TypeVar("T")


class Settings:
    """The parameters, whose getters say which key is missing."""

    def __init__(self, path: Path, params: Params) -> None:
        self.path, self.params = path, params

    def get(self, value: T | None, key: str) -> T:
        """The value at that key; UserError where the file lacks it."""
        if value is None:
            raise UserError(f"{self.path}: {key}: found nothing, allowed: a value")
        return value

    def of(self, section: Mapping[str, T] | None, key: str, task: str) -> T:
        """A task's part of a section; UserError where the file lacks it."""
        return self.get((section or {}).get(task), f"{key}.{task}")

    def noise(self, task: str, kind: Literal["observation", "action", "demonstration"]) -> float:
        """A task's level of noise of that kind."""
        levels = self.of(self.params.noise, "noise", task)
        level: float | None = getattr(levels, kind)
        return self.get(level, f"noise.{task}.{kind}")

    def response(self, task: str) -> Response:
        """What a task's policy does where it is out of its depth."""
        return self.get(self.of(self.params.shift, "shift", task).response, f"shift.{task}.response")

    @property
    def seed(self) -> int:
        """The seed that all randomness derives from."""
        return self.get(self.params.seed, "seed")


def load_settings(path: Path) -> Settings:
    """The parameters in the file at `path`; UserError with one line for everything that is wrong in it."""
    try:
        content = _Loader(path.read_text(encoding="utf-8")).get_single_data()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise _wrong(path, validation.lines(error)) from None
    problems = list(_problems(params))
    if problems:
        raise _wrong(path, problems)
    return Settings(path, params)


class _Loader(yaml.SafeLoader):
    """Reads 1e-05, as DVC writes small numbers, as a number."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), [*"-+0123456789"])


def _wrong(path: Path, problems: list[str]) -> UserError:
    return UserError("\nerror: ".join(f"{path}: {problem}" for problem in problems))


def compute(settings: Settings) -> Compute:
    """How the work is spread."""
    wanted = settings.params.compute
    return Compute(wanted.jobs, wanted.backend, wanted.lockstep)


def ranges(settings: Ranges) -> dict[str, Range]:
    """Ranges of knobs as the pure functions take them."""
    return {knob: Range(span.low, span.high) for knob, span in settings.items()}


def _problems(params: Params) -> Iterator[str]:
    """What is wrong though its form is right."""
    for place, name in enumerate(params.tasks or []):
        if name not in TASKS:
            yield f"tasks.{place}: found {name}, allowed: {', '.join(TASKS)}"
        elif name in (params.tasks or [])[:place]:
            yield f"tasks.{place}: found {name} again, allowed: each task once"
    for section in PER_TASK:
        for name in getattr(params, section) or {}:
            if name not in TASKS:
                yield f"{section}.{name}: found an unknown task, allowed: {', '.join(TASKS)}"
            elif section in _CHECKS:
                yield from _CHECKS[section](params, name)
    yield from _check_rounds(params.rounds or [])


def round_entry(number: int) -> RoundSettings:
    """What `rounds` holds for that round: its dataset is the one before plus the corrections asked for there."""
    rows, more = "demonstrations/steps.parquet", "demonstrations/episodes.parquet"
    if number:
        rows, more = f"round_{number - 1}/dataset.parquet", f"round_{number - 1}/corrections.parquet"
    return RoundSettings(name=f"round_{number}", rows=rows, more=more)


def _check_rounds(rounds: Sequence[RoundSettings]) -> Iterator[str]:
    """The first thing in which the rounds are not a chain: whatever follows would be wrong as well."""
    for place, one in enumerate(rounds):
        for key, allowed in round_entry(place).model_dump().items():
            found = getattr(one, key)
            if found != allowed:
                yield f"rounds.{place}.{key}: found {found}, allowed: {allowed}"
                return


def _check_shift(params: Params, name: str) -> Iterator[str]:
    one = (params.shift or {})[name]
    # A stage that does not read the threshold need not be given it.
    if "threshold" in one.model_fields_set and one.threshold is None and one.quantile is None:
        yield f"shift.{name}.quantile: found nothing, allowed: a share, as shift.{name}.threshold is null"


def _check_demonstrate(params: Params, name: str) -> Iterator[str]:
    one = (params.demonstrate or {})[name]
    if one.episodes == 0 and not one.recordings:
        yield f"demonstrate.{name}.episodes: found 0 and no recordings, allowed: at least 1 of either"


def _check_policy(params: Params, name: str) -> Iterator[str]:
    task = find_task(name)
    one = (params.policy or {})[name]
    if one.kind not in POLICIES:
        yield f"policy.{name}.kind: found {one.kind}, allowed: {', '.join(POLICIES)}"
    groups = list(dict.fromkeys(channel.group for channel in task.observation))
    for group in one.features:
        if group not in groups:
            yield f"policy.{name}.features.{group}: found an unknown group, allowed: {', '.join(groups)}"


def _check_randomization(params: Params, name: str) -> Iterator[str]:
    task = find_task(name)
    one = (params.randomization or {})[name]
    purposes = {"demonstrate": one.demonstrate, "practice": one.practice}
    purposes |= {f"evaluate.{condition}": spans for condition, spans in (one.evaluate or {}).items()}
    for purpose, spans in purposes.items():
        yield from _check_ranges(f"randomization.{name}.{purpose}", spans or {}, task)
    if one.evaluate is not None and not one.evaluate:
        yield f"randomization.{name}.evaluate: found no condition, allowed: at least 1"


def _check_ranges(key: str, spans: Ranges, task: type[Task]) -> Iterator[str]:
    knobs = {**task.knobs, **NOISE_KNOBS}
    for knob, span in spans.items():
        if knob not in knobs:
            yield f"{key}.{knob}: found an unknown knob, allowed: {', '.join(knobs)}"
        elif knobs[knob].integer and not (span.low.is_integer() and span.high.is_integer()):
            yield f"{key}.{knob}: found {span.low} to {span.high}, allowed: whole numbers"
        elif knob in NOISE_KNOBS and span.low < 0:
            yield f"{key}.{knob}.low: found {span.low}, allowed: at least 0"


_CHECKS = {
    "demonstrate": _check_demonstrate,
    "policy": _check_policy,
    "randomization": _check_randomization,
    "shift": _check_shift,
}
