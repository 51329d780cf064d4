"""An episode in which nothing was random counts once."""

import pandas as pd

from stages.measuring.distinct import distinct


def test_copies_count_once_in_a_condition_unless_something_in_them_was_random() -> None:
    episodes = pd.DataFrame(
        [
            ("still", 1, 0.5, 0.0, 7, 0.1),
            ("still", 2, 0.5, 0.0, 7, 0.1),  # a copy
            ("still", 3, 0.6, 0.0, 7, 0.1),  # another world
            ("still", 4, 0.5, 0.0, 7, 0.2),  # ended otherwise: its start was random
            ("noisy", 1, 0.5, 0.1, 7, 0.1),
            ("noisy", 2, 0.5, 0.1, 7, 0.1),  # the same by chance
            ("again", 1, 0.5, 0.0, 7, 0.1),  # in another condition
        ],
        columns=["condition", "seed", "world.start", "world.action_noise", "steps", "error"],
    )
    once = distinct(episodes)
    assert list(zip(once["condition"], once["seed"], strict=True)) == [
        *(("still", seed) for seed in (1, 3, 4)),
        *(("noisy", seed) for seed in (1, 2)),
        ("again", 1),
    ]
