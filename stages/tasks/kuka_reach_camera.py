"""The arm brings its fingertip to a ball that it sees in a small picture and is not told of."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from stages.core.task import Floats, Knob, World, vector
from stages.tasks.kuka.arm import Vector
from stages.tasks.kuka.dynamics import KNOBS, PHYSICS_STEP
from stages.tasks.kuka.finger import FINGER, fingertip, tip_motion
from stages.tasks.kuka.incremental import START_OFFSET, IncrementalArm, goal_of, limited
from stages.tasks.kuka.kinematics import JOINTS, tool_and_jacobian
from stages.tasks.kuka.look import LOOK
from stages.tasks.kuka.pointing import pointing_down
from stages.tasks.kuka.scene import Scene
from stages.tasks.kuka.sight import COLOUR_CHANNELS, PIXEL_CHANNELS, colours, pixels

REST = np.array(pointing_down((0.55, 0.0, 0.5, 0.0), FINGER))  # [rad] the finger in front of the arm, pointing down
CONTROL_PERIOD = 24 * PHYSICS_STEP  # [s] 10 Hz, with a picture each
ARRIVED = 0.02  # [m] success is to stay this near to the goal ...
ARRIVED_STEPS = 5  # ... for so many control steps in a row
LOWEST_TIP = 0.01  # [m] above the ground; lower counts as a crash
TIP_SPEED = 0.4  # [m/s] of the expert
TURN_SPEED = 1.0  # [rad/s] of the expert
JOINT_SPEED = 1.2  # [rad/s] of the expert
GAIN = 0.5  # [1] share of the remaining way that the expert covers in a control step
_GOAL = slice(JOINTS, JOINTS + 3)


class KukaReachCamera(IncrementalArm):
    """Observed: joints [rad] and a camera's picture. Action: increments of the joint targets [rad].

    The camera is fixed to the hand and looks past the finger, whose sleeve is coloured. `colour` is where strong
    colours are in the picture, `pixel` the picture itself, coarsely (`stages/tasks/kuka/sight.py`). `offset`, from
    fingertip to goal as seen from the hand, is for the expert alone: it is recorded, so that a policy's embedding can
    be fitted to it, and a policy that is to see for itself must not have it among its features.
    """

    observation: ClassVar = (
        *vector("joint", "rad", JOINTS),
        *vector("offset", "m", "xyz"),
        *vector("colour", "1", COLOUR_CHANNELS),
        *vector("pixel", "1", PIXEL_CHANNELS),
    )
    recorded: ClassVar = observation + IncrementalArm.action
    knobs: ClassVar[Mapping[str, Knob]] = {
        "goal_x": Knob("m", 0.55, "goal, in front of the arm", low=-10, high=10),
        "goal_y": Knob("m", 0.0, "goal, to its left", low=-10, high=10),
        "goal_z": Knob("m", 0.2, "goal, above the ground", low=-10, high=10),
        "start_offset": START_OFFSET,
        **LOOK,
        **KNOBS,
    }
    control_period: ClassVar = CONTROL_PERIOD
    arrived, arrived_steps, lowest = ARRIVED, ARRIVED_STEPS, LOWEST_TIP

    def __init__(self) -> None:
        # The arm that moves and the scene that is drawn are two simulations: what is drawn cannot touch.
        super().__init__()
        self.scene = Scene()

    @staticmethod
    def goals(joints: Floats, offset: Floats) -> Floats:
        """At the offset from the fingertip, which is as seen from the hand."""
        position, rotation, _ = tool_and_jacobian(joints)
        return fingertip(position, rotation) + (rotation @ offset[:, :, None])[:, :, 0]

    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The arm at rest near its rest pose, the ball somewhere below the finger."""
        self.scene.reset(world, goal_of(world))
        direction = rng.uniform(-1, 1, JOINTS)
        return self.start(world, REST + world["start_offset"] * direction / np.abs(direction).max())

    def observe(self, joints: Vector) -> Floats:
        """The joints, the way from fingertip to goal, and what is made of the picture."""
        position, rotation, _ = tool_and_jacobian(np.array([joints]))
        tip = fingertip(position, rotation)[0]
        offset = (self.goal - tip) @ rotation[0]
        self.judge(offset, tip[2])
        self.picture = self.scene.picture(joints, position[0], rotation[0])
        return np.concatenate([joints, offset, colours(self.picture), pixels(self.picture)])

    @staticmethod
    def expert(observations: Floats) -> Floats:
        """Straight to the goal, slower near it, the hand turned down on the way, within the limits of speed."""
        joints, offset = observations[:, :JOINTS], observations[:, _GOAL]
        period = KukaReachCamera.control_period
        distance = np.sqrt(np.sum(offset**2, axis=1, keepdims=True))
        way = offset * np.minimum(GAIN, TIP_SPEED * period / np.maximum(distance, 1e-9))
        turn = tip_motion(joints, way, GAIN, TURN_SPEED * period)
        return limited(turn, JOINT_SPEED * period)

    @staticmethod
    def runaway(observations: Floats) -> Floats:
        """Every joint forward at the expert's top speed."""
        return np.full((len(observations), JOINTS), JOINT_SPEED * KukaReachCamera.control_period)

    def close(self) -> None:
        """End both simulations."""
        super().close()
        self.scene.close()
