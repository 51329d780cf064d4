"""Forward kinematics of the iiwa and the joint motion that moves its tool: numpy only, batched, row by row exact."""

import numpy as np

from stages.core.task import Floats

JOINTS = 7
# Source of limits and frames: kuka_iiwa/model.urdf in pybullet_data 3.2.7.
LIMITS = np.array(
    [2.96705972839, 2.09439510239, 2.96705972839, 2.09439510239, 2.96705972839, 2.09439510239, 3.05432619099]
)
# Where each joint sits in the link before it [m], and how it is turned there (roll, pitch, yaw [rad]).
_HALF = np.pi / 2
ORIGINS = (
    ((0.0, 0.0, 0.1575), (0.0, 0.0, 0.0)),
    ((0.0, 0.0, 0.2025), (_HALF, 0.0, np.pi)),
    ((0.0, 0.2045, 0.0), (_HALF, 0.0, np.pi)),
    ((0.0, 0.0, 0.2155), (_HALF, 0.0, 0.0)),
    ((0.0, 0.1845, 0.0), (-_HALF, np.pi, 0.0)),
    ((0.0, 0.0, 0.2155), (_HALF, 0.0, 0.0)),
    ((0.0, 0.081, 0.0), (-_HALF, np.pi, 0.0)),
)


def _turned(roll: float, pitch: float, yaw: float) -> Floats:
    """The rotation of URDF's fixed-axis angles; right angles give exact zeros and ones."""
    (sr, sp, sy), (cr, cp, cy) = np.round(np.sin([roll, pitch, yaw]), 12), np.round(np.cos([roll, pitch, yaw]), 12)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


_OFFSETS = tuple(np.array(offset) for offset, _ in ORIGINS)
_TURNS = tuple(_turned(*angles) for _, angles in ORIGINS)


def tool_and_jacobian(joints: Floats) -> tuple[Floats, Floats, Floats]:
    """Position and attitude of the last link's frame, and how they move with the joints.

    joints (B, 7) [rad] -> position (B, 3) [m], rotation (B, 3, 3), Jacobian (B, 6, 7): three rows of linear [m/rad] and
    three of angular velocity [1], in the frame of the base (Siciliano et al., Robotics, 2009, section 3.1).
    """
    rows = len(joints)
    rotation = np.broadcast_to(np.eye(3), (rows, 3, 3))
    position = np.zeros((rows, 3))
    axes, centres = np.empty((JOINTS, rows, 3)), np.empty((JOINTS, rows, 3))
    sines, cosines = np.sin(joints), np.cos(joints)
    for joint in range(JOINTS):
        position = position + rotation @ _OFFSETS[joint]
        frame = rotation @ _TURNS[joint]
        axes[joint], centres[joint] = frame[:, :, 2], position
        rotation = _about_z(frame, sines[:, joint, None], cosines[:, joint, None])
    jacobian = np.concatenate([_cross(axes, position - centres), axes], axis=2).transpose(1, 2, 0)
    return position, rotation, jacobian


def _cross(a: Floats, b: Floats) -> Floats:
    """Cross products over the last axis (numpy's own spends its time on moving axes)."""
    result = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        result[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return result


def _about_z(frame: Floats, sine: Floats, cosine: Floats) -> Floats:
    """Frames (B, 3, 3) turned about their own z axis."""
    turned = frame.copy()
    turned[:, :, 0] = frame[:, :, 0] * cosine + frame[:, :, 1] * sine
    turned[:, :, 1] = frame[:, :, 1] * cosine - frame[:, :, 0] * sine
    return turned


def joint_motion(jacobian: Floats, motion: Floats, damping: float) -> Floats:
    """The joint motion (B, 7) that moves the tool by `motion` (B, D), damped least squares.

    jacobian (B, D, 7). Source: Wampler, IEEE Trans. SMC 16 (1986): J^T (J J^T + damping^2 I)^-1 motion.
    """
    transposed = jacobian.transpose(0, 2, 1)
    square = jacobian @ transposed + damping**2 * np.eye(jacobian.shape[1])
    return (transposed @ np.linalg.solve(square, motion[:, :, None]))[:, :, 0]
