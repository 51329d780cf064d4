"""What a task is: the world to act in, its goal and its expert."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
World = Mapping[str, float]
Outcome = Literal["success", "crash", "timeout"]


@dataclass(frozen=True)
class Channel:
    """One component of an observation or action vector: `Channel("joint_3", "rad")`."""

    name: str
    unit: str

    @property
    def group(self) -> str:
        """The name without its number or axis: `joint` of `joint_3`, `offset` of `offset_x`."""
        stem, _, last = self.name.rpartition("_")
        return stem if stem and (last.isdigit() or last in "xyz") else self.name


def vector(group: str, unit: str, size: int | str) -> tuple[Channel, ...]:
    """The channels of a vector, numbered from 1 (`size` a number) or named by axis (`size` "xyz")."""
    labels = size if isinstance(size, str) else [str(number) for number in range(1, size + 1)]
    return tuple(Channel(f"{group}_{label}", unit) for label in labels)


@dataclass(frozen=True)
class Knob:
    """One quantity of a world that may be randomized.

    An `integer` knob is a category: its values are taken in turn, episode by episode, so that each is equally frequent.
    Below `low` or above `high`, in its unit, there is no world: ranges that reach there are refused; None is no bound.
    """

    unit: str
    default: float
    meaning: str
    integer: bool = False
    low: float | None = None
    high: float | None = None


# Every task has these; the defaults of the noises are `noise.<task>` in params.yaml.
NOISE_KNOBS: Mapping[str, Knob] = {
    "observation_noise": Knob("of the channel", 0.0, "half width of the uniform noise on each observed channel", low=0),
    "observation_bias": Knob("of the channel", 0.0, "half width of the constant error of each observed channel", low=0),
    "action_noise": Knob(
        "of the channel", 0.0, "half width of the uniform noise on each executed action channel", low=0
    ),
}


class Task(ABC):
    """One simulated world at a time; B of them advance in lockstep when there are B instances.

    The expert and the responses are static and batched: observations (B, O) -> actions (B, A). Row b of the result
    depends on row b of the argument alone, to the last bit, whatever else is in the batch.
    """

    observation: ClassVar[tuple[Channel, ...]]  # O channels
    action: ClassVar[tuple[Channel, ...]]  # A channels
    knobs: ClassVar[Mapping[str, Knob]]
    control_period: ClassVar[float]  # [s]
    error_unit: ClassVar[str]
    # What a person's recording must hold; the task derives the other observation channels from it.
    recorded: ClassVar[tuple[Channel, ...]]
    detail_units: ClassVar[Mapping[str, str]] = {}  # of what `details` returns
    given_units: ClassVar[Mapping[str, str]] = {}  # of what `given` returns
    hidden: ClassVar[frozenset[str]] = frozenset()  # knobs of which an episode's first observation tells nothing
    simulated: ClassVar[bool] = True  # whether an instance is a simulation, and costs time to make

    outcome: Outcome | None = None  # None while the episode goes on; `reset` decides it anew
    error: float  # left to the goal, after the last step

    @classmethod
    def prepare(cls, demonstrations: Path | None, max_steps: int | None = None) -> "Callable[[], Task]":
        """What makes instances for evaluation and practice; `demonstrations` is the folder of those it may need.

        UserError where it needs them and is given none, or where no episode of `max_steps` could succeed. (Whoever
        demonstrates makes instances of the class itself.)
        """
        del demonstrations, max_steps
        return cls

    @classmethod
    def flaw(cls, recorded: Floats) -> str | None:
        """Why a recording (T, R) is none to learn the task from, as "found X, allowed: Y"; None where it is one."""
        del recorded
        return None

    @classmethod
    def complete(cls, recorded: Floats) -> tuple[Floats, Floats]:
        """Observations (T, O) and actions (T, A) of a recording with the columns `recorded` (T, R)."""
        observed = len(cls.observation)
        return recorded[:, :observed], recorded[:, observed:]

    @abstractmethod
    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The first observation (O,) of an episode in `world`; the same world and generator give the same bits."""

    @abstractmethod
    def step(self, action: Floats) -> Floats:
        """The observation (O,) one control period after the command `action` (A,)."""

    @staticmethod
    @abstractmethod
    def expert(observations: Floats) -> Floats:
        """What the expert does: a pure function of the observations."""

    @staticmethod
    @abstractmethod
    def hold(observations: Floats) -> Floats:
        """The action that does nothing."""

    @staticmethod
    @abstractmethod
    def runaway(observations: Floats) -> Floats:
        """The action of a controller that has lost its head."""

    def final_error(self) -> float:
        """The error of the episode just ended: what is left to the goal, unless the task's goal is a whole path."""
        return self.error

    def details(self) -> dict[str, float]:
        """Further figures of the episode just ended, named in `detail_units`."""
        return {}

    def given(self) -> dict[str, float]:
        """What else defines the episode from `reset` on, named in `given_units`, such as the demonstration it follows.

        (Of that the world has but the number.) Episodes that differ in it are not compared.
        """
        return {}

    def close(self) -> None:  # noqa: B027  # most worlds hold nothing
        """Let go of what the world holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
