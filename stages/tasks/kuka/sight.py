"""What is kept of a picture: its strong colours as moments, and for comparison the picture itself, coarsely."""

import numpy as np

from stages.core.task import Floats
from stages.tasks.kuka.scene import IMAGE, Pixels

MOMENTS = 7  # of each of four colours
NODES = 5  # a side, of the grid that the picture is reduced to
_PALE, _STRONG = 0.25, 0.3  # [1] opponency that is no colour and that is one: grey has 0, pure red 1
_DARK = 24.0  # sum of a pixel's three values, of 765; darker ones have no colour
_FEW = 5.0  # [px] keeps the apparent size of what is hardly there finite

_PLACES = (np.arange(IMAGE) + 0.5) / IMAGE * 2 - 1  # of pixels, from -1 to 1
# A pixel counts for the two nodes next to it, by how near they are.
_TENTS: Floats = np.maximum(0.0, 1 - np.abs((_PLACES + 1) / 2 * (NODES - 1) - np.arange(NODES)[:, None]))
COLOUR_CHANNELS, PIXEL_CHANNELS = 4 * MOMENTS, 3 * NODES**2


def colours(picture: Pixels) -> Floats:
    """Where red, green, blue and yellow are in a picture (IMAGE, IMAGE, 3): seven moments each (28,).

    Place (right, down), spread (right, down, both) and size, as the logarithm of the number of pixels and as the
    inverse of its root, which grows as the distance does. A colour is what stands out against its opponents, as a
    share of the light there is: light's strength and a surface's shade have no part in it. Sources: Itti, Koch and
    Niebur, IEEE PAMI 20 (1998), the four colours; Chaumette, IEEE Trans. Robotics 20 (2004), moments to move by.
    """
    red, green, blue = np.moveaxis(picture.astype(np.float64), 2, 0)
    light = red + green + blue
    light = np.where(light > _DARK, light, np.inf)
    opponents = (
        red - (green + blue) / 2,
        green - (red + blue) / 2,
        blue - (red + green) / 2,
        (red + green) / 2 - np.abs(red - green) / 2 - blue,
    )
    return np.concatenate([_moments((one / light - _PALE) / (_STRONG - _PALE)) for one in opponents])


def _moments(colour: Floats) -> Floats:
    """The seven moments of a map (IMAGE, IMAGE), of which what is below 0 or above 1 counts as 0 or 1."""
    colour = np.clip(colour, 0.0, 1.0)
    size = float(colour.sum())
    share = colour / max(size, 1e-9)
    across, down = share.sum(axis=0), share.sum(axis=1)
    x, y = across @ _PLACES, down @ _PLACES
    wide, high = np.sqrt(max(0.0, across @ _PLACES**2 - x * x)), np.sqrt(max(0.0, down @ _PLACES**2 - y * y))
    slanted = (_PLACES @ share @ _PLACES - x * y) / max(np.hypot(wide, high), 1e-9)
    return np.array([x, y, wide, high, slanted, np.log1p(size), 1 / np.sqrt(size + _FEW)])


def pixels(picture: Pixels) -> Floats:
    """The picture (IMAGE, IMAGE, 3) on a grid of NODES a side, from 0 to 1: red, then green, then blue (75,)."""
    planes = np.moveaxis(picture.astype(np.float64), 2, 0) / 255
    area = _TENTS.sum(axis=1)
    grid: Floats = _TENTS @ planes @ _TENTS.T / np.outer(area, area)
    return grid.ravel()
