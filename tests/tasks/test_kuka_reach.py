"""What only this task promises."""

import numpy as np
import pytest

from stages.core.errors import UserError
from stages.tasks.kuka_reach import REST, start_pose


def test_a_start_pose_is_as_far_from_rest_as_asked() -> None:
    for offset in (0.0, 0.3, 1.0):
        pose = start_pose(offset, np.random.default_rng(3))
        assert np.abs(pose - REST).max() == pytest.approx(offset)


@pytest.mark.parametrize("offset", [5.0, 1e300])
def test_a_start_pose_beyond_the_joints_limits_is_told_and_not_drawn_for_ever(offset: float) -> None:
    with pytest.raises(UserError, match=r"start_offset: found .*, allowed: less"):
        start_pose(offset, np.random.default_rng(3))
