"""What happens to an observation on its way to the controller."""

import numpy as np

from stages.core.episode import Plan
from stages.core.rollout import expert_controller, rollout
from stages.core.streams import stream
from stages.core.task import NOISE_KNOBS
from tests.core.test_promises import Cart


def test_a_bias_is_one_and_the_same_in_all_of_an_episode() -> None:
    world = {knob: known.default for knob, known in {**Cart.knobs, **NOISE_KNOBS}.items()}
    (episode,) = rollout(
        Cart, expert_controller(Cart), [Plan(0, "test", 7, {**world, "observation_bias": 0.1})], 150, 1
    )
    quiet = next(rollout(Cart, expert_controller(Cart), [Plan(0, "test", 7, world, episode.executed)], 150, 1))
    bias = stream(7, "observation_bias").uniform(-1, 1, 2)
    assert np.array_equal(episode.observations, quiet.observations + 0.1 * bias)
