"""Frames of the arm along an episode, drawn by PyBullet's software renderer."""

from collections.abc import Callable, Sequence
import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from stages.core.task import Floats
from stages.tasks.kuka.arm import connect, load_arm
from stages.tasks.kuka.gripper import FINGERS, add_gripper
from stages.tasks.kuka.kinematics import JOINTS

Point = tuple[float, float, float]

WIDTH, HEIGHT = 320, 240  # [px] of a frame
_FINER = 2  # drawn so many times larger, then reduced: smooth edges
_MARGIN = 0.12  # [1] of the picture's width and height that what must be in it leaves free
_DISTANCES = tuple(np.arange(0.8, 4.0, 0.1).round(1).tolist())  # [m] of the camera, the nearest that suits is taken
_YAWS, _PITCH = (30, 50, 70, 110, 130, 150), -22  # [deg] 90 looks the arm in the face
_FIELD_OF_VIEW = 40  # [deg]
_GOAL_COLOUR, _GOAL_RADIUS = (0.8, 0.05, 0.55, 1.0), 0.03  # [m]
_CUBE_COLOUR, _PLATE = (0.0, 0.45, 0.7, 1.0), 0.002  # [m] thick, where the cube belongs
_TRAIL_COLOUR = (204, 13, 140)
_QUALITY = 80


class Scene:
    """The arm on the plane, and perhaps a goal in the air."""

    def __init__(self, client: Any, goal: Point | None = None) -> None:
        self.client = client
        client.loadURDF("plane.urdf")
        self.arm = self._load_arm()
        if goal is not None:
            sphere = client.createVisualShape(client.GEOM_SPHERE, radius=_GOAL_RADIUS, rgbaColor=_GOAL_COLOUR)
            client.createMultiBody(baseVisualShapeIndex=sphere, basePosition=goal)

    def _load_arm(self) -> int:
        return load_arm(self.client)

    def pose(self, moment: Floats) -> Floats:
        """Put the arm at `moment` (7,) [rad], its joint angles; the places (Q, 3) [m] that must be in the picture."""
        for joint, angle in enumerate(moment[:JOINTS].tolist()):
            self.client.resetJointState(self.arm, joint, angle)
        states = self.client.getLinkStates(self.arm, list(range(JOINTS)), computeForwardKinematics=True)
        return np.array([(0.0, 0.0, 0.0), *(state[4] for state in states)])


class BenchScene(Scene):
    """The arm with its gripper, a cube and the place where it belongs."""

    def __init__(self, client: Any, cube_size: float, target: tuple[float, float]) -> None:
        super().__init__(client)
        half = [cube_size / 2] * 3
        box = client.createVisualShape(client.GEOM_BOX, halfExtents=half, rgbaColor=_CUBE_COLOUR)
        self.cube = client.createMultiBody(baseVisualShapeIndex=box)
        plate = [cube_size * 0.75, cube_size * 0.75, _PLATE / 2]
        square = client.createVisualShape(client.GEOM_BOX, halfExtents=plate, rgbaColor=_GOAL_COLOUR)
        client.createMultiBody(baseVisualShapeIndex=square, basePosition=(*target, _PLATE / 2))

    def _load_arm(self) -> int:
        return load_arm(self.client, extend=add_gripper)

    def pose(self, moment: Floats) -> Floats:
        """Put everything at `moment` (12,): joints [rad], each finger [m], the cube's centre [m] and its yaw [rad].

        The arm's foot need not be in the picture: things are small.
        """
        links = super().pose(moment)
        finger, x, y, z, yaw = moment[JOINTS:].tolist()
        for joint in FINGERS:
            self.client.resetJointState(self.arm, joint, finger)
        attitude = self.client.getQuaternionFromEuler([0, 0, yaw])
        self.client.resetBasePositionAndOrientation(self.cube, (x, y, z), attitude)
        return np.concatenate([links[-3:], [[x, y, z]]])


