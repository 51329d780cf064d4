"""Reads `params.yaml` and checks it as a whole: its form, and its names against the tasks and policies there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from stages.core.checks import Known, problems
from stages.core.errors import UserError
from stages.core.params import EpisodesSettings, Params, read_params, wrong
from stages.core.policy import Policy, Response
from stages.core.registry import Registry
from stages.core.task import Task

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

    def episodes(self, purpose: Literal["practice", "evaluate"], task: str) -> int:
        """How many of them a task has, of practice or of each condition."""
        return self.get(self._acting(purpose, task).episodes, f"{purpose}.{task}.episodes")

    def max_steps(self, purpose: Literal["practice", "evaluate"], task: str) -> int:
        """How many steps an episode of a task may take."""
        return self.get(self._acting(purpose, task).max_steps, f"{purpose}.{task}.max_steps")

    def _acting(self, purpose: str, task: str) -> EpisodesSettings:
        section: Mapping[str, EpisodesSettings] | None = getattr(self.params, purpose)
        return self.of(section, purpose, task)

    @property
    def seed(self) -> int:
        """The seed that all randomness derives from but that of the worlds of evaluation."""
        return self.get(self.params.seed, "seed")

    @property
    def evaluation_seed(self) -> int:
        """The seed of the worlds of evaluation: the same for every training seed."""
        return self.get(self.params.evaluation_seed, "evaluation_seed")


def load_settings(path: Path, tasks: Registry[Task], policies: Registry[Policy]) -> Settings:
    """The parameters in the file at `path`; UserError with one line for everything that is wrong in it."""
    params = read_params(path)
    found = list(problems(params, Known(tasks, policies)))
    if found:
        raise wrong(path, found)
    return Settings(path, params)
