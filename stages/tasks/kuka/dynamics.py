"""What a world decides about the arm itself: its masses, its motors, the clock of its simulation."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from stages.core.task import Floats, Knob, World
from stages.tasks.kuka.kinematics import JOINTS

PHYSICS_STEP = 1 / 240  # [s]
# Limits of the LBR iiwa 7 R800 (KUKA's data sheet). The arm has the lengths of the 14 R820, whose motors are stronger
# (320, 320, 176, 176, 110, 40 and 40 N m): what these can do, those can.
TORQUES = (176.0, 176.0, 110.0, 110.0, 110.0, 40.0, 40.0)  # [N m]
_TOOL = JOINTS - 1  # the last link


@dataclass(frozen=True)
class Dynamics:
    """The defaults are the arm as it was loaded."""

    link_mass: float = 1.0  # [1] times the arm's own masses and moments of inertia
    payload: float = 0.0  # [kg] a point mass in the centre of the last link
    gravity: float = 10.0  # [m/s^2] downwards
    physics_rate: float = 1 / PHYSICS_STEP  # [Hz] of the steps of the simulation
    motor_gain: float = 0.1  # [1] share of the way to its target that a joint goes in a physics step
    motor_strength: float = 1.0  # [1] share of the motors' limits of torque
    joint_damping: float = 0.5  # [N m s/rad]

    @classmethod
    def of(cls, world: World, control_period: float) -> Self:
        """The world's, with whole physics steps to a control step."""
        drawn = {field.name: world[field.name] for field in fields(cls)}
        return cls(**{**drawn, "physics_rate": physics_steps(world, control_period) / control_period})


_DEFAULT = Dynamics()

# Every KUKA task has these.
KNOBS: Mapping[str, Knob] = {
    "link_mass": Knob("1", _DEFAULT.link_mass, "of the arm's links, times their own", low=0.01, high=100),
    "payload": Knob("kg", _DEFAULT.payload, "fixed to the last link", low=0, high=1000),
    "gravity": Knob("m/s^2", _DEFAULT.gravity, "downwards", low=0, high=1000),
    "physics_rate": Knob(
        "Hz", _DEFAULT.physics_rate, "steps of the simulation, whole ones to a control step", low=1, high=24_000
    ),
    "latency": Knob("1", 0.0, "control steps from a command to its execution, rounded", low=0, high=10_000),
    "motor_gain": Knob(
        "1", _DEFAULT.motor_gain, "share of the way to its target a joint goes in a physics step", low=0, high=10
    ),
    "motor_strength": Knob("1", _DEFAULT.motor_strength, "share of the motors' limits of torque", low=0, high=100),
    "joint_damping": Knob("N m s/rad", _DEFAULT.joint_damping, "of each joint", low=0, high=1000),
}


def physics_steps(world: World, control_period: float) -> int:
    """How many physics steps [1] a control period [s] has in the world: at least one."""
    return max(1, round(world["physics_rate"] * control_period))


class Delay:
    """A line of commands: each is executed as many control steps late as the world's latency."""

    def __init__(self, world: World, idle: Floats) -> None:
        """At first `idle` (A,), the command that changes nothing, is what arrives."""
        self._waiting = deque([idle] * round(world["latency"]))

    def __call__(self, action: Floats) -> Floats:
        """Take an action (A,) in, and give out the one that is due."""
        self._waiting.append(action)
        return self._waiting.popleft()


class Links:
    """The links of an arm that was just loaded, whose properties no restored state brings back."""

    def __init__(self, client: Any, arm: int) -> None:
        self._client, self._arm = client, arm
        # Mass [kg] and principal moments of inertia [kg m^2] of the links, as they were loaded.
        self._own = [client.getDynamicsInfo(arm, link)[0:3:2] for link in range(JOINTS)]

    def set(self, dynamics: Dynamics) -> None:
        """Give simulation and arm these dynamics."""
        client, arm = self._client, self._arm
        client.setGravity(0, 0, -dynamics.gravity)
        client.setTimeStep(1 / dynamics.physics_rate)
        for link, (own, moments) in enumerate(self._own):
            mass = dynamics.link_mass * own + (dynamics.payload if link == _TOOL else 0.0)
            inertia = [dynamics.link_mass * moment for moment in moments]
            # Told a mass alone, PyBullet would work out the inertia anew, from the link's shape.
            client.changeDynamics(
                arm, link, mass=mass, localInertiaDiagonal=inertia, jointDamping=dynamics.joint_damping
            )
