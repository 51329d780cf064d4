"""Joint motion that moves the tool."""

import numpy as np

from stages.tasks.kuka.kinematics import joint_motion


def test_damped_least_squares_are_those_of_the_augmented_system() -> None:
    rng = np.random.default_rng(0)
    jacobian, motion, damping = rng.normal(size=(20, 3, 7)), rng.normal(size=(20, 3)), 0.3
    for one, way, found in zip(jacobian, motion, joint_motion(jacobian, motion, damping), strict=True):
        wanted = np.linalg.lstsq(np.vstack([one, damping * np.eye(7)]), np.append(way, np.zeros(7)), rcond=None)[0]
        assert np.allclose(found, wanted)
