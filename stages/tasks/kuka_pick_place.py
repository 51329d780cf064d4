"""The arm picks a cube up by friction between two fingers and places it on a target."""

from collections.abc import Mapping
from math import atan2, cos, hypot, pi, sin, sqrt
from typing import ClassVar

import numpy as np

from stages.core.task import Channel, Floats, Knob, Outcome, Task, World, vector
from stages.tasks.kuka.arm import Vector
from stages.tasks.kuka.bench import TABLE_FRICTION, Bench, BenchDynamics, State
from stages.tasks.kuka.dynamics import KNOBS, PHYSICS_STEP, Delay, physics_steps
from stages.tasks.kuka.gripper import OPEN, TCP
from stages.tasks.kuka.kinematics import JOINTS, LIMITS, tool_and_jacobian
from stages.tasks.kuka.placing import Seen, place
from stages.tasks.kuka.plausible import beyond_limits, misplaced
from stages.tasks.kuka.pointing import pointing_down

CONTROL_PERIOD = 8 * PHYSICS_STEP  # [s] 30 Hz
REST = (0.6, 0.0)  # [m] where the tool starts, seen from above
FINGER_STEP = 0.005  # [m] that a finger's target moves in a control step
MOTION_LIMIT = 0.03  # [m] of a commanded displacement, along each axis
TURN_LIMIT = 0.15  # [rad] of a commanded turn
LEASH = 0.04  # [m] that the commanded tool may be ahead of the measured one, along each axis
PLACED = 0.02  # [m] success: the cube lies within this distance of the target ...
AT_REST = 0.01  # [m/s] ... no faster than this, out of touch of the open gripper ...
PLACED_STEPS = 3  # ... in so many observations in a row
NEAREST, FARTHEST = 0.4, 0.8  # [m] from the arm's axis; a tool or cube elsewhere counts as a crash
HIGHEST = 0.45  # [m] of the tool above the table; higher counts as a crash
SUNK = -0.01  # [m] of the cube's underside; lower, it has fallen
FORCE_BOUND = 200.0  # [N] at one contact of the gripper; more counts as a crash
_CUBE = 40  # [mm] edge, where a world has no other
_DYNAMICS = BenchDynamics()


