"""An arm that is moved by increments of its joint targets until it stays near a goal."""

from abc import abstractmethod
from math import hypot
from typing import ClassVar

import numpy as np

from stages.core.task import Floats, Knob, Outcome, Task, World, vector
from stages.tasks.kuka.arm import Arm, Vector
from stages.tasks.kuka.dynamics import KNOBS, TORQUES, Delay, Dynamics, physics_steps
from stages.tasks.kuka.kinematics import JOINTS, LIMITS
from stages.tasks.kuka.plausible import beyond_limits, misplaced

ITERATIONS = 20  # of the solver: moves the arm within 1 mrad of the default's 50, at two thirds of the time
START_OFFSET = Knob("rad", 0.0, "largest joint's distance from the rest pose, in a random direction", low=0, high=10)


class IncrementalArm(Task):
    """Action: increments of the joint targets [rad]. Success is to stay near `goal` for a while.

    A recording begins with the joints [rad] and the offset from tool to goal [m].
    """

    action: ClassVar = vector("increment", "rad", JOINTS)
    hidden: ClassVar = frozenset(KNOBS)
    error_unit: ClassVar = "m"
    arrived: ClassVar[float]  # [m] success is to stay this near to the goal ...
    arrived_steps: ClassVar[int]  # ... for so many control steps in a row
    lowest: ClassVar[float]  # [m] above the ground; lower counts as a crash

    goal: Vector  # (3,) [m]

    def __init__(self) -> None:
        # Nothing is touched, so nothing needs a shape.
        self.arm = Arm(TORQUES, without=("visual", "collision"), iterations=ITERATIONS, ground=False)

    @classmethod
    def flaw(cls, recorded: Floats) -> str | None:
        """The arm can be where it is said to be, and the goal stays where it is."""
        joints, offset = recorded[:, :JOINTS], recorded[:, JOINTS : JOINTS + 3]
        return beyond_limits(joints) or misplaced(cls.goals(joints, offset), "joints and offset")

    @staticmethod
    @abstractmethod
    def goals(joints: Floats, offset: Floats) -> Floats:
        """Where the goal is (B, 3) [m], as seen with joints (B, 7) [rad] at that offset (B, 3) [m]."""

    def start(self, world: World, pose: Floats) -> Floats:
        """The first observation, of the arm at rest at a pose (7,) [rad]."""
        self.goal = goal_of(world)
        self.targets = pose
        self.near = 0
        self.delay = Delay(world, np.zeros(JOINTS))
        self.physics_steps = physics_steps(world, self.control_period)
        return self.observe(self.arm.reset(pose.tolist(), Dynamics.of(world, self.control_period)).joints)

    def step(self, action: Floats) -> Floats:
        """One control period with the targets moved by the action, held within the joints' limits."""
        self.targets = np.minimum(LIMITS, np.maximum(-LIMITS, self.targets + self.delay(action)))
        self.arm.command(self.targets.tolist())
        return self.observe(self.arm.advance(self.physics_steps).joints)

    @abstractmethod
    def observe(self, joints: Vector) -> Floats:
        """What is seen (O,) with the joints (7,) [rad] as they are; it judges how far the goal is."""

    def judge(self, offset: Vector, height: float) -> None:
        """Whether the episode has ended, with that offset (3,) [m] left to the goal and that height [m]."""
        self.error = hypot(*offset)
        self.near = self.near + 1 if self.error < self.arrived else 0
        self.outcome: Outcome | None = None
        if height < self.lowest:
            self.outcome = "crash"
        elif self.near > self.arrived_steps:
            self.outcome = "success"

    @staticmethod
    def hold(observations: Floats) -> Floats:
        """Leave the targets where they are."""
        return np.zeros((len(observations), JOINTS))

    def close(self) -> None:
        """End the simulation."""
        self.arm.close()


def goal_of(world: World) -> Vector:
    """The world's goal (3,) [m]."""
    return world["goal_x"], world["goal_y"], world["goal_z"]


def limited(turn: Floats, furthest: float) -> Floats:
    """Joint motions (B, 7) [rad], each shortened as a whole until no joint moves further than that [rad]."""
    fastest = np.abs(turn).max(axis=1, keepdims=True)
    shortened: Floats = turn * np.minimum(1.0, furthest / np.maximum(fastest, 1e-9))
    return shortened
