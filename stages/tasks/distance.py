"""The lab exercise: one number to bring to zero, by steps that are added to it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from stages.core.task import Channel, Floats, Knob, Outcome, Task, World

ARRIVED = 0.1  # [m] success is a distance below this
LOWEST, HIGHEST = -2.0, 20.0  # [m] beyond these the exercise counts as a crash
RUNAWAY_STEP = 5.0  # [m] the lab's answer where nothing is known
EXPERT_GAIN = 0.2  # [1] share of the distance that the expert covers in a step, about that of the lab's recording
SHORTEST_STEP = 0.05  # [m] the recording's smallest step
TURNED = 0.5  # [1] steps are turned if distances follow the other sign so much nearer


class Distance(Task):
    """Distance to a target [m]; the action is the step [m] added to it."""

    observation: ClassVar = (Channel("distance", "m"),)
    action: ClassVar = (Channel("step", "m"),)
    recorded: ClassVar = observation + action
    knobs: ClassVar[Mapping[str, Knob]] = {"start": Knob("m", 9.8, "distance at the start", low=LOWEST, high=HIGHEST)}
    control_period: ClassVar = 1.0
    error_unit: ClassVar = "m"
    simulated: ClassVar = False

    @classmethod
    def flaw(cls, recorded: Floats) -> str | None:
        """Distances lie within the exercise; the sign of the step is easily mistaken."""
        distance, step = recorded.T
        out = distance[(distance < LOWEST) | (distance > HIGHEST)]
        if len(out):
            return f"found the distance {out[0]:g} m, allowed: {LOWEST:g} to {HIGHEST:g} m"
        # Pairs need not follow one another, but those that do with the other sign are no coincidence.
        forth, back = (np.abs(np.diff(distance) - way * step[:-1]).sum() for way in (1, -1))
        if back < TURNED * forth:
            return "found steps that lead away from the next distance, allowed: distance + step = next distance, about"
        return None

    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The start distance (1,)."""
        del rng
        self.distance = world["start"]
        self._judge()
        return np.array([self.distance])

    def step(self, action: Floats) -> Floats:
        """The distance (1,) after the step."""
        self.distance += float(action[0])
        self._judge()
        return np.array([self.distance])

    def _judge(self) -> None:
        self.error = abs(self.distance)
        self.outcome: Outcome | None = None
        if self.error < ARRIVED:
            self.outcome = "success"
        elif not LOWEST <= self.distance <= HIGHEST:
            self.outcome = "crash"

    @staticmethod
    def expert(observations: Floats) -> Floats:
        """A step towards the target: a fixed share of the distance, but not less than the recording's smallest."""
        size = np.maximum(EXPERT_GAIN * np.abs(observations), np.minimum(np.abs(observations), SHORTEST_STEP))
        return -np.sign(observations) * size

    @staticmethod
    def hold(observations: Floats) -> Floats:
        """No step."""
        return np.zeros_like(observations)

    @staticmethod
    def runaway(observations: Floats) -> Floats:
        """The lab's step away from everything."""
        return np.full_like(observations, RUNAWAY_STEP)
