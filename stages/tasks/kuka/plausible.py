"""What no arm can have done: it shows that a recording is in wrong units, at another rate or of mixed-up columns."""

import numpy as np

from stages.core.task import Floats
from stages.tasks.kuka.kinematics import LIMITS

MARGIN = 0.5  # [rad] beyond a joint's limit: the simulated arm overshoots it by 0.4 where sliders jump to their ends
APART = 0.05  # [m] from where one row has a goal to where the others have it: noise and bias of sensors do 0.02
REACH = 2.0  # [m] from the arm's foot to a goal: more than arm and tool are long
ROWS = 60  # over so many, angles are compared with velocities: from row to row, noise might tell more than motion
SEEN = 0.02  # [rad] a joint that turns less meanwhile tells nothing of its velocity
AGREE = 0.5  # [1] two ways agree if what is between them is at most this share of the longer one


def beyond_limits(joints: Floats) -> str | None:
    """What is wrong with angles (T, 7) [rad] that the arm cannot reach; otherwise None."""
    beyond = np.abs(joints) - LIMITS
    row, joint = np.unravel_index(beyond.argmax(), beyond.shape)
    if beyond[row, joint] <= MARGIN:
        return None
    limit = f"-{LIMITS[joint]:.3f} to {LIMITS[joint]:.3f} rad"
    return f"found joint_{joint + 1} at {joints[row, joint]:.4g} rad in row {row + 1}, allowed: {limit}"


def mistimed(joints: Floats, velocities: Floats, period: float) -> str | None:
    """What is wrong with angles (T, 7) [rad] that change otherwise than their velocities (T, 7) [rad/s] say.

    With a row each `period` [s]. None where every joint turns from half to double as far as it should, or hardly turns.
    """
    rows = min(ROWS, len(joints) - 1)
    sums = np.cumsum(velocities, axis=0) * period
    turned, told = (angles[rows:] - angles[: len(angles) - rows] for angles in (joints, sums))
    gap = _gap(turned, told)
    start, joint = np.unravel_index(gap.argmax(), gap.shape)
    if not gap[start, joint]:
        return None
    found = f"joint_{joint + 1} to turn {turned[start, joint]:.3g} rad in rows {start + 1} to {start + rows + 1}"
    far = f"{told[start, joint]:.3g} rad by its velocities"
    allowed = f"half to double that, with velocities in rad/s and rows 1/{1 / period:g} s apart"
    return f"found {found}, and {far}, allowed: {allowed}"


def _gap(turned: Floats, told: Floats) -> Floats:
    """What is between two tellings of how joints turn, each (W, 7) [rad]; 0 for joints in which they agree."""
    seen = np.maximum(np.abs(turned), np.abs(told)) > SEEN
    gap, turned, told = (np.where(seen, np.abs(way), 0) for way in (turned - told, turned, told))
    longer = np.maximum((turned**2).sum(axis=0), (told**2).sum(axis=0))
    disagree = (gap**2).sum(axis=0) > AGREE**2 * longer
    return np.where(disagree, gap, 0.0)


def misplaced(places: Floats, parts: str) -> str | None:
    """What is wrong with places (T, 3) [m] that ought to be one, within reach; otherwise None.

    `parts` says what of a recording leads there.
    """
    others = np.median(places, axis=0)
    for start, name, allowed in ((np.zeros(3), "the arm's foot", REACH), (others, "where other rows lead", APART)):
        apart = np.sqrt(np.sum((places - start) ** 2, axis=1))
        row = int(apart.argmax())
        if apart[row] > allowed:
            found = f"{parts} of row {row + 1} to lead {apart[row]:.4g} m away from {name}"
            return f"found {found}, allowed: {allowed:g} m, with angles in rad and ways in m"
    return None
