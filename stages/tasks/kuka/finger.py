"""The arm in simple shapes, with a finger to point with, and the motion that brings its tip to a place."""

import xml.etree.ElementTree as ET

import numpy as np

from stages.core.task import Floats
from stages.tasks.kuka.kinematics import JOINTS, ORIGINS, joint_motion, tool_and_jacobian

FINGER = 0.18  # [m] from the last link's frame to the fingertip, along the frame's z axis
SLEEVE_LINK = JOINTS  # the number of the link that is the finger's coloured sleeve
DAMPING = 0.05  # [m/rad]
_SLEEVE = (0.095, 0.14)  # [m] from the last link's frame, along the finger
_FLANGE = 0.045  # [m] from the last link's frame, where the finger begins
_FINGER_RADIUS, _SLEEVE_RADIUS, _LINK_RADIUS, _LAST_RADIUS = 0.006, 0.012, 0.06, 0.035  # [m]
_LAST = "lbr_iiwa_link_7"
_DOWN = np.diag([-1.0, 1.0, -1.0])  # attitude of a hand that points down, its x axis towards the arm's foot

Point = tuple[float, float, float]


def fingertip(position: Floats, rotation: Floats) -> Floats:
    """Where the fingertip is (B, 3) [m], from position (B, 3) and rotation (B, 3, 3) of the last link's frame."""
    tip: Floats = position + FINGER * rotation[:, :, 2]
    return tip


def tip_motion(joints: Floats, way: Floats, gain: float, speed: float) -> Floats:
    """The joint motion (B, 7) [rad] that moves the tip by `way` (B, 3) [m], seen from the hand.

    It also turns the hand towards pointing down, by the share `gain` of what is left and by at most `speed` [rad].
    """
    _, rotation, jacobian = tool_and_jacobian(joints)
    motion = (rotation @ way[:, :, None])[:, :, 0]
    turn = gain * _turn_down(rotation)
    turning = np.sqrt(np.sum(turn**2, axis=1, keepdims=True))
    turn = turn * np.minimum(1.0, speed / np.maximum(turning, 1e-9))
    linear, angular = jacobian[:, :3], jacobian[:, 3:]
    lever = FINGER * rotation[:, :, 2]
    at_tip = linear + np.cross(angular, lever[:, :, None], axis=1)
    whole = np.concatenate([at_tip, angular], axis=1)
    return joint_motion(whole, np.concatenate([motion, turn], axis=1), DAMPING)


def _turn_down(rotation: Floats) -> Floats:
    """The turn (B, 3) [rad] that is left to a hand that points down, to first order."""
    turn = np.zeros((len(rotation), 3))
    for axis in range(3):
        turn += np.cross(rotation[:, :, axis], _DOWN[:, axis]) / 2
    return turn


def draw_arm(robot: ET.Element) -> None:
    """Give the arm's links simple shapes, which load fifty times as fast as its meshes, and add the finger."""
    links, base = list(robot.iter("link")), (0.0, 0.0, 0.0)
    for place, (end, _) in enumerate(ORIGINS[1:], start=1):
        _cylinder(links[place], base, end, _LINK_RADIUS)
    _cylinder(links[JOINTS], base, (0.0, 0.0, _FLANGE), _LAST_RADIUS)
    _cylinder(links[JOINTS], (0.0, 0.0, _FLANGE), (0.0, 0.0, FINGER), _FINGER_RADIUS)
    sleeve = ET.SubElement(robot, "link", name="sleeve")
    _cylinder(sleeve, base, (0.0, 0.0, _SLEEVE[1] - _SLEEVE[0]), _SLEEVE_RADIUS)
    inertial = ET.SubElement(sleeve, "inertial")  # Bullet complains of a link without
    ET.SubElement(inertial, "mass", value="0.1")
    ET.SubElement(inertial, "inertia", ixx="1e-4", iyy="1e-4", izz="1e-4", ixy="0", ixz="0", iyz="0")
    joint = ET.SubElement(robot, "joint", name="sleeve_joint", type="fixed")
    ET.SubElement(joint, "parent", link=_LAST)
    ET.SubElement(joint, "child", link="sleeve")
    ET.SubElement(joint, "origin", xyz=f"0 0 {_SLEEVE[0]}", rpy="0 0 0")


def _cylinder(link: ET.Element, start: Point, end: Point, radius: float) -> None:
    """Add a cylinder between two points [m] that differ in y or in z."""
    visual = ET.SubElement(link, "visual")
    centre = " ".join(str((one + other) / 2) for one, other in zip(start, end, strict=True))
    ET.SubElement(visual, "origin", xyz=centre, rpy=f"{np.pi / 2 if start[1] != end[1] else 0.0} 0 0")
    length = sum(abs(other - one) for one, other in zip(start, end, strict=True))
    ET.SubElement(ET.SubElement(visual, "geometry"), "cylinder", radius=str(radius), length=str(length))
