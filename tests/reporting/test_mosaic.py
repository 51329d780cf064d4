"""There is a picture, whatever was run."""

from io import BytesIO

from PIL import Image

from stages.reporting.mosaic import blank, mosaic
from stages.reporting.picture import Figure, Picture


def strip(colour: str, count: int) -> Figure:
    encoded = BytesIO()
    Image.new("RGB", (40, 30), colour).save(encoded, "PNG")
    picture = Picture(encoded.getvalue(), "image/png", colour, 40, 30)
    return Figure("A film", "", (picture,) * count, "film")


def test_strips_lie_one_above_the_other() -> None:
    made = mosaic([strip("red", 3), strip("blue", 2)])
    assert made is not None
    whole = Image.open(BytesIO(made)).convert("RGB")
    assert whole.size == (120, 66)
    assert [max(range(3), key=whole.getpixel((10, y)).__getitem__) for y in (5, 60)] == [0, 2]


def test_without_a_film_the_picture_says_so() -> None:
    assert mosaic([]) is None
    whole = Image.open(BytesIO(blank())).convert("L")
    assert whole.getextrema()[0] < 64  # words
    assert blank() == blank()
