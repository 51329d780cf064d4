"""Folds leave every row out once, keep episodes together and are of about one size: as scikit-learn's are."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold

from stages.core.folds import folds_by_block, folds_by_episode


@pytest.mark.parametrize("folds", [2, 5, 9])
def test_folds_by_episode_are_those_of_scikit_learn(folds: int) -> None:
    """Lengths that all differ leave it no choice; equal ones it orders as it likes."""
    lengths = np.random.default_rng(folds).permutation(np.arange(3, 3 + 4 * folds))
    episode = np.repeat(np.arange(len(lengths)) * 10, lengths)
    ours = list(folds_by_episode(episode, folds))
    theirs = list(GroupKFold(folds).split(episode, groups=episode))
    for (learned, left_out), (their_learned, their_left_out) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(learned, their_learned)
        np.testing.assert_array_equal(left_out, their_left_out)


@pytest.mark.parametrize("length", [1, 7])
def test_episodes_of_one_length_are_dealt_out_evenly(length: int) -> None:
    episode = np.repeat(np.arange(23), length)
    left_out = [rows for _, rows in folds_by_episode(episode, 5)]
    assert sorted(np.concatenate(left_out)) == list(range(len(episode)))
    assert {len(rows) // length for rows in left_out} == {4, 5}


@pytest.mark.parametrize(("rows", "folds"), [(2, 2), (10, 5), (13, 5)])
def test_folds_by_block_are_those_of_scikit_learn(rows: int, folds: int) -> None:
    theirs = KFold(folds).split(np.zeros(rows))
    for ours, other in zip(folds_by_block(rows, folds), theirs, strict=True):
        np.testing.assert_array_equal(ours[0], other[0])
        np.testing.assert_array_equal(ours[1], other[1])