class Camera:
    """Looks at a scene; `aim` before the first `frame`."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.client = scene, scene.client
        self.projection = self.client.computeProjectionMatrixFOV(_FIELD_OF_VIEW, WIDTH / HEIGHT, 0.1, 10)

    def aim(self, way: Floats, bodies: Floats) -> None:
        """Look so that the way (P, 3) is wide in the picture, and it and all of `bodies` (Q, 3) [m] are in it."""
        everything = np.concatenate([way, bodies])
        self.view = max((self._view(yaw, everything) for yaw in _YAWS), key=lambda view: self._spread(view, way))

    def _view(self, yaw: float, points: Floats) -> Any:
        """The nearest view from that side that has all points (P, 3) [m] in it."""
        low, high = points.min(axis=0), points.max(axis=0)
        centre = ((low + high) / 2).tolist()
        look = self.client.computeViewMatrixFromYawPitchRoll
        views = [look(centre, distance, yaw, _PITCH, 0, 2) for distance in _DISTANCES]
        return next((view for view in views if self._inside(view, points)), views[-1])

    def _inside(self, view: Any, points: Floats) -> bool:
        """Whether the points, and a margin about them, are in the picture."""
        size = np.array([WIDTH, HEIGHT]) * _FINER
        places = self._pixels(view, points)
        return bool((places > _MARGIN * size).all() and (places < (1 - _MARGIN) * size).all())

    def _spread(self, view: Any, points: Floats) -> float:
        """How wide the points' way is in the picture: the motion is best seen from its side."""
        return round(float(np.ptp(self._pixels(view, points)[:, 0])), 3)

    def frame(self, moment: Floats, trail: Floats) -> bytes:
        """A JPEG of the scene at a moment (as its `pose` takes it), with the way so far, `trail` (P, 3) [m]."""
        self.scene.pose(moment)
        _, _, pixels, _, _ = self.client.getCameraImage(
            WIDTH * _FINER,
            HEIGHT * _FINER,
            self.view,
            self.projection,
            lightDirection=[1.0, -0.6, 2.0],
            shadow=0,
            renderer=self.client.ER_TINY_RENDERER,
        )
        colours = np.reshape(np.asarray(pixels, dtype=np.uint8), (HEIGHT * _FINER, WIDTH * _FINER, 4))[:, :, :3]
        image = Image.fromarray(np.ascontiguousarray(colours))
        if len(trail) > 1:
            way = [(float(x), float(y)) for x, y in self._pixels(self.view, trail)]
            ImageDraw.Draw(image).line(way, fill=_TRAIL_COLOUR, width=2 * _FINER, joint="curve")
        buffer = io.BytesIO()
        image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        return buffer.getvalue()

    def _pixels(self, view: Any, points: Floats) -> Floats:
        """Where points (P, 3) [m] are in the enlarged image (P, 2)."""
        looking, projecting = (np.reshape(one, (4, 4), order="F") for one in (view, self.projection))
        seen = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ (projecting @ looking).T
        half = np.array([WIDTH, HEIGHT]) * _FINER / 2
        places: Floats = seen[:, :2] / seen[:, 3:] * half * (1, -1) + half
        return places


def moments(steps: int, count: int) -> list[int]:
    """Up to `count` frame numbers, evenly from the first to the last of an episode."""
    return sorted(set(np.linspace(0, steps - 1, count).round().astype(int).tolist()))


def film(
    scene: Callable[[Any], Scene], episodes: Sequence[Floats], ways: Sequence[Floats], count: int
) -> list[list[bytes]]:
    """JPEGs of up to `count` moments of each episode, all from the same place.

    `scene` makes the scene in a simulation of its own; an episode is its moments (T, P), as the scene's `pose` takes
    them, and its way (T, 3) [m], which is drawn as a line.
    """
    client = connect()
    try:
        seen = Camera(scene(client))
        chosen = [moments(len(episode), count) for episode in episodes]
        drawn = np.concatenate([episode[some] for episode, some in zip(episodes, chosen, strict=True)])
        bodies = [seen.scene.pose(moment) for moment in drawn]
        seen.aim(np.concatenate(ways), np.concatenate(bodies))
        return [
            [seen.frame(episode[moment], way[: moment + 1]) for moment in some]
            for episode, way, some in zip(episodes, ways, chosen, strict=True)
        ]
    finally:
        client.disconnect()
