"""What cannot be true of an arm: so a person's recording of mistaken units is told."""

import numpy as np

from stages.core.task import Floats
from stages.tasks.kuka.kinematics import LIMITS

MARGIN = 0.5  # [rad] beyond a joint's limit: the simulated arm overshoots it by 0.4 where sliders jump to their ends


def beyond_limits(joints: Floats) -> str | None:
    """What is wrong with angles (T, 7) [rad] that the arm cannot reach; otherwise None."""
    beyond = np.abs(joints) - LIMITS
    row, joint = np.unravel_index(beyond.argmax(), beyond.shape)
    if beyond[row, joint] <= MARGIN:
        return None
    limit = f"-{LIMITS[joint]:.3f} to {LIMITS[joint]:.3f} rad"
    return f"found joint_{joint + 1} at {joints[row, joint]:.4g} rad in row {row + 1}, allowed: {limit}"
