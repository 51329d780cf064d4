"""A few channels in place of many: what a policy sees, summed up by a map that was fitted on its training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.bounds import LARGEST, SMALLEST
from stages.core.errors import UserError
from stages.core.params import EmbeddingSettings
from stages.core.policy import Arrays
from stages.core.task import Channel, Floats, vector

EMBEDDED = "embedded"  # the group of the channels that an embedding makes
_RIDGE = 1.0  # on coefficients, against rows that count up to 1
_STILL = 1 / 255  # [1] a channel that spreads less than a level of grey tells nothing
_FLAT = 1e-6  # [1] nor does a component that spreads less, as a share
_PREFIX = "embedding_"


@dataclass(frozen=True)
class Embedding:
    """From S seen channels to D embedded ones, which were known in training and are to be told from what is seen.

    What is seen is standardized, held within the range of the training rows, projected to K principal components of
    equal spread, and what is embedded is a polynomial of second degree in these. It is fitted by ridge regression in
    which rows count the more, the smaller what they teach is: near a goal the last centimetre matters.
    """

    columns: NDArray[np.int64]  # (S,) of the observation
    range: Floats  # (2, S) lowest and highest value in training
    scaling: Floats  # (2, S) mean and spread in training
    components: Floats  # (S, K)
    coefficients: Floats  # (1 + K + K (K + 1) / 2, D)

    @classmethod
    def fit(cls, observations: Floats, channels: Sequence[Channel], settings: EmbeddingSettings) -> Self:
        """Fit to the rows (N, O) of training. UserError for a group that is not there."""
        columns, known = (_columns(channels, group) for group in (settings.sees, settings.tells))
        seen, told = observations[:, columns], observations[:, known]
        columns = columns[seen.std(axis=0) > _STILL]
        seen = observations[:, columns]
        scaling = np.stack([seen.mean(axis=0), seen.std(axis=0)])
        standard = (seen - scaling[0]) / scaling[1]
        components = _principal(standard, settings.components)
        weights = settings.near / (np.sqrt(np.sum(told**2, axis=1)) + settings.near)
        terms = _terms(standard @ components) * weights[:, None]
        square = terms.T @ terms + _RIDGE * np.eye(terms.shape[1])
        coefficients = np.linalg.solve(square, terms.T @ (told * weights[:, None]))
        return cls(columns, np.stack([seen.min(axis=0), seen.max(axis=0)]), scaling, components, coefficients)

    def channels(self) -> tuple[Channel, ...]:
        """What it makes, as channels."""
        return vector(EMBEDDED, "1", self.coefficients.shape[1])

    def __call__(self, observations: Floats) -> Floats:
        """The embedded channels (B, D) of observations (B, O)."""
        seen = np.clip(observations[:, self.columns], self.range[0], self.range[1])
        standard = (seen - self.scaling[0]) / self.scaling[1]
        # Row by row (B, 1, S): a product of matrices rounds differently with the size of the batch.
        projected = standard[:, None] @ self.components
        return (_terms(projected[:, 0])[:, None] @ self.coefficients)[:, 0]

    def beside(self, observations: Floats) -> Floats:
        """The observations with the embedded channels after their own (B, O + D)."""
        return np.concatenate([observations, self(observations)], axis=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, for storage."""
        parts = ("columns", "range", "scaling", "components", "coefficients")
        return {f"{_PREFIX}{part}": getattr(self, part) for part in parts}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Embedding | None":
        """The embedding among the arrays of a policy, if it has one. Raises ValueError where they do not fit."""
        parts = {name.removeprefix(_PREFIX): one for name, one in arrays.items() if name.startswith(_PREFIX)}
        if not parts:
            return None
        made = cls(**parts)
        size, kept = made.components.shape
        shapes = (made.columns.shape, made.range.shape, made.scaling.shape, made.coefficients.shape[:1])
        if shapes != ((size,), (2, size), (2, size), (1 + kept + kept * (kept + 1) // 2,)):
            raise ValueError("its embedding does not fit together")
        if any(one.dtype != np.float64 for name, one in parts.items() if name != "columns"):
            raise ValueError("its embedding's numbers are none")
        if not all((np.abs(one) < LARGEST).all() for one in parts.values()):
            raise ValueError("its embedding's numbers are not finite, or too large")
        if (made.scaling[1] < SMALLEST).any():
            raise ValueError("its embedding's scaling is out of bounds")
        return made


def _columns(channels: Sequence[Channel], group: str) -> NDArray[np.int64]:
    columns = [place for place, channel in enumerate(channels) if channel.group == group]
    if not columns:
        groups = dict.fromkeys(channel.group for channel in channels)
        raise UserError(f"policy embedding: found {group}, allowed: {', '.join(groups)}")
    return np.array(columns)


def _principal(standard: Floats, count: int) -> Floats:
    """The projection (S, K) to at most `count` principal components, each with a spread of 1."""
    spreads, directions = np.linalg.eigh(standard.T @ standard / len(standard))
    spreads, directions = spreads[::-1][:count], directions[:, ::-1][:, :count]
    kept = spreads > _FLAT
    projection: Floats = directions[:, kept] / np.sqrt(spreads[kept])
    return projection


def _terms(values: Floats) -> Floats:
    """1, the values (B, K), and all their products of two."""
    one, other = np.triu_indices(values.shape[1])
    return np.concatenate([np.ones((len(values), 1)), values, values[:, one] * values[:, other]], axis=1)
