"""One picture for those who have not opened the page yet."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from stages.reporting.picture import Figure

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 80
_GAP = 6  # [px] between the strips


def mosaic(figures: Sequence[Figure]) -> bytes | None:
    """The strips of the arm one above the other, as JPEG; None where there is none."""
    from PIL import Image

    strips = [figure.pictures for figure in figures if figure.kind == "film"]
    if not strips:
        return None
    width = max(sum(picture.width for picture in strip) for strip in strips)
    height = sum(strip[0].height + _GAP for strip in strips) - _GAP
    whole = Image.new("RGB", (width, height), "white")
    top = 0
    for strip in strips:
        left = 0
        for picture in strip:
            whole.paste(Image.open(BytesIO(picture.content)), (left, top))
            left += picture.width
        top += strip[0].height + _GAP
    return _encoded(whole)


def blank() -> bytes:
    """A picture that says why there is none, as JPEG."""
    from PIL import Image, ImageDraw

    whole = Image.new("RGB", (480, 60), "white")
    ImageDraw.Draw(whole).text((20, 24), "No task that was run has a film.", fill="black")
    return _encoded(whole)


def _encoded(whole: "Image") -> bytes:
    encoded = BytesIO()
    whole.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()
