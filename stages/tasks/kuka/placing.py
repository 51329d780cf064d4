"""The scripted expert that picks a cube up and places it: a pure function of what it sees, row by row.

It keeps no state. What it is doing follows from the last gripper command, the opening and where things are: over the
cube it comes down through a funnel, so that no motion depends on how it got there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats

PERIOD = 1 / 30  # [s] a control step
GAIN = 0.3  # [1] share of the remaining way covered in a control step ...
LANDING = 0.15  # [1] ... and downwards: were it more, a tool that obeys late would press on the table
TOOL_SPEED = 0.45  # [m/s]
TURN_SPEED = 1.2  # [rad/s]
HOVER = 0.05  # [m] of the tool above the cube's centre, before it comes down
CARRY = 0.05  # [m] of the cube's underside above the table, on its way
FUNNEL = 3.0  # [m/m] of hovering height for each metre that is left sideways, and for each that a turn still sweeps
SLOPE = 1.5  # [m/m] of carrying height for each metre that is left sideways
ALIGNED = 0.008  # [m] left to the cube sideways ...
LEVEL = 0.012  # [m] ... and in height: the gripper closes, still under way; a clone that stops short would stay there
SWEEP = 0.02  # [m] that a finger moves sideways for each radian of a turn
TURNED = 0.12  # [rad] of yaw left: the gripper closes
OPENED = 0.056  # [m] between the fingers; they have let go of any cube
CLOSED = 0.046  # [m] between the fingers; they hold the cube, whatever its size
EMPTY = 0.03  # [m] between the fingers: there is no cube
LOST = 0.03  # [m] from tool to cube's centre: it is not held
PLACED = 0.01  # [m] left to the target sideways, held: let go ...
DOWN = 0.006  # [m] above the table
RESTING = 0.015  # [m] left to the target sideways, let go: stay away
RETREAT = 0.05  # [m] above a placed cube


class Seen(NamedTuple):
    """What the expert looks at, for B situations."""

    grasp: Floats  # (B, 3) [m] from tool to cube
    carry: Floats  # (B, 2) [m] from cube to target
    height: Floats  # (B,) [m] of the cube's underside above the table
    opening: Floats  # (B,) [m]
    grip: Floats  # (B,) the last command: 1 close, 0 open
    yaw: Floats  # (B,) [rad] from gripper to cube


class Command(NamedTuple):
    """What it does: tool displacement (B, 3) [m], turn (B,) [rad], gripper (B,), 1 close and 0 open."""

    motion: Floats
    turn: Floats
    grip: Floats


def place(seen: Seen) -> Command:
    """The expert's command."""
    picking, carrying = _pick(seen), _carry(seen)
    holds = seen.grip > 0.5
    return Command(
        np.where(holds[:, None], carrying.motion, picking.motion),
        np.where(holds, carrying.turn, picking.turn),
        np.where(holds, carrying.grip, picking.grip),
    )


def _pick(seen: Seen) -> Command:
    """Let go; over the cube, down, close; away from a cube that is where it belongs."""
    sideways = _length(seen.grasp[:, 0], seen.grasp[:, 1])
    is_open = seen.opening > OPENED
    funnel = np.clip(FUNNEL * (sideways - ALIGNED + SWEEP * (np.abs(seen.yaw) - TURNED)), 0, HOVER)
    motion = _through(seen.grasp[:, :2], np.where(is_open, funnel, HOVER) + seen.grasp[:, 2])
    near = is_open & (sideways < ALIGNED) & (np.abs(seen.grasp[:, 2]) < LEVEL) & (np.abs(seen.yaw) < TURNED)
    placed = (_length(seen.carry[:, 0], seen.carry[:, 1]) < RESTING) & (seen.height < DOWN)
    motion[placed, :2] = 0
    motion[placed, 2] = _vertically(RETREAT + seen.grasp[placed, 2])
    releasing = ~is_open & ~_lost(seen.grasp)
    motion[releasing, :2] = 0
    motion[releasing, 2] = GAIN * seen.grasp[releasing, 2]
    turn = np.clip(GAIN * seen.yaw, -TURN_SPEED * PERIOD, TURN_SPEED * PERIOD)
    return Command(motion, np.where(placed | releasing, 0, turn), (near & ~placed).astype(np.float64))


def _carry(seen: Seen) -> Command:
    """Wait for the gripper to close; up, over to the target, down, let go; open it again where it holds nothing."""
    sideways = _length(seen.carry[:, 0], seen.carry[:, 1])
    clearance = np.clip(SLOPE * (sideways - PLACED), 0, CARRY)
    motion = _through(seen.carry, clearance - seen.height)
    closing = seen.opening > CLOSED
    motion[closing] = GAIN * seen.grasp[closing]
    lost = (seen.opening < EMPTY) | _lost(seen.grasp)
    placed = (sideways < PLACED) & (seen.height < DOWN)
    let_go = lost | placed
    motion[let_go] = 0
    return Command(motion, np.zeros(len(sideways)), (~let_go).astype(np.float64))


def _through(sideways: Floats, up: Floats) -> Floats:
    """Motion (B, 3) sideways (B, 2) and up (B,), the more upwards before sideways the more is missing in height."""
    free = 1 - np.clip((up - 0.01) / 0.03, 0, 1)
    left = _length(sideways[:, 0], sideways[:, 1])
    step = np.minimum(GAIN, TOOL_SPEED * PERIOD / np.maximum(left, 1e-9)) * free
    return np.column_stack([sideways[:, 0] * step, sideways[:, 1] * step, _vertically(up)])


def _vertically(way: Floats) -> Floats:
    """The motion (B,) along the vertical, of the way that is left upwards."""
    limit = TOOL_SPEED * PERIOD
    return np.clip(np.where(way < 0, LANDING, GAIN) * way, -limit, limit)


def _length(x: Floats, y: Floats) -> Floats:
    length: Floats = np.sqrt(x * x + y * y)
    return length


def _lost(grasp: Floats) -> NDArray[np.bool_]:
    """Whether the cube (B, 3) [m] is not between the fingers."""
    x, y, z = grasp.T
    lost: NDArray[np.bool_] = x * x + y * y + z * z > LOST**2
    return lost
