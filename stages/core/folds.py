"""Which rows are left out together in cross-validation.

Written here because scikit-learn's GroupKFold, whose rule this is, takes two seconds to import: as long as a training.
"""

from collections.abc import Iterator

import numpy as np

from stages.core.episode import Ints


def folds_by_episode(episode: Ints, folds: int) -> Iterator[tuple[Ints, Ints]]:
    """Row numbers learned from and left out, fold by fold, of rows (N,) that stay together by episode.

    Episodes are dealt out from the longest to the shortest, each to the fold with the fewest rows so far (Graham, SIAM
    J. Applied Mathematics 17, 1969), so that folds differ by no more than an episode. `folds` is at most their number.
    """
    _, ranks, lengths = np.unique(episode, return_inverse=True, return_counts=True)
    rows, fold_of = np.zeros(folds, dtype=np.int64), np.empty(len(lengths), dtype=np.int64)
    for rank in np.argsort(-lengths, kind="stable"):
        fold_of[rank] = rows.argmin()
        rows[fold_of[rank]] += lengths[rank]
    for fold in range(folds):
        left_out = fold_of[ranks] == fold
        yield np.flatnonzero(~left_out), np.flatnonzero(left_out)


def folds_by_block(rows: int, folds: int) -> Iterator[tuple[Ints, Ints]]:
    """The same for contiguous blocks of `rows` rows, of which there are at least `folds`."""
    everything = np.arange(rows)
    for block in np.array_split(everything, folds):
        yield np.delete(everything, block), block
