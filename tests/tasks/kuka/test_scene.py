"""A picture is made of the world it is asked for, and what is kept of it tells where the goal is."""

from collections.abc import Iterator

import numpy as np
import pytest

from stages.core.task import Floats
from stages.tasks.kuka.finger import FINGER, fingertip, tip_motion
from stages.tasks.kuka.kinematics import tool_and_jacobian
from stages.tasks.kuka.look import CAMERA, LIGHT, LOOK
from stages.tasks.kuka.pointing import pointing_down
from stages.tasks.kuka.scene import IMAGE, Pixels, Scene
from stages.tasks.kuka.sight import MOMENTS, colours, pixels

USUAL = {name: knob.default for name, knob in LOOK.items()}
GOAL = np.array([0.58, 0.05, 0.2])
JOINTS = np.array(pointing_down((0.55, 0.0, 0.35, 0.0), FINGER))
STEPS = {"light_azimuth": 2.0, "light_elevation": -0.4, "goal_texture": 5.0, "arm_texture": 5.0, "ground_texture": 5.0}
RED = slice(0, MOMENTS)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def picture(scene: Scene, look: dict[str, float], goal: Floats = GOAL, joints: Floats = JOINTS) -> Pixels:
    position, rotation, _ = tool_and_jacobian(joints[None])
    scene.reset(look, goal)
    return scene.picture(joints, position[0], rotation[0])


@pytest.mark.parametrize("knob", LOOK)
def test_every_knob_of_the_look_changes_the_picture_and_leaves_no_trace(knob: str, scene: Scene) -> None:
    usual = picture(scene, USUAL)
    assert usual.shape == (IMAGE, IMAGE, 3)
    other = picture(scene, {**USUAL, knob: USUAL[knob] + STEPS.get(knob, 0.05)})
    assert not np.array_equal(other, usual)
    assert np.array_equal(picture(scene, USUAL), usual)


def test_another_scene_draws_the_same_bits(scene: Scene) -> None:
    strange = {**USUAL, "ground_texture": 7.0, "goal_texture": 3.0, "camera_tilt": 0.07, "light_warmth": 0.2}
    other = Scene()
    assert np.array_equal(picture(other, strange), picture(scene, strange))
    other.close()


def test_the_red_in_the_picture_is_the_goal(scene: Scene) -> None:
    seen = [colours(picture(scene, USUAL, GOAL + way))[RED] for way in np.vstack([np.zeros(3), 0.05 * np.eye(3)])]
    here, ahead, left, higher = seen
    # The camera looks down: what is further ahead of the arm is higher in its picture, and left is left.
    assert ahead[1] < here[1] - 0.05
    assert left[0] < here[0] - 0.05
    assert higher[5] > here[5]  # nearer, so larger
    assert higher[6] < here[6]
    gone = colours(picture(scene, USUAL, np.array([0.0, 2.0, 0.0])))[RED]
    assert gone[5] == 0


@pytest.mark.parametrize("look", [{"light_strength": 0.5}, {"light_strength": 1.4}, {"ground_shade": 0.25}])
def test_neither_lights_strength_nor_shades_move_a_colour(look: dict[str, float], scene: Scene) -> None:
    usual, other = colours(picture(scene, USUAL)), colours(picture(scene, {**USUAL, **look}))
    assert np.abs(other - usual)[RED].max() < 0.1
    assert np.abs(pixels(picture(scene, {**USUAL, **look})) - pixels(picture(scene, USUAL))).max() > 0.1


def test_pale_things_have_no_colour(scene: Scene) -> None:
    """Whatever the hue of arm and ground, and in warm or cold light: only goal and sleeve are seen."""
    for hue in np.arange(0, 1, 1 / 12):
        for warmth in (-0.2, 0.2):
            pale = {**USUAL, "arm_hue": hue, "ground_hue": hue, "light_warmth": warmth}
            red, green, _, yellow = colours(picture(scene, pale)).reshape(4, MOMENTS)
            assert green[5] == yellow[5] == 0
            assert abs(red[5] - colours(picture(scene, USUAL))[5]) < 0.3


def test_the_tip_moves_as_it_is_told_and_the_hand_turns_down() -> None:
    joints = JOINTS[None] + np.random.default_rng(0).uniform(-0.1, 0.1, (20, 7))
    position, rotation, _ = tool_and_jacobian(joints)
    way = np.random.default_rng(1).uniform(-0.002, 0.002, (20, 3))
    moved, turned, _ = tool_and_jacobian(joints + tip_motion(joints, way, 0.1, 0.01))
    done = fingertip(moved, turned) - fingertip(position, rotation)
    assert np.allclose(done, np.einsum("bij,bj->bi", rotation, way), atol=4e-4)
    assert (turned[:, 2, 2] < rotation[:, 2, 2]).all()


def test_light_and_camera_are_what_they_are_called() -> None:
    assert all(name.startswith("light_") for name in LIGHT)
    assert all(name.startswith("camera_") for name in CAMERA)
