"""Links to the parts of a section, made of the headings that it has in the end."""

from html import unescape
import re

PLACE = "<!-- contents -->"  # in a section that is to have them

_SECTION = re.compile(r'<section id="([^"]+)">.*?</section>', re.DOTALL)
_HEADING = re.compile(r"<h3>(.*?)</h3>")


def with_contents(page: str) -> str:
    """The page, its headings with names of their own, and links to them where a section has the place for it."""
    return _SECTION.sub(_linked, page)


def _linked(section: re.Match[str]) -> str:
    html, name = section[0], section[1]
    if PLACE not in html:
        return html
    anchors = {title: f"{name}-{_slug(title)}" for title in _HEADING.findall(html)}
    html = _HEADING.sub(lambda heading: f'<h3 id="{anchors[heading[1]]}">{heading[1]}</h3>', html)
    links = "\n".join(f'<a href="#{anchor}">{title}</a>' for title, anchor in anchors.items())
    return html.replace(PLACE, f'<nav class="within" aria-label="{name}">\n{links}\n</nav>')


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", unescape(title).lower()))
