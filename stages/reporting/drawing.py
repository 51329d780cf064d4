"""How charts look, and how they become pictures: the same bytes whenever the numbers are the same."""

from collections.abc import Iterator
from contextlib import contextmanager
import io
import re
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.reporting.picture import SVG, Picture

# Okabe and Ito's palette; a colour means a round, everywhere on the page.
FIRST, LAST, BETWEEN = "#D55E00", "#0072B2", "#8A8F98"
INK, MUTED, GRID = "#1b2530", "#5b6672", "#d8dde3"
_DARK = {
    FIRST: "#ff8a3d",
    LAST: "#5ab4f0",
    BETWEEN: "#9aa2ac",
    INK: "#e8ecf1",
    MUTED: "#a5afba",
    GRID: "#3a444f",
}
_STYLE: Any = {
    "svg.hashsalt": "report",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_FONT = "system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
# What matplotlib says of every mark, and no reader needs: a quarter of the bytes.
_LEAN = {
    r" font-family: [^;\"]*;": "",
    r' transform="rotate\(-0 [^"]*"': "",
    r'<g id="[^"]*">': "<g>",
    r" ?\n": "",
    r": (?=[^<>]*>)": ":",
    r"; (?=[^<>]*>)": ";",
}
_PIXELS_PER_INCH = 96
_MARGINS = (0.62, 0.46, 0.08, 0.3)  # [in] left, bottom, right, top


def round_colour(number: int, rounds: list[int]) -> str:
    """The colour of a round: first and last stand out."""
    if number == rounds[-1] and len(rounds) > 1:
        return LAST
    return FIRST if number == rounds[0] else BETWEEN


class Chart:
    """One chart under way: draw into `axes`, then take its `picture`."""

    def __init__(self, width: float, height: float) -> None:
        """A chart of that size [in], with the same margins about it as every other: to fit them to the text is slow."""
        self.figure = Figure(figsize=(width, height))
        left, bottom, right, top = _MARGINS
        self.figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
        self.figure.patch.set_alpha(0)
        self.axes: Axes = self.figure.add_subplot()
        self.axes.patch.set_alpha(0)

    def picture(self, alt: str) -> Picture:
        """The chart as SVG, for light and for dark surroundings."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        width, height = (round(inches * _PIXELS_PER_INCH) for inches in self.figure.get_size_inches())
        return Picture(_finish(buffer.getvalue()).encode(), SVG, alt, width, height)


@contextmanager
def chart(width: float = 3.0, height: float = 2.3) -> Iterator[Chart]:
    """A chart in the page's style."""
    with matplotlib.rc_context(_STYLE):
        yield Chart(width, height)


def _finish(svg: str) -> str:
    """Without what no reader needs, in the reader's own font, its colours changed where the surroundings are dark."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", svg)
    for pattern, lean in _LEAN.items():
        svg = re.sub(pattern, lean, svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"\d+\.\d{3,}", _hundredths, tag[0]), svg)  # not in what is said
    rules = "".join(
        f'[style*="{part}:{light.lower()}"]{{{part}:{dark}!important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    )
    style = f"<style>text{{font-family:{_FONT}}}@media(prefers-color-scheme:dark){{{rules}}}</style>"
    return svg.replace("<defs>", f"{style}<defs>", 1)


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