class KukaPickPlace(Task):
    """Observed: joints, and where cube, target and gripper are as seen from each other. Action: how the tool moves.

    The tool points down. `grasp` leads from it to the cube, `carry` from the cube to its target, `height` is that of
    the cube's underside above the table, `yaw` that of the cube seen from the gripper: a square looks the same after a
    quarter turn. `grip` closes the gripper where it is more than a half. Displacements move the commanded tool, not the
    measured one: latency and weak motors then delay it, but leave nothing of the way.
    """

    observation: ClassVar = (
        *vector("joint", "rad", JOINTS),
        *vector("grasp", "m", "xyz"),
        *vector("carry", "m", "xy"),
        Channel("height", "m"),
        Channel("opening", "m"),
        Channel("last_grip", "1"),
        Channel("yaw", "rad"),
    )
    action: ClassVar = (*vector("motion", "m", "xyz"), Channel("turn", "rad"), Channel("grip", "1"))
    recorded: ClassVar = observation + action
    knobs: ClassVar[Mapping[str, Knob]] = {
        "cube_x": Knob("m", 0.6, "cube, in front of the arm", low=-10, high=10),
        "cube_y": Knob("m", -0.15, "cube, to the arm's left", low=-10, high=10),
        "cube_yaw": Knob("rad", 0.0, "cube, turned to the left"),
        "target_x": Knob("m", 0.6, "target, in front of the arm", low=-10, high=10),
        "target_y": Knob("m", 0.15, "target, to the arm's left", low=-10, high=10),
        "start_offset": Knob("m", 0.0, "tool, sideways from its rest place, in a random direction", low=0, high=10),
        "start_height": Knob("m", 0.15, "tool, above the table", low=0, high=10),
        "start_yaw": Knob("rad", 0.0, "gripper, turned to the left"),
        "start_grip": Knob("1", 0.0, "gripper, open (0) or closed on nothing (1)", integer=True, low=0, high=1),
        "push": Knob("m", 0.0, "how far the cube slides when it is pushed, in a random direction", low=0, high=10),
        "push_time": Knob("s", 0.4, "when the cube is pushed, if it is not held by then", low=0),
        "cube_mass": Knob("kg", _DYNAMICS.cube_mass, "cube", low=0.001, high=1000),
        "cube_size": Knob(
            "m",
            _CUBE / 1000,
            "cube's edge, rounded to 2 mm, as each size has a simulation of its own",
            low=0.002,
            high=1,
        ),
        "friction": Knob("1", _DYNAMICS.friction, "of the cube on table and fingers", low=0, high=100),
        "finger_friction": Knob("1", _DYNAMICS.finger_friction, "of the fingers, times the cube's", low=0, high=100),
        "grip_force": Knob("N", _DYNAMICS.grip_force, "limit of each finger", low=0, high=10_000),
        **KNOBS,
    }
    hidden: ClassVar = frozenset({"push", "push_time", *BenchDynamics.__dataclass_fields__, *KNOBS})
    control_period: ClassVar = CONTROL_PERIOD
    error_unit: ClassVar = "m"

    def __init__(self) -> None:
        self.benches: dict[int, Bench] = {}  # by the cube's edge [mm]
        self._bench(_CUBE)  # most worlds need it

    @classmethod
    def flaw(cls, recorded: Floats) -> str | None:
        """The arm can be where it is said to be, and the target stays where it is."""
        joints, seen = recorded[:, :JOINTS], recorded[:, JOINTS : JOINTS + 6]
        return beyond_limits(joints) or misplaced(_targets(joints, seen), "joints, grasp, carry and height")

    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The tool at rest over the table, the cube on it."""
        start, self.push_direction = (rng.uniform(0, 2 * pi) for _ in range(2))
        offset = world["start_offset"]
        x, y = REST[0] + offset * cos(start), REST[1] + offset * sin(start)
        self.goal = (x, y, world["start_height"], world["start_yaw"])
        self.grip = world["start_grip"]
        self.finger = 0.0 if self.grip else OPEN
        self.bench = self._bench(2 * round(world["cube_size"] * 500))
        self.target = (world["target_x"], world["target_y"])
        self.world = world
        self.delay = Delay(world, np.array([0.0, 0.0, 0.0, 0.0, self.grip]))
        self.frame = self.near = 0
        self.physics_steps = physics_steps(world, self.control_period)
        dynamics = BenchDynamics.of(world, self.control_period)
        joints = pointing_down(self.goal, TCP)
        cube = (world["cube_x"], world["cube_y"])
        return self._observe(self.bench.reset(joints, self.finger, cube, world["cube_yaw"], dynamics))

    def _bench(self, size: int) -> Bench:
        """The simulation with a cube of that size [mm]."""
        if size not in self.benches:
            self.benches[size] = Bench(size / 1000)
        return self.benches[size]

    def step(self, action: Floats) -> Floats:
        """One control period with the commanded tool moved by the action."""
        self.grip = float(action[-1] > 0.5)
        self._command(self.delay(action).tolist())
        self.frame += 1
        # The first step is frame 1: an earlier push comes with it.
        if self.world["push"] > 0 and self.frame == max(1, round(self.world["push_time"] / self.control_period)):
            self._push()
        return self._observe(self.bench.advance(self.physics_steps))

    def _command(self, action: list[float]) -> None:
        """Move the commanded tool and fingers, no farther ahead of the measured tool than the leash."""
        (x, y, z, yaw), (here_x, here_y, here_z) = self.goal, self.tool
        self.goal = (
            _within(x + _within(action[0], 0.0, MOTION_LIMIT), here_x, LEASH),
            _within(y + _within(action[1], 0.0, MOTION_LIMIT), here_y, LEASH),
            _within(z + _within(action[2], 0.0, MOTION_LIMIT), here_z, LEASH),
            yaw + _within(action[3], 0.0, TURN_LIMIT),
        )
        if action[4] > 0.5:
            self.finger = max(0.0, self.finger - FINGER_STEP)
        else:
            self.finger = min(OPEN, self.finger + FINGER_STEP)
        self.bench.command(pointing_down(self.goal, TCP), self.finger)

    def _push(self) -> None:
        """Let the cube slide, unless it is held: at v^2 = 2 mu g d it comes to rest after the way d."""
        if self.grip:
            return
        deceleration = self.world["friction"] * TABLE_FRICTION * self.world["gravity"]
        speed = sqrt(2 * deceleration * self.world["push"])
        self.bench.push((speed * cos(self.push_direction), speed * sin(self.push_direction), 0.0))

    def _observe(self, state: State) -> Floats:
        (x, y, z), (qx, qy, qz, qw) = state.tool, state.attitude
        x += TCP * (2 * (qx * qz + qw * qy))
        y += TCP * (2 * (qy * qz - qw * qx))
        z += TCP * (1 - 2 * (qx * qx + qy * qy))
        self.tool = (x, y, z)
        cube_x, cube_y, cube_z = state.cube
        grasp = (cube_x - x, cube_y - y, cube_z - z)
        carry = (self.target[0] - cube_x, self.target[1] - cube_y)
        height = cube_z - self.bench.size / 2
        self.error = sqrt(carry[0] ** 2 + carry[1] ** 2 + height**2)
        self._judge(state, height)
        tool_yaw = atan2(-2 * (qx * qy + qw * qz), 2 * (qy * qy + qz * qz) - 1)
        yaw = _quarter(_square_yaw(state.cube_attitude) - tool_yaw)
        return np.array([*state.joints, *grasp, *carry, height, state.opening, self.grip, yaw])

    def _judge(self, state: State, height: float) -> None:
        """Whether the episode has ended."""
        self.outcome: Outcome | None = None
        force, touches = self.bench.contact_force()
        placed = self.error < PLACED and not (self.grip or touches)
        self.near = self.near + 1 if placed and hypot(*self.bench.cube_velocity()) < AT_REST else 0
        if self.near >= PLACED_STEPS:
            self.outcome = "success"
        elif force > FORCE_BOUND or height < SUNK or self._left(state):
            self.outcome = "crash"

    def _left(self, state: State) -> bool:
        """Whether tool or cube have left the workspace, or a joint its range."""
        for angle, limit in zip(state.joints, _LIMITS, strict=True):
            if abs(angle) > limit:
                return True
        (x, y, z), (cube_x, cube_y, _) = self.tool, state.cube
        reached = NEAREST < hypot(x, y) < FARTHEST and NEAREST < hypot(cube_x, cube_y) < FARTHEST
        return z > HIGHEST or not reached

    @staticmethod
    def expert(observations: Floats) -> Floats:
        """Over the cube, down, close, up, over the target, down, open."""
        relative = observations[:, JOINTS:]
        seen = Seen(relative[:, :3], relative[:, 3:5], *relative[:, 5:].T)
        command = place(seen)
        return np.column_stack([command.motion, command.turn, command.grip])

    @staticmethod
    def hold(observations: Floats) -> Floats:
        """Leave the tool where it is and the gripper as it was commanded."""
        actions = np.zeros((len(observations), 5))
        actions[:, 4] = observations[:, JOINTS + 7]
        return actions

    @staticmethod
    def runaway(observations: Floats) -> Floats:
        """Away from the arm at the fastest that is obeyed."""
        return np.tile([MOTION_LIMIT, 0.0, 0.0, 0.0, 0.0], (len(observations), 1))

    def close(self) -> None:
        """End the simulation."""
        for bench in self.benches.values():
            bench.close()


_LIMITS: list[float] = LIMITS.tolist()


def _targets(joints: Floats, seen: Floats) -> Floats:
    """Where the cube's centre is to lie (B, 3) [m], by joints (B, 7) [rad] and grasp, carry and height (B, 6) [m]."""
    position, rotation, _ = tool_and_jacobian(joints)
    cube = position + TCP * rotation[:, :, 2] + seen[:, :3]
    return cube + seen[:, 3:] * [1, 1, -1]


def _within(value: float, middle: float, reach: float) -> float:
    """The value, or where it is farther than `reach` from the middle, the end it is beyond."""
    return min(middle + reach, max(middle - reach, value))


def _square_yaw(attitude: Vector) -> float:
    """How far a cube is turned about the vertical [rad], by that of its axes that is most nearly level."""
    x, y, z, w = attitude
    axes = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    level = min(axes, key=lambda axis: abs(axis[2]))
    return atan2(level[1], level[0])


def _quarter(angle: float) -> float:
    """The angle within an eighth of a turn that looks the same on a square [rad]."""
    return (angle + pi / 4) % (pi / 2) - pi / 4
