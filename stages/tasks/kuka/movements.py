"""Movements of the arm that are shown with sliders: two of them scripted, others read from demonstrations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np

from stages.core.task import Floats
from stages.tasks.kuka.dynamics import PHYSICS_STEP

STEPS = 2400  # of a scripted movement: 10 s
RAMP = 1.0  # [s] in which a scripted movement gathers speed, and loses it at its end
MOVES = 0.02  # [rad] a joint that covers less than this is meant to stand still

# waves: every joint swings about a pose in front of the arm at a frequency of its own: no state is crossed twice.
WAVES_POSE = np.array([0.0, 0.3, 0.0, -1.3, 0.0, 1.0, 0.0])  # [rad]
WAVES_SWING = np.array([0.6, 0.3, 0.4, 0.4, 0.5, 0.4, 0.7])  # [rad]
WAVES_FREQUENCY = np.array([0.10, 0.17, 0.13, 0.21, 0.15, 0.19, 0.25])  # [Hz]
# raise: joint 2 lifts the outstretched arm and lowers it again, through the same states.
RAISE_POSE = np.array([1.8, 1.2, 0.0, -0.5, 0.0, 0.5, 0.0])  # [rad]
RAISE_JOINT, RAISE_BY = 1, -1.0  # [rad] up is towards zero


@dataclass(frozen=True)
class Reference:
    """A movement to follow, T frames long."""

    joints: Floats  # (T + 1, 7) [rad] where the arm is before each frame, and after the last
    hand: Floats  # (T, 7) [rad] where the sliders are in each frame

    @property
    def amplitude(self) -> Floats:
        """Highest less lowest angle (7,) [rad] of each joint."""
        amplitude: Floats = np.ptp(self.joints, axis=0)
        return amplitude

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of all its numbers."""
        return crc32(self.hand.tobytes(), crc32(self.joints.tobytes()))


def _progress() -> Floats:
    """Time along a scripted movement (T + 1,) [s]: from rest to full speed and back, at constant acceleration."""
    time = np.arange(STEPS + 1) * PHYSICS_STEP
    duration = STEPS * PHYSICS_STEP
    begun = np.minimum(time, RAMP) ** 2 / (2 * RAMP) + np.clip(time - RAMP, 0, None)
    left = np.minimum(duration - time, RAMP)
    progress: Floats = np.where(time < duration - RAMP, begun, duration - RAMP - left**2 / (2 * RAMP))
    return progress


def waves() -> Floats:
    """Slider values (T + 1, 7) [rad] of a Lissajous figure in all joints."""
    sliders: Floats = WAVES_POSE + WAVES_SWING * np.sin(2 * np.pi * WAVES_FREQUENCY * _progress()[:, None])
    return sliders


def raise_joint() -> Floats:
    """Slider values (T + 1, 7) [rad] that raise one joint and bring it back."""
    progress = _progress()
    sliders = np.tile(RAISE_POSE, (STEPS + 1, 1))
    sliders[:, RAISE_JOINT] += RAISE_BY * (1 - np.cos(2 * np.pi * progress / progress[-1])) / 2
    return sliders


SCRIPTED: Mapping[str, Callable[[], Floats]] = {"waves": waves, "raise": raise_joint}


def scripted_references() -> list[Reference]:
    """What the scripted hand shows, in the order of `SCRIPTED`; the arm is measured against the sliders themselves.

    The hand is under way in the first frame already. Were its first command to stay, no neighbour of the start would
    tell how to leave it.
    """
    return [Reference(sliders, sliders[1:]) for sliders in (make() for make in SCRIPTED.values())]


def stillness(joints: Floats) -> str | None:
    """What is wrong with a movement (T, 7) [rad] in which every joint is meant to stand still; otherwise None."""
    covered = np.ptp(joints, axis=0).max()
    if covered > MOVES:
        return None
    return f"found no joint that covers more than {covered:.2g} rad, allowed: more than {MOVES} rad"
