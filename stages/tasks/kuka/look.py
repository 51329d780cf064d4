"""How things may look: the visual knobs that a camera's picture depends on."""

from collections.abc import Mapping

from stages.core.task import Knob
from stages.tasks.kuka.patterns import PATTERNS

_TEXTURE = f"number of a pattern, 1 to {PATTERNS}, rounded; 0 is plain"

LIGHT: Mapping[str, Knob] = {
    "light_azimuth": Knob("rad", 0.5, "where the light comes from, from straight ahead to the left"),
    "light_elevation": Knob("rad", 1.1, "where the light comes from, above the horizon"),
    "light_strength": Knob("1", 1.0, "of all light", low=0, high=100),
    "light_warmth": Knob("1", 0.0, "more red and less blue light, as a share of either", low=-1, high=1),
}

CAMERA: Mapping[str, Knob] = {
    "camera_x": Knob("m", 0.0, "camera, away from its place beside the hand, along the hand's x axis", low=-1, high=1),
    "camera_y": Knob("m", 0.0, "the same along its y axis", low=-1, high=1),
    "camera_z": Knob("m", 0.0, "the same along its z axis, towards the fingertip", low=-1, high=1),
    "camera_tilt": Knob("rad", 0.0, "camera, turned about the picture's horizontal"),
    "camera_pan": Knob("rad", 0.0, "camera, turned about the picture's vertical"),
    "camera_roll": Knob("rad", 0.0, "camera, turned about its line of sight"),
    "camera_view": Knob("rad", 1.25, "field of view", low=0.01, high=3.1),
}

COLOURS: Mapping[str, Knob] = {
    "goal_hue": Knob("turn", 0.0, "goal's colour: 0 is red, 1/3 green, 2/3 blue"),
    "goal_shade": Knob("1", 0.9, "goal's brightness", low=0, high=1),
    "goal_texture": Knob("1", 0.0, f"goal's texture: {_TEXTURE}", low=0, high=PATTERNS),
    "sleeve_hue": Knob("turn", 0.64, "colour of the finger's sleeve"),
    "arm_hue": Knob("turn", 0.08, "arm's colour, which is pale"),
    "arm_shade": Knob("1", 0.8, "arm's brightness", low=0, high=1),
    "arm_texture": Knob("1", 0.0, f"arm's texture: {_TEXTURE}", low=0, high=PATTERNS),
    "ground_hue": Knob("turn", 0.1, "ground's colour, which is pale"),
    "ground_shade": Knob("1", 0.6, "ground's brightness", low=0, high=1),
    "ground_texture": Knob("1", 0.0, f"ground's texture: {_TEXTURE}", low=0, high=PATTERNS),
}

LOOK: Mapping[str, Knob] = {**LIGHT, **CAMERA, **COLOURS}
