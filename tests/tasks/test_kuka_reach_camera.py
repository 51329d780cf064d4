"""The goal is seen, not told: what the policy does hangs on the picture alone."""

from collections.abc import Callable

import numpy as np

from stages.core.episode import Episode
from stages.core.settings import Settings
from stages.core.task import Floats
from stages.policies import POLICIES
from stages.probing.calibration import steps_of
from stages.tasks.kuka_reach_camera import KukaReachCamera

NAME = "kuka_reach_camera"


def columns(group: str) -> list[int]:
    return [place for place, channel in enumerate(KukaReachCamera.observation) if channel.group == group]


def test_the_policy_as_shipped_is_not_told_where_the_goal_is(
    shown: Callable[[str], list[Episode]], settings: Settings
) -> None:
    known = steps_of(shown(NAME))
    cloning = settings.of(settings.params.policy, "policy", NAME)
    policy = POLICIES[cloning.kind].fit(known, cloning, KukaReachCamera.observation)
    answer = policy.act(known.observations)
    hidden, blind = known.observations.copy(), known.observations.copy()
    hidden[:, columns("offset")] = 7.0
    blind[:, columns("colour")] = known.observations[::-1][:, columns("colour")]
    assert np.array_equal(policy.act(hidden).actions, answer.actions)
    assert not np.array_equal(policy.act(blind).actions, answer.actions)


def test_the_expert_needs_no_eyes(shown: Callable[[str], list[Episode]]) -> None:
    seen = steps_of(shown(NAME)).observations
    blind: Floats = seen.copy()
    blind[:, [*columns("colour"), *columns("pixel")]] = 0
    assert np.array_equal(KukaReachCamera.expert(blind), KukaReachCamera.expert(seen))
