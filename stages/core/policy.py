"""What a policy is, how it is stored, and what it does where it is out of its depth."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args
import zipfile

import numpy as np
from numpy.typing import NDArray

from stages.core.episode import Controller, Decision, Recollection, Steps
from stages.core.errors import UserError, quoted
from stages.core.files import check_file, replacing
from stages.core.params import PolicySettings
from stages.core.promises import expert_actions, observed
from stages.core.task import Channel, Floats, Task

Response = Literal["act", "hold", "runaway", "ask"]
Arrays = Mapping[str, NDArray[Any]]


class Answer(NamedTuple):
    """What a policy says to B observations."""

    actions: Floats  # (B, A)
    recollection: Recollection

    @property
    def novelty(self) -> Floats:
        """The score (B,) that the alarm goes by."""
        return self.recollection.novelty


class Votes(NamedTuple):
    """Which known rows B answers were made of, by distance and then by row."""

    rows: NDArray[np.int64]  # (B, k) places in the dataset
    distances: Floats  # (B, k)
    weights: Floats  # (B, k) all zero where the policy does not answer by rows


class Policy(ABC):
    """A controller that was learned. Row b of an answer depends on row b of the question alone, to the last bit."""

    by_neighbors: ClassVar[bool] = True  # whether their number decides what it does

    @classmethod
    @abstractmethod
    def fit(cls, steps: Steps, settings: PolicySettings, observation: Sequence[Channel]) -> Self:
        """Learn from expert steps. Raises UserError for settings that do not fit them."""

    @abstractmethod
    def act(self, observations: Floats) -> Answer:
        """Actions for observations (B, O), and how far these are from what is known."""

    def act_by(self, observations: Floats, counts: Sequence[int]) -> list[Floats]:
        """The actions (B, A) it would answer with if it looked at so many neighbours, for each count up to its own.

        A kind that does not act by neighbours answers the same whatever their number.
        """
        return [self.act(observations).actions] * len(counts)

    @abstractmethod
    def votes(self, observations: Floats) -> Votes:
        """Whose actions the answers to observations (B, O) are the mean of, by weight; it may be cut to their range."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything the policy knows, as arrays without objects."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The policy that `arrays` came from. Raises ValueError or KeyError where they do not belong together."""


@dataclass(frozen=True)
class Trained:
    """A policy, the novelty from which on an observation counts as shifted, and the surprise that is as rare."""

    task: str
    kind: str
    policy: Policy
    threshold: float
    surprise_threshold: float = np.inf  # where it was not calibrated, nothing is above it


def save_policy(path: Path, trained: Trained) -> None:
    """Write the policy as `.npz`, whole or not at all; the zip's checksums notice every flipped bit."""
    header = {
        "task": np.array(trained.task),
        "kind": np.array(trained.kind),
        "threshold": np.array(trained.threshold),
        "surprise_threshold": np.array(trained.surprise_threshold),
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **header, **trained.policy.arrays())


def load_policy(path: Path, task: str, kinds: Mapping[str, type[Policy]]) -> Trained:
    """The policy at `path`; UserError where it is missing, damaged, of another task or of an unknown kind."""
    check_file(path)
    try:
        arrays = _read_arrays(path)
        found, kind = str(arrays["task"]), str(arrays["kind"])
        threshold, surprise = float(arrays["threshold"]), float(arrays["surprise_threshold"])
        if not 0 <= threshold < np.inf:
            raise ValueError(f"its threshold is {threshold}")
        if not surprise >= 0:
            raise ValueError(f"its threshold of surprise is {surprise}")
    except Exception as error:  # on damaged bytes zipfile and numpy raise nearly anything
        raise UserError(f"{path}: not a whole policy file ({quoted(repr(error))})") from None
    if found != task:
        raise UserError(f"{path}: trained for task {quoted(found)}, needed for task {task}")
    if kind not in kinds:
        raise UserError(f"{path}: found a policy of kind {quoted(kind)}, allowed: {', '.join(kinds)}")
    try:
        return Trained(task, kind, kinds[kind].from_arrays(arrays), threshold, surprise)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a policy of kind {kind} ({quoted(repr(error))})") from None


def _read_arrays(path: Path) -> Arrays:
    # numpy stops at the end of an array as its header has it: only reading to the end compares the checksum.
    with zipfile.ZipFile(path) as whole:
        if any(one.compress_type != zipfile.ZIP_STORED for one in whole.infolist()):
            raise ValueError("it is compressed, as no policy is, and could be of any size")
        damaged = whole.testzip()
    if damaged is not None:
        raise ValueError(f"{damaged} is damaged")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def check_answers(trained: Trained, task: type[Task]) -> None:
    """UserError where the policy does not answer the task's observations with its actions: its file is not whole."""
    try:
        answered = trained.policy.act(np.zeros((1, len(task.observation)))).actions.shape
    except (ValueError, IndexError, np.linalg.LinAlgError) as error:
        raise UserError(f"policy: found one that does not fit task {trained.task} ({quoted(repr(error))})") from None
    if answered != (1, len(task.action)):
        raise UserError(f"policy: found {answered[-1]} action channels, allowed: {len(task.action)} ({trained.task})")


def _asked(task: type[Task], observations: Floats) -> Floats:
    return expert_actions(task, task.expert(observations), len(observations))


def policy_controller(trained: Trained, response: Response, task: type[Task]) -> Controller:
    """The policy as a controller: where novelty is above the threshold, the response replaces its action.

    To hold and to run away are executed as they are: noise is that of commands, and these stand for a stop and for a
    fault. The expert that is asked commands as the policy does, so its actions are as noisy. UserError for another
    response; the controller raises it for observations that are not the task's (B, O), or not numbers: of these no
    novelty could warn.
    """
    if response not in get_args(Response):
        raise UserError(f"response: found {quoted(response)}, allowed: {', '.join(get_args(Response))}")
    check_answers(trained, task)
    responses: dict[str, Callable[[Floats], Floats]]
    responses = {"hold": task.hold, "runaway": task.runaway, "ask": partial(_asked, task)}
    respond = responses.get(response)

    def act(observations: Floats) -> Decision:
        actions, recollection = trained.policy.act(observed(task, observations))
        shift = recollection.novelty > trained.threshold
        never = np.zeros_like(shift)
        if respond is None:
            return Decision(actions, shift, never, never, recollection)
        final, asked = (never, shift) if response == "ask" else (shift, never)
        responded = np.where(shift[:, None], respond(observations), actions)
        return Decision(responded, shift, final, asked, recollection)

    return act
