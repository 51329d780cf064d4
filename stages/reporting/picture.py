"""Pictures that travel inside the page."""

from base64 import b64encode
from dataclasses import dataclass
import re
from urllib.parse import quote

SVG, JPEG = "image/svg+xml", "image/jpeg"
_PLAIN = " !$'()*+,-./:;<=>?@[]^_`{|}~"  # what may stand in a data URI between double quotes
_TAG = re.compile(r"<[^>]*>")


def _single(tag: re.Match[str]) -> str:
    """The tag with its attributes between single quotes: a double one takes three characters in a data URI."""
    return tag[0] if "'" in tag[0] else tag[0].replace('"', "'")


@dataclass(frozen=True)
class Picture:
    """An image, with what it shows in words."""

    content: bytes
    kind: str  # MIME type
    alt: str
    width: int  # [px]
    height: int  # [px]
    caption: tuple[str, ...] = ()  # lines below it
    alarm: bool = False  # novelty above the threshold at this moment

    @property
    def source(self) -> str:
        """The image as a data URI; SVG as the text it is, which takes less than base64."""
        if self.kind == SVG:
            return f"data:{self.kind},{quote(_TAG.sub(_single, self.content.decode()), safe=_PLAIN)}"
        return f"data:{self.kind};base64,{b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class Figure:
    """Pictures under one caption."""

    title: str
    caption: str
    pictures: tuple[Picture, ...]
    kind: str = "panels"  # how they are laid out: panels, film, or film row (over the whole width)
