"""Procedural textures: what surfaces may look like instead of plain."""

from functools import cache
import io

import numpy as np

from stages.core.streams import stream
from stages.core.task import Floats

PATTERNS = 12
SIZE = 64  # [px] a side
_DARKEST = 0.45  # [1] of the surface's own colour, which the brightest place has


@cache
def patterns() -> tuple[bytes, ...]:
    """Grey pictures as PNG, the same each time: checks, stripes, blots and grain in turn, ever finer."""
    kinds = (_checks, _stripes, _blots, _grain)
    fineness = [4 * (1 + number // len(kinds)) for number in range(PATTERNS)]
    return tuple(
        _png(kinds[number % len(kinds)](fine, stream(0, "pattern", number))) for number, fine in enumerate(fineness)
    )


def _png(wave: Floats) -> bytes:
    """A map (SIZE, SIZE) as a picture, from the darkest to white."""
    from PIL import Image

    low, high = wave.min(), wave.max()
    grey = _DARKEST + (1 - _DARKEST) * (wave - low) / (high - low)
    encoded = io.BytesIO()
    Image.fromarray(np.round(255 * grey).astype(np.uint8)).convert("RGB").save(encoded, "PNG")
    return encoded.getvalue()


def _grid() -> tuple[Floats, Floats]:
    """Coordinates (SIZE, SIZE) in turns, from 0 to 1."""
    across, down = np.meshgrid(np.arange(SIZE) / SIZE, np.arange(SIZE) / SIZE)
    return across, down


def _checks(fineness: int, _: "np.random.Generator") -> Floats:
    across, down = _grid()
    return (np.floor(2 * fineness * across) + np.floor(2 * fineness * down)) % 2


def _stripes(fineness: int, rng: "np.random.Generator") -> Floats:
    across, down = _grid()
    turns = rng.integers(-2, 3)
    return np.floor(2 * (fineness * across + turns * down)) % 2


def _blots(fineness: int, rng: "np.random.Generator") -> Floats:
    """A sum of a few waves in random directions."""
    across, down = _grid()
    waves = np.zeros((SIZE, SIZE))
    for _ in range(6):
        right, up = rng.integers(-fineness, fineness + 1, 2)
        waves += np.cos(2 * np.pi * (right * across + up * down + rng.random()))
    return waves


def _grain(fineness: int, rng: "np.random.Generator") -> Floats:
    """Squares of random grey."""
    squares = rng.random((4 * fineness, 4 * fineness))
    place = np.arange(SIZE) * len(squares) // SIZE
    return squares[np.ix_(place, place)]
