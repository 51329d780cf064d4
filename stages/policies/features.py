"""The space in which observations are near to each other or far apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.core.bounds import SMALLEST
from stages.core.errors import UserError
from stages.core.params import FeatureSettings
from stages.core.task import Channel, Floats


@dataclass(frozen=True)
class Features:
    """Chosen channels of an observation, each divided by its scale and, where asked for, compressed.

    Scales are physical and fixed: what is near is then not a matter of how far the demonstrations spread. `asinh` keeps
    distances below the scale and turns larger ones into their logarithm, so that the last centimetre counts as much as
    the first metre.
    """

    columns: NDArray[np.int64]  # (F,) of the observation
    scales: Floats  # (F,) in the channel's unit
    squashed: NDArray[np.bool_]  # (F,)

    @classmethod
    def choose(cls, channels: Sequence[Channel], settings: Mapping[str, FeatureSettings]) -> Self:
        """The features that `settings` name, by group of channels; UserError for a group that is not there."""
        groups = list(dict.fromkeys(channel.group for channel in channels))
        unknown = [group for group in settings if group not in groups]
        if unknown:
            raise UserError(f"policy features: found {', '.join(unknown)}, allowed: {', '.join(groups)}")
        columns = [place for place, channel in enumerate(channels) if channel.group in settings]
        chosen = [settings[channels[place].group] for place in columns]
        return cls(
            np.array(columns),
            np.array([float(one.scale) for one in chosen]),
            np.array([one.squash == "asinh" for one in chosen]),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The features that were stored. Raises ValueError or KeyError where they are not such arrays."""
        columns, scales, squashed = arrays["columns"], arrays["scales"], arrays["squashed"]
        if columns.dtype.kind != "i" or scales.dtype != np.float64 or squashed.dtype != np.bool_:
            raise ValueError("its features are no features")
        if (columns < 0).any() or not ((scales >= SMALLEST) & (scales < np.inf)).all():
            raise ValueError("its features are out of bounds")
        return cls(columns, scales, squashed)

    def __call__(self, observations: Floats) -> Floats:
        """Features (B, F) of observations (B, O)."""
        scaled = observations[:, self.columns] / self.scales
        if self.squashed.any():
            scaled[:, self.squashed] = np.arcsinh(scaled[:, self.squashed])
        return scaled

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, for storage."""
        return {"columns": self.columns, "scales": self.scales, "squashed": self.squashed}
