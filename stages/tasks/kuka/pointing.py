"""Where the joints have to be for a tool that points straight down: in closed form, for one pose."""

from math import acos, atan2, cos, hypot, pi, sin

Pose = tuple[float, float, float, float]  # x, y, z [m] and yaw [rad] of a tool that points down

# Source of the lengths: kuka_iiwa/model.urdf in pybullet_data 3.2.7.
_SHOULDER = 0.36  # [m] above the base
_UPPER = 0.42  # [m] shoulder to elbow
_FORE = 0.4  # [m] elbow to wrist
_WRIST = 0.081  # [m] wrist to the last link's frame


def pointing_down(pose: Pose, length: float) -> list[float]:
    """The joints (7,) [rad] that hold a tool `length` [m] beyond the last link's frame at `pose`.

    Joints 3 and 5 stay at zero, so the elbow is in the vertical plane through the tool and one solution is left: no
    iteration, no drift of the redundant joint, the same bits whatever was asked before. A pose out of reach is answered
    with the arm stretched towards it. The yaw is that of the last link's negative x axis.
    """
    x, y, z, yaw = pose
    forward, up = hypot(x, y), z + length + _WRIST - _SHOULDER
    bend = acos(min(1.0, max(-1.0, (forward**2 + up**2 - _UPPER**2 - _FORE**2) / (2 * _UPPER * _FORE))))
    shoulder = atan2(forward, up) - atan2(_FORE * sin(bend), _UPPER + _FORE * cos(bend))
    azimuth = atan2(y, x)
    return [azimuth, shoulder, 0.0, -bend, 0.0, pi - shoulder - bend, azimuth - yaw]
