"""The arm with its gripper over a table with a cube on it, reset to the same bits however its last episode ended."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from stages.tasks.kuka.arm import Vector, connect, load_arm
from stages.tasks.kuka.dynamics import TORQUES, Dynamics, Links
from stages.tasks.kuka.gripper import FINGERS, add_gripper
from stages.tasks.kuka.kinematics import JOINTS

TABLE_FRICTION = 0.6  # [1] times the cube's
ITERATIONS = 10  # of the solver
_TOOL = JOINTS - 1  # the link that carries the gripper
_DRIVEN = [*range(JOINTS), *FINGERS]
_FINGER_GAIN = 0.1  # [1]
_GEAR_FORCE = 200.0  # [N] that keeps the fingers symmetric
_FAR = 50.0  # [m]
_UNSEEN = 0.001  # [m]
_STILL = [0.0, 0.0, 0.0]


@dataclass(frozen=True)
class BenchDynamics(Dynamics):
    """What a world decides about the simulation: the arm, its fingers and the cube."""

    cube_mass: float = 0.1  # [kg]
    friction: float = 0.8  # [1] of the cube on table and fingers
    finger_friction: float = 1.0  # [1] times the cube's
    grip_force: float = 15.0  # [N] of each finger


class State(NamedTuple):
    """What is measured after a control step."""

    joints: Vector  # (7,) [rad]
    opening: float  # [m] between the fingers
    tool: Vector  # (3,) [m] position of the last link's frame
    attitude: Vector  # (4,) its quaternion
    cube: Vector  # (3,) [m]
    cube_attitude: Vector  # (4,)


class Bench:
    """One simulation with one cube. The arm's own links touch nothing: only palm, fingers, cube and table have shapes.

    PyBullet's `restoreState` leaves cached contacts behind, and those change an episode's bits. So a reset restores the
    state saved before the first step, moves everything far apart, detects collisions to empty the cache, restores it
    again, and then sets every position, velocity, dynamic property and motor command: no restore brings these back.
    Cubes of other sizes that waited far away left traces all the same: a size needs a simulation of its own.
    """

    def __init__(self, size: float) -> None:
        self.size = size  # [m] of the cube's edge
        self.client = connect()
        # A pyramid of friction instead of a cone: a held cube creeps less at the same number of iterations, for less.
        self.client.setPhysicsEngineParameter(numSolverIterations=ITERATIONS, enableConeFriction=0)
        plane = self.client.createCollisionShape(self.client.GEOM_PLANE)
        # Nobody looks at it: a plane's own picture takes longer to make than all else here.
        unseen = self.client.createVisualShape(self.client.GEOM_BOX, halfExtents=[_UNSEEN] * 3)
        self.table = self.client.createMultiBody(0, plane, unseen)
        self.arm = load_arm(self.client, ("visual", "collision"), add_gripper)
        self.cube = _load_cube(self.client, size)
        self._couple_fingers()
        self.client.changeDynamics(self.table, -1, lateralFriction=TABLE_FRICTION)
        self._links = Links(self.client, self.arm)
        self._ready = self.client.saveState()

    def _couple_fingers(self) -> None:
        left, right = FINGERS
        gear = self.client.createConstraint(
            self.arm, left, self.arm, right, self.client.JOINT_GEAR, [0, 1, 0], _STILL, _STILL
        )
        self.client.changeConstraint(gear, gearRatio=-1, maxForce=_GEAR_FORCE, erp=0.2)

    def reset(
        self, joints: Vector, finger: float, cube: tuple[float, float], yaw: float, dynamics: BenchDynamics
    ) -> State:
        """Arm and fingers at rest at `joints` (7,) [rad] and `finger` [m], the cube on the table at `cube` (2,) [m]."""
        client = self.client
        client.restoreState(self._ready)
        client.resetBasePositionAndOrientation(self.cube, [_FAR, _FAR, _FAR], [0, 0, 0, 1])
        for joint in _DRIVEN:
            client.resetJointState(self.arm, joint, 0.0, 0.0)
        client.performCollisionDetection()
        client.restoreState(self._ready)
        for joint, angle in zip(_DRIVEN, (*joints, finger, finger), strict=True):
            client.resetJointState(self.arm, joint, angle, 0.0)
        attitude = client.getQuaternionFromEuler([0, 0, yaw])
        client.resetBasePositionAndOrientation(self.cube, (*cube, self.size / 2), attitude)
        client.resetBaseVelocity(self.cube, _STILL, _STILL)
        self._set_dynamics(dynamics)
        self.command(joints, finger)
        return self.state()

    def _set_dynamics(self, dynamics: BenchDynamics) -> None:
        client = self.client
        self._links.set(dynamics)
        client.changeDynamics(self.cube, -1, mass=dynamics.cube_mass, lateralFriction=dynamics.friction)
        for link in FINGERS:
            client.changeDynamics(self.arm, link, lateralFriction=dynamics.finger_friction)
        self._forces = [dynamics.motor_strength * limit for limit in TORQUES] + [dynamics.grip_force] * len(FINGERS)
        self._gains = [dynamics.motor_gain] * JOINTS + [_FINGER_GAIN] * len(FINGERS)

    def command(self, joints: Vector, finger: float) -> None:
        """Set the targets of the joints (7,) [rad] and of each finger [m] that the motors hold from now on."""
        self.client.setJointMotorControlArray(
            self.arm,
            _DRIVEN,
            self.client.POSITION_CONTROL,
            targetPositions=[*joints, finger, finger],
            forces=self._forces,
            positionGains=self._gains,
        )

    def push(self, velocity: Vector) -> None:
        """Give the cube that velocity (3,) [m/s] and no spin."""
        self.client.resetBaseVelocity(self.cube, velocity, _STILL)

    def advance(self, steps: int) -> State:
        """Simulate that many physics steps."""
        step = self.client.stepSimulation
        for _ in range(steps):
            step()
        return self.state()

    def state(self) -> State:
        """Everything as it is now."""
        client = self.client
        angles = [state[0] for state in client.getJointStates(self.arm, _DRIVEN)]
        link = client.getLinkState(self.arm, _TOOL, computeForwardKinematics=True)
        cube, cube_attitude = client.getBasePositionAndOrientation(self.cube)
        opening = angles[JOINTS] + angles[JOINTS + 1]
        return State(angles[:JOINTS], opening, link[4], link[5], cube, cube_attitude)

    def cube_velocity(self) -> Vector:
        """How fast the cube moves (3,) [m/s]."""
        velocity: Vector = self.client.getBaseVelocity(self.cube)[0]
        return velocity

    def contact_force(self) -> tuple[float, bool]:
        """The largest force [N] on the gripper at one contact, and whether it touches the cube."""
        force, touches = 0.0, False
        for contact in self.client.getContactPoints(self.arm):
            force = max(force, contact[9])
            touches = touches or contact[2] == self.cube
        return force, touches

    def close(self) -> None:
        """End the simulation."""
        self.client.disconnect()


def _load_cube(client: Any, size: float) -> int:
    half = [size / 2] * 3
    shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=half)
    return int(client.createMultiBody(0.1, shape, -1, [_FAR, _FAR, _FAR]))
