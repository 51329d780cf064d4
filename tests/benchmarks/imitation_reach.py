"""The reach task and its expert as the `imitation` library takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy
import torch

from stages.core.streams import stream
from stages.tasks.kuka_reach import CONTROL_PERIOD, JOINT_SPEED, KukaReach
from tests.benchmarks.plain_reach import PlainReach

FURTHEST = JOINT_SPEED * CONTROL_PERIOD  # [rad] a joint moves in a control step, at most
Plan = Mapping[str, Any]


class Worlds:
    """The episodes that the environments draw next, in turn."""

    def give(self, plans: Sequence[Plan], max_steps: int) -> None:
        """From now on these; a library that resets more often than there are plans begins anew."""
        self.plans, self.max_steps, self.drawn = plans, max_steps, 0

    def draw(self) -> Plan:
        """The next one."""
        self.drawn += 1
        return self.plans[(self.drawn - 1) % len(self.plans)]


class Reaching(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """The task as the library sees it: it observes what our policies observe and commands increments of the joints."""

    def __init__(self, worlds: Worlds, unit: float, lengths: NDArray[np.float32], plain: bool) -> None:
        self.worlds, self.unit, self.lengths = worlds, unit, lengths
        self.task = PlainReach() if plain else KukaReach()
        seen = np.full(len(KukaReach.observation), np.inf, dtype=np.float32)
        most = np.full(len(KukaReach.action), FURTHEST / unit, dtype=np.float32)
        self.observation_space = gymnasium.spaces.Box(-seen, seen)
        self.action_space = gymnasium.spaces.Box(-most, most)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The first observation in the next world."""
        self.plan, self.frame = self.worlds.draw(), 0
        noise = stream(self.plan["seed"], "action_noise").uniform(-1, 1, (self.worlds.max_steps, len(KukaReach.action)))
        self.noise = self.plan["world"]["action_noise"] * noise
        return self.seen(self.task.reset(self.plan["world"], stream(self.plan["seed"], "reset"))), {}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One control step; the noise of the world is added to the command, not to what is learned."""
        true = self.task.step(self.unit * action.astype(np.float64) + self.noise[self.frame])
        self.frame += 1
        ended, late = self.task.outcome is not None, self.frame == self.worlds.max_steps
        told = {"plan": self.plan["index"], "reached": self.task.outcome == "success"} if ended or late else {}
        return self.seen(true), -self.task.error, ended, late, told

    def seen(self, observation: NDArray[np.float64]) -> NDArray[np.float32]:
        """In the units of the library's policy."""
        return (observation / self.lengths).astype(np.float32)


class Expert(BasePolicy):
    """Our expert as one of the library's policies; all its environments are answered at once."""

    def __init__(self, environment: Reaching) -> None:
        super().__init__(environment.observation_space, environment.action_space)
        self.unit, self.lengths = environment.unit, environment.lengths

    def _predict(self, observation: torch.Tensor, deterministic: bool = False) -> torch.Tensor:
        return torch.as_tensor(KukaReach.expert(observation.double().numpy() * self.lengths) / self.unit)
