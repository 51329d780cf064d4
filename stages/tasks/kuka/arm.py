"""One simulated iiwa in PyBullet, reset to the same bits however its last episode ended."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import ctypes
import os
from pathlib import Path
import sys
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any, NamedTuple
import xml.etree.ElementTree as ET

from stages.tasks.kuka.dynamics import Dynamics, Links
from stages.tasks.kuka.kinematics import JOINTS

BULLETS_ITERATIONS = 50  # PyBullet's own number of solver iterations
_JOINTS = list(range(JOINTS))
_TOOL = JOINTS - 1  # the last link
_STILL = (0.0,) * JOINTS  # [rad/s]
_SILENCE = Lock()  # standard output is the process's: of two threads, one would restore the other's silence


Vector = Sequence[float]  # so few numbers that arrays of them would cost more than what is done with them


class Motion(NamedTuple):
    """Where the joints are and how fast they move."""

    joints: Vector  # (7,) [rad]
    velocities: Vector  # (7,) [rad/s]


class Arm:
    """The arm on a fixed base, its joints under position control.

    PyBullet's `restoreState` leaves cached contacts behind, and those change an episode's bits. So a reset restores the
    state saved before the first step twice, with a collision detection between, and then sets every joint and all
    dynamics.

    What a world does not need costs time: `parts` of the description that are left out ("visual", "collision") make
    loading up to fifty times as fast, and fewer `iterations` of the solver a step up to twice.
    """

    def __init__(
        self,
        torques: Sequence[float],
        without: Sequence[str] = ("visual",),
        iterations: int = BULLETS_ITERATIONS,
        ground: bool = True,
    ) -> None:
        """`torques` (7,) [N m] are the limits of the motors."""
        self.client = connect()
        self._torques = torques
        self.client.setPhysicsEngineParameter(numSolverIterations=iterations)
        if ground:
            self.client.loadURDF("plane.urdf")
        self.body = load_arm(self.client, without)
        self._links = Links(self.client, self.body)
        self._ready = self.client.saveState()

    def reset(self, joints: Vector, dynamics: Dynamics) -> Motion:
        """Put the arm at rest at `joints` (7,) [rad], commanded to stay there."""
        self.client.restoreState(self._ready)
        self.client.performCollisionDetection()
        self.client.restoreState(self._ready)
        for joint, angle in enumerate(joints):
            self.client.resetJointState(self.body, joint, angle, 0.0)
        self._links.set(dynamics)
        self._forces = [dynamics.motor_strength * limit for limit in self._torques]
        self._gains = [dynamics.motor_gain] * JOINTS
        self.command(joints)
        return Motion(joints, _STILL)

    def command(self, targets: Vector) -> None:
        """Set the joint targets (7,) [rad] that the motors hold from now on."""
        self.client.setJointMotorControlArray(
            self.body,
            _JOINTS,
            self.client.POSITION_CONTROL,
            targetPositions=targets,
            forces=self._forces,
            positionGains=self._gains,
        )

    def advance(self, steps: int) -> Motion:
        """Simulate that many physics steps."""
        step = self.client.stepSimulation
        for _ in range(steps):
            step()
        return self.motion()

    def motion(self) -> Motion:
        """The joints as they are now."""
        joints, velocities, _, _ = zip(*self.client.getJointStates(self.body, _JOINTS), strict=True)
        return Motion(joints, velocities)

    def tool(self) -> Vector:
        """Position (3,) [m] of the last link's frame, for the joints as they are now."""
        position: Vector = self.client.getLinkState(self.body, _TOOL, computeForwardKinematics=True)[4]
        return position

    def close(self) -> None:
        """End the simulation."""
        self.client.disconnect()


def connect(gui: bool = False) -> Any:
    """A PyBullet simulation of its own; with a window and its sliders when `gui`."""
    with _quiet():
        import pybullet
        import pybullet_data
        from pybullet_utils.bullet_client import BulletClient

        class Client(BulletClient):  # type: ignore[misc]
            """Looks every function up once: BulletClient does so in each call, which costs as much as a short one."""

            def __getattr__(self, name: str) -> Any:
                found = super().__getattr__(name)
                self.__dict__[name] = found
                return found

        client = Client(pybullet.GUI if gui else pybullet.DIRECT)
    client.setAdditionalSearchPath(pybullet_data.getDataPath())
    return client


def load_arm(
    client: Any,
    without: Sequence[str] = (),
    extend: Callable[[ET.Element], None] | None = None,
) -> int:
    """Load the arm on a fixed base at the origin; `without` names the parts of its links to leave out.

    `extend` is given the root of the description to add what the arm holds.
    """
    import pybullet_data

    source = Path(pybullet_data.getDataPath(), "kuka_iiwa", "model.urdf")
    description = ET.parse(source)
    for link in description.getroot().iter("link"):
        for part in [part for part in link if part.tag in without]:
            link.remove(part)
    for mesh in description.getroot().iter("mesh"):
        mesh.set("filename", str(source.parent / mesh.get("filename", "")))
    if extend is not None:
        extend(description.getroot())
    with NamedTemporaryFile(suffix=".urdf") as file:
        description.write(file)
        file.flush()
        # Otherwise moments of inertia are worked out from the links' shapes, and those without have none.
        flags = client.URDF_USE_INERTIA_FROM_FILE
        return int(client.loadURDF(file.name, useFixedBase=True, flags=flags))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Bullet's own chatter, which it prints from C, off standard output and standard error."""
    with _SILENCE:
        _flush()
        kept = [os.dup(1), os.dup(2)]
        try:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            _flush()
            for number, copy in enumerate(kept, start=1):
                os.dup2(copy, number)
                os.close(copy)


def _flush() -> None:
    """Write out what Python and what C still hold back, to where it goes now."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
