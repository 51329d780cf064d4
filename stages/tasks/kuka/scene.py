"""What a camera beside the hand sees of goal, arm and ground, drawn by PyBullet's software renderer."""

from colorsys import hsv_to_rgb
from math import cos, degrees, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.task import Floats, World
from stages.tasks.kuka.arm import Vector, connect, load_arm
from stages.tasks.kuka.finger import FINGER, SLEEVE_LINK, draw_arm
from stages.tasks.kuka.kinematics import JOINTS
from stages.tasks.kuka.patterns import patterns

IMAGE = 48  # [px] a side
GOAL_RADIUS = 0.035  # [m]
_CAMERA = np.array([-0.14, 0.0, -0.02])  # [m] in the last link's frame
_AIM = np.array([0.0, 0.0, FINGER + 0.1])  # [m] in the same, what the camera looks at
_NEAR, _FAR = 0.02, 4.0  # [m] from the camera, of what is drawn
_GROUND = 1.5  # [m] from its middle to its edges
_SATURATION = {"goal": 0.85, "sleeve": 0.85, "arm": 0.3, "ground": 0.3}  # [1] pale things are none of the task's signs
_AMBIENT, _DIFFUSE, _SPECULAR = 0.5, 0.45, 0.05  # [1] shares of the light

Pixels = NDArray[np.uint8]


class Scene:
    """A simulation that only draws. A picture depends on what it is asked for, and on nothing that was drawn before."""

    def __init__(self) -> None:
        self.client = connect()
        self.arm = load_arm(self.client, ("visual", "collision"), draw_arm)
        ground = self.client.createVisualShape(self.client.GEOM_BOX, halfExtents=[_GROUND, _GROUND, 0.01])
        self.ground = self.client.createMultiBody(0, -1, ground, [0.5, 0.0, -0.01])
        ball = self.client.createVisualShape(self.client.GEOM_SPHERE, radius=GOAL_RADIUS)
        self.goal = self.client.createMultiBody(0, -1, ball)
        self.textures = [-1, *_load_textures(self.client)]

    def reset(self, look: World, goal: Vector) -> None:
        """Make everything look as the knobs `look` say, and put the goal (3,) [m] in its place."""
        self._paint(self.ground, [-1], "ground", look["ground_hue"], look["ground_shade"], look["ground_texture"])
        self._paint(self.goal, [-1], "goal", look["goal_hue"], look["goal_shade"], look["goal_texture"])
        links = list(range(JOINTS))
        self._paint(self.arm, links, "arm", look["arm_hue"], look["arm_shade"], look["arm_texture"])
        self._paint(self.arm, [SLEEVE_LINK], "sleeve", look["sleeve_hue"], look["arm_shade"], 0.0)
        self.client.resetBasePositionAndOrientation(self.goal, goal, [0, 0, 0, 1])
        self._lighting = _lighting(look)
        self._camera = _CAMERA + np.array([look["camera_x"], look["camera_y"], look["camera_z"]])
        self._directions = _directions(look["camera_tilt"], look["camera_pan"], look["camera_roll"])
        self._projection = self.client.computeProjectionMatrixFOV(degrees(look["camera_view"]), 1.0, _NEAR, _FAR)

    def _paint(self, body: int, links: list[int], part: str, hue: float, shade: float, texture: float) -> None:
        colour = [*hsv_to_rgb(hue % 1, _SATURATION[part], shade), 1.0]
        chosen = self.textures[round(texture)]
        for link in links:
            self.client.changeVisualShape(body, link, rgbaColor=colour, textureUniqueId=chosen)

    def picture(self, joints: Vector, position: Floats, rotation: Floats) -> Pixels:
        """What the camera sees (IMAGE, IMAGE, 3) with the arm at `joints` (7,) [rad].

        `position` (3,) [m] and `rotation` (3, 3) are those of the last link's frame there.
        """
        for joint, angle in enumerate(joints):
            self.client.resetJointState(self.arm, joint, angle)
        eye = position + rotation @ self._camera
        forward, up = self._directions @ rotation.T
        view = self.client.computeViewMatrix(eye.tolist(), (eye + forward).tolist(), up.tolist())
        renderer = self.client.ER_TINY_RENDERER
        drawn = self.client.getCameraImage(
            IMAGE, IMAGE, view, self._projection, shadow=1, renderer=renderer, **self._lighting
        )
        return np.reshape(np.asarray(drawn[2], dtype=np.uint8), (IMAGE, IMAGE, 4))[:, :, :3]

    def close(self) -> None:
        """End the simulation."""
        self.client.disconnect()


def _load_textures(client: Any) -> list[int]:
    """The patterns as textures; Bullet reads them from files."""
    loaded = []
    with TemporaryDirectory() as folder:
        for number, pattern in enumerate(patterns()):
            path = Path(folder, f"{number}.png")
            path.write_bytes(pattern)
            loaded.append(int(client.loadTexture(str(path))))
    return loaded


def _lighting(look: World) -> dict[str, Any]:
    azimuth, elevation, warmth = look["light_azimuth"], look["light_elevation"], look["light_warmth"]
    return {
        "lightDirection": [cos(elevation) * cos(azimuth), cos(elevation) * sin(azimuth), sin(elevation)],
        "lightColor": [1 + warmth, 1.0, 1 - warmth],
        "lightAmbientCoeff": _AMBIENT * look["light_strength"],
        "lightDiffuseCoeff": _DIFFUSE * look["light_strength"],
        "lightSpecularCoeff": _SPECULAR * look["light_strength"],
    }


def _directions(tilt: float, pan: float, roll: float) -> Floats:
    """Where the camera looks and what is up in its picture (2, 3), in the last link's frame, after turns [rad]."""
    forward = (_AIM - _CAMERA) / np.sqrt(np.sum((_AIM - _CAMERA) ** 2))
    right = np.array([0.0, -1.0, 0.0])
    up = np.cross(right, forward)
    turned = np.stack([right, up, forward], axis=1) @ _about(0, tilt) @ _about(1, pan) @ _about(2, roll)
    return np.stack([turned[:, 2], turned[:, 1]])


def _about(axis: int, angle: float) -> Floats:
    """The rotation (3, 3) about one of the axes by `angle` [rad]."""
    one, other = (place for place in range(3) if place != axis)
    turn = np.eye(3)
    turn[one, one] = turn[other, other] = cos(angle)
    turn[one, other], turn[other, one] = -sin(angle), sin(angle)
    return turn
