"""The lesson: sliders move the arm's joints, and the clone has to repeat the movement."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from stages.core.columns import values
from stages.core.errors import UserError
from stages.core.task import Channel, Floats, Knob, Outcome, Task, World, vector
from stages.tasks.kuka.arm import Arm, Motion
from stages.tasks.kuka.dynamics import KNOBS, PHYSICS_STEP, Delay, Dynamics, physics_steps
from stages.tasks.kuka.kinematics import JOINTS, LIMITS
from stages.tasks.kuka.movements import MOVES, SCRIPTED, Reference, scripted_references, stillness
from stages.tasks.kuka.plausible import beyond_limits, mistimed

TORQUES = (500.0,) * JOINTS  # [N m] the lesson's
SLIDER = 3.14  # [rad] the sliders reach from -3.14 to 3.14
LIMIT_MARGIN = 0.02  # [rad] beyond a joint's limit; more counts as a crash
_BEYOND = LIMITS + LIMIT_MARGIN  # (7,) [rad]
MEAN_BOUND = 0.05  # [1] success: joint errors are at most this share of the movement's amplitude in the mean ...
WORST_BOUND = 0.25  # [1] ... and never more than this share


class KukaJoints(Task):
    """Observed: joints, their velocities, the last command, the clock. Action: joint targets, as from sliders [rad].

    `hand` is where the demonstrator's sliders are at this moment. It is observed so that the expert, who alone may look
    at it, is a function of the observation; a policy that had it as a feature would only copy it.
    """

    observation: ClassVar = (
        *vector("joint", "rad", JOINTS),
        *vector("velocity", "rad/s", JOINTS),
        *vector("last_target", "rad", JOINTS),
        Channel("clock", "s"),
        *vector("hand", "rad", JOINTS),
    )
    action: ClassVar = vector("target", "rad", JOINTS)
    recorded: ClassVar = (*vector("joint", "rad", JOINTS), *vector("velocity", "rad/s", JOINTS), *action)
    knobs: ClassVar[Mapping[str, Knob]] = {
        "movement": Knob(
            "1", 0.0, "which demonstration is followed; in a demonstration, which movement", integer=True, low=0
        ),
        "start_offset": Knob(
            "rad", 0.0, "largest joint's distance from the movement's start, in a random direction", low=0, high=10
        ),
        **KNOBS,
    }
    hidden: ClassVar = frozenset(KNOBS)
    control_period: ClassVar = PHYSICS_STEP
    error_unit: ClassVar = "rad"
    detail_units: ClassVar = {
        "mean_error": "rad",
        "worst_error": "rad",
        "mean_relative": "1",
        "worst_relative": "1",
        "travelled": "1",
    }
    given_units: ClassVar = {"followed": "1"}

    def __init__(self, demonstrations: Sequence[Reference] | None = None) -> None:
        """Follow one of the demonstrations; without any, demonstrate a scripted movement."""
        self.follows = demonstrations is not None
        self.references = scripted_references() if demonstrations is None else demonstrations
        self.arm = Arm(TORQUES)

    @classmethod
    def prepare(cls, demonstrations: Path | None, max_steps: int | None = None) -> Callable[[], Task]:
        """What makes instances that follow the episodes in the folder `demonstrations`.

        UserError without one, and where one of them takes longer than `max_steps`: it is followed to its end.
        """
        if demonstrations is None:
            raise UserError("--demonstrations: found nothing, allowed: the folder of those that kuka_joints follows")
        references = read_references(demonstrations)
        longest = max(len(one.hand) for one in references)
        if max_steps is not None and longest > max_steps:
            least = f"at least {longest}, the steps of the longest demonstration, which is followed to its end"
            raise UserError(f"max_steps of kuka_joints: found {max_steps}, allowed: {least}")
        return partial(cls, references)

    @classmethod
    def flaw(cls, recorded: Floats) -> str | None:
        """A movement of this arm is wanted, at the rate and in the units that its velocities tell."""
        joints, velocities = recorded[:, :JOINTS], recorded[:, JOINTS : 2 * JOINTS]
        return beyond_limits(joints) or stillness(joints) or mistimed(joints, velocities, cls.control_period)

    @classmethod
    def complete(cls, recorded: Floats) -> tuple[Floats, Floats]:
        """Observations and actions of a recording: the last command and the clock follow from its targets and rows."""
        joints, targets = recorded[:, :JOINTS], recorded[:, 2 * JOINTS :]
        last_targets = np.concatenate([joints[:1], targets[:-1]])
        clock = np.arange(len(recorded))[:, None] * cls.control_period
        return np.concatenate([recorded[:, : 2 * JOINTS], last_targets, clock, targets], axis=1), targets

    def reset(self, world: World, rng: "np.random.Generator") -> Floats:
        """The arm at rest where the movement starts, or near it. UserError for a movement there is not."""
        self.reference = self._find(world["movement"])
        direction = rng.uniform(-1, 1, JOINTS)
        start = self.reference.joints[0] + world["start_offset"] * direction / np.abs(direction).max()
        self.last_targets = start
        self.moving = np.flatnonzero(self.reference.amplitude > MOVES)
        self.frame = 0
        self.error = 0.0
        self.outcome: Outcome | None = None
        self.joints = start
        self.errors: list[Floats] = []  # of moving joints, step by step
        self.way = 0.0  # [rad] that the moving joints have covered together
        self.delay = Delay(world, start)
        self.physics_steps = physics_steps(world, self.control_period)
        motion = self.arm.reset(start.tolist(), Dynamics.of(world, self.control_period))
        return self._observe(motion)

    def step(self, action: Floats) -> Floats:
        """One physics step with the sliders set to the action, as far as they reach."""
        # Ufuncs themselves: `clip`, `mean` and `sum` would take as long as all PyBullet does here.
        self.last_targets = np.minimum(np.maximum(action, -SLIDER), SLIDER)
        self.arm.command(self.delay(self.last_targets).tolist())
        motion = self.arm.advance(self.physics_steps)
        joints = np.array(motion.joints)
        self.frame += 1
        errors = np.abs(joints - self.reference.joints[self.frame])[self.moving]
        self.errors.append(errors)
        self.error = float(np.add.reduce(errors) / len(errors))
        self.way += float(np.add.reduce(np.abs(joints - self.joints)[self.moving]))
        self.joints = joints
        self._judge()
        return self._observe(motion)

    def _find(self, movement: float) -> Reference:
        count = len(self.references)
        if not 0 <= movement < count:
            kind = "demonstrations" if self.follows else f"scripted movements ({', '.join(SCRIPTED)})"
            raise UserError(f"movement: found {movement:g}, allowed: 0 to {count - 1}, as there are {count} {kind}")
        return self.references[int(movement)]

    def _observe(self, motion: Motion) -> Floats:
        hand = self.reference.hand[min(self.frame, len(self.reference.hand) - 1)]
        clock = self.frame * self.control_period
        return np.concatenate((*motion, self.last_targets, (clock,), hand))

    def _judge(self) -> None:
        if (np.abs(self.joints) > _BEYOND).any() or self.arm.client.getContactPoints(self.arm.body):
            self.outcome = "crash"
        elif self.frame == len(self.reference.hand):
            details = self.details()
            near = details["mean_relative"] <= MEAN_BOUND and details["worst_relative"] <= WORST_BOUND
            # Who demonstrates has nothing to follow but the own hand.
            self.outcome = "success" if near or not self.follows else "timeout"

    @staticmethod
    def expert(observations: Floats) -> Floats:
        """Where the demonstrator's hand has the sliders at this moment."""
        return observations[:, -JOINTS:].copy()

    @staticmethod
    def hold(observations: Floats) -> Floats:
        """Leave the sliders where they are."""
        return observations[:, 2 * JOINTS : 3 * JOINTS].copy()

    @staticmethod
    def runaway(observations: Floats) -> Floats:
        """Every slider at its upper end."""
        return np.full((len(observations), JOINTS), SLIDER)

    def final_error(self) -> float:
        """The mean joint error [rad] over the episode so far."""
        return float(np.mean(self.errors))

    def details(self) -> dict[str, float]:
        """Joint errors over the episode so far, and the way covered as a share of the reference's (0 of none)."""
        errors = np.array(self.errors)
        relative = errors / self.reference.amplitude[self.moving]
        way = np.abs(np.diff(self.reference.joints[: self.frame + 1, self.moving], axis=0)).sum()
        return {
            "mean_error": float(errors.mean()),
            "worst_error": float(errors.max()),
            "mean_relative": float(relative.mean()),
            "worst_relative": float(relative.max()),
            "travelled": self.way / float(way) if way else 0.0,
        }

    def given(self) -> dict[str, float]:
        """The checksum of what is followed: with other demonstrations the same number is another movement."""
        return {"followed": float(self.reference.checksum)}

    def close(self) -> None:
        """End the simulation."""
        self.arm.close()


def read_references(folder: Path) -> list[Reference]:
    """The demonstrations in the folder, in their order, as movements to follow; UserError where one does not move."""
    from stages.core.tables import episode_slices, matrix, read_episodes

    steps, _ = read_episodes(folder, "kuka_joints", KukaJoints)
    joints = matrix(steps, "observation", vector("joint", "rad", JOINTS))
    hand = matrix(steps, "action", KukaJoints.action)
    parts = episode_slices(values(steps["episode_index"]))
    for number, part in enumerate(parts):
        problem = stillness(joints[part])
        if problem is not None:
            raise UserError(f"{folder}: episode {number}: {problem}")
    # Where the arm was after the last frame is not recorded: taken as before it.
    return [Reference(joints[[*range(part.start, part.stop), part.stop - 1]], hand[part]) for part in parts]
