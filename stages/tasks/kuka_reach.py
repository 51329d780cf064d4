"""The arm brings its tool to a goal in space."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from stages.core.errors import UserError
from stages.core.task import Floats, Knob, World, vector
from stages.tasks.kuka.arm import Vector
from stages.tasks.kuka.dynamics import KNOBS, PHYSICS_STEP
from stages.tasks.kuka.incremental import START_OFFSET, IncrementalArm, limited
from stages.tasks.kuka.kinematics import JOINTS, LIMITS, joint_motion, tool_and_jacobian

REST = np.array([0.0, 0.45, 0.0, -1.45, 0.0, 1.25, 0.0])  # [rad] tool in front of the arm, pointing down
CONTROL_PERIOD = 8 * PHYSICS_STEP  # [s] 30 Hz
ARRIVED = 0.01  # [m] success is to stay this near to the goal ...
ARRIVED_STEPS = 10  # ... for so many control steps in a row
LOWEST_TOOL = 0.05  # [m] above the ground; lower counts as a crash
LOWEST_START = 0.15  # [m] above the ground; an episode starts no lower
TOOL_SPEED = 0.5  # [m/s] of the expert
JOINT_SPEED = 1.2  # [rad/s] of the expert
GAIN = 0.25  # [1] share of the remaining way that the expert covers in a control step
DAMPING = 0.05  # [m/rad]
_DRAWS = 10_000  # of a start pose, before none is thought to be there


class KukaReach(IncrementalArm):
    """Observed: joints [rad] and the offset from tool to goal [m]. Action: increments of the joint targets [rad]."""

    observation: ClassVar = (*vector("joint", "rad", JOINTS), *vector("offset", "m", "xyz"))
    recorded: ClassVar = observation + IncrementalArm.action
    knobs: ClassVar[Mapping[str, Knob]] = {
        "goal_x": Knob("m", 0.5, "goal, in front of the arm", low=-10, high=10),
        "goal_y": Knob("m", 0.0, "goal, to its left", low=-10, high=10),
        "goal_z": Knob("m", 0.4, "goal, above the ground", low=-10, high=10),
        "start_offset": START_OFFSET,
        **KNOBS,
    }
    control_period: ClassVar = CONTROL_PERIOD
    arrived, arrived_steps, lowest = ARRIVED, ARRIVED_STEPS, LOWEST_TOOL

    @staticmethod
    def goals(joints: Floats, offset: Floats) -> Floats:
        """At the offset from the tool."""
        return tool_and_jacobian(joints)[0] + offset

    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The arm at rest near its rest pose."""
        return self.start(world, start_pose(world["start_offset"], rng))

    def observe(self, joints: Vector) -> Floats:
        """The joints, and the way from the tool to the goal."""
        tool = self.arm.tool()
        offset = [goal - here for goal, here in zip(self.goal, tool, strict=True)]
        self.judge(offset, tool[2])
        return np.array([*joints, *offset])

    @staticmethod
    def expert(observations: Floats) -> Floats:
        """Straight to the goal, slower near it, within the limits of tool and joint speed."""
        joints, offset = observations[:, :JOINTS], observations[:, JOINTS:]
        period = KukaReach.control_period
        distance = np.sqrt(np.sum(offset**2, axis=1, keepdims=True))
        motion = offset * np.minimum(GAIN, TOOL_SPEED * period / np.maximum(distance, 1e-9))
        turn = joint_motion(tool_and_jacobian(joints)[2][:, :3], motion, DAMPING)
        return limited(turn, JOINT_SPEED * period)

    @staticmethod
    def runaway(observations: Floats) -> Floats:
        """Every joint forward at the expert's top speed."""
        return np.full((len(observations), JOINTS), JOINT_SPEED * KukaReach.control_period)


def start_pose(offset: float, rng: "np.random.Generator") -> Floats:
    """A pose (7,) [rad] with its largest joint `offset` from the rest pose; drawn until the tool is above ground.

    UserError for an offset at which next to none of the directions leads to a pose within the joints' limits.
    """
    for _ in range(_DRAWS):
        direction = rng.uniform(-1, 1, JOINTS)
        pose: Floats = REST + offset * direction / np.abs(direction).max()
        if tool_and_jacobian(pose[None])[0][0, 2] > LOWEST_START and (np.abs(pose) < LIMITS).all():
            return pose
    raise UserError(f"start_offset: found {offset:g}, allowed: less ({_DRAWS:,} poses drawn were all out of reach)")
