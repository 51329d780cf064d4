"""A parallel-jaw gripper of boxes for the arm's last link, as an addition to the arm's description."""

import xml.etree.ElementTree as ET

FINGERS = (7, 8)  # joint numbers
OPEN = 0.036  # [m] that each finger is from the middle when the gripper is open
TCP = 0.157  # [m] from the last link's frame to between the fingers, 8 mm before their ends: where things are grasped
_LINK = "lbr_iiwa_link_7"
_FLANGE = 0.045  # [m] from the last link's frame, where the palm begins
_PALM = (0.05, 0.12, 0.035)  # [m]
_FINGER = (0.02, 0.012, 0.085)  # [m] they begin where the palm ends
_FINGER_MASS = 0.05  # [kg]


def add_gripper(robot: ET.Element) -> None:
    """Add a palm to the last link and two fingers that slide along its y axis, towards each other."""
    last = next(link for link in robot.iter("link") if link.get("name") == _LINK)
    _add_box(last, _PALM, (0.0, 0.0, _FLANGE + _PALM[2] / 2))
    for name, side in (("left", 1), ("right", -1)):
        finger = ET.SubElement(robot, "link", name=name)
        inertial = ET.SubElement(finger, "inertial")
        ET.SubElement(inertial, "mass", value=str(_FINGER_MASS))
        # More than a box of that mass has, for the solver's sake: fingers slide and hardly turn.
        ET.SubElement(inertial, "inertia", ixx="1e-4", iyy="1e-4", izz="1e-4", ixy="0", ixz="0", iyz="0")
        # The joint is at zero where the fingers' inner faces meet in the middle.
        _add_box(finger, _FINGER, (0.0, side * _FINGER[1] / 2, _FINGER[2] / 2))
        joint = ET.SubElement(robot, "joint", name=f"{name}_finger", type="prismatic")
        ET.SubElement(joint, "parent", link=_LINK)
        ET.SubElement(joint, "child", link=name)
        ET.SubElement(joint, "origin", xyz=f"0 0 {_FLANGE + _PALM[2]}", rpy="0 0 0")
        ET.SubElement(joint, "axis", xyz=f"0 {side} 0")
        ET.SubElement(joint, "limit", lower="0", upper=str(OPEN + 0.01), effort="100", velocity="1")


def _add_box(link: ET.Element, size: tuple[float, float, float], centre: tuple[float, float, float]) -> None:
    for part in ("visual", "collision"):
        shape = ET.SubElement(link, part)
        ET.SubElement(shape, "origin", xyz=" ".join(map(str, centre)), rpy="0 0 0")
        ET.SubElement(ET.SubElement(shape, "geometry"), "box", size=" ".join(map(str, size)))
