"""Pictures that travel inside the page."""

from base64 import b64encode
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, with what it shows in words."""

    source: str
    alt: str
    width: int  # [px]
    height: int  # [px]
    caption: tuple[str, ...] = ()  # lines below it
    alarm: bool = False  # novelty above the threshold at this moment


@dataclass(frozen=True)
class Figure:
    """Pictures under one caption."""

    title: str
    caption: str
    pictures: tuple[Picture, ...]
    kind: str = "panels"  # how they are laid out: panels, film, or film row (over the whole width)


def embed(content: bytes, kind: str) -> str:
    """The data URI of an image of that MIME type."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
