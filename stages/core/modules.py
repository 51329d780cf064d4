"""Modules as text: what one imports and what it comes to, the entries of its registries apart."""

import ast
from collections.abc import Mapping
from functools import cache
import hashlib
from pathlib import Path
import re
from typing import NamedTuple

from stages.core.errors import UserError, quoted

# How a registry spells a class, whose module is imported when it is asked for.
_SPELLED = re.compile(r"(stages(?:\.\w+)+):\w+")

# By what a registry holds, the one name that counts there (None: not one); of a registry that is not here, all do.
Concern = Mapping[str, str | None]
EVERYTHING: Concern = {}


class Entry(NamedTuple):
    """A line of a registry: what that holds, the name, and the class as `module:Class`."""

    what: str
    name: str
    place: str


class Module(NamedTuple):
    """What a file comes to: a digest of all but its registries' entries, the modules it names, and those entries.

    A relative name begins with its dots.
    """

    digest: str
    names: frozenset[str]
    entries: tuple[Entry, ...]

    def counted(self, concern: Concern) -> list[Entry]:
        """The entries that count."""
        return [entry for entry in self.entries if concern.get(entry.what, entry.name) == entry.name]


def read(path: Path) -> Module:
    """What a module comes to; UserError where it is not Python."""
    try:
        return parsed(path.read_bytes())
    except SyntaxError as error:
        raise UserError(f"{path}: not Python (line {error.lineno}: {quoted(error.msg)})") from None


@cache
def parsed(content: bytes) -> Module:
    """What a module of that content comes to."""
    tree = ast.parse(content)
    names: set[str] = set()
    entries: list[Entry] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=module, level=level):
                start = "." * level + (module or "")
                joint = "." if module else ""
                names.update((start, *(f"{start}{joint}{alias.name}" for alias in node.names)))
            case ast.Constant(value=str(text)) if spelled := _SPELLED.fullmatch(text):
                names.add(spelled[1])
            case ast.Call(func=ast.Name("Registry"), args=[ast.Constant(str(what)), ast.Dict() as places]):
                entries += _taken_out(what, places)
    return Module(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), frozenset(names), tuple(entries))


def _taken_out(what: str, places: ast.Dict) -> list[Entry]:
    """The entries of a registry's dict; whatever in it is not spelled as they are stays there, and counts always."""
    entries, left = [], ast.Dict([], [])
    for key, value in zip(places.keys, places.values, strict=True):
        match key, value:
            case ast.Constant(str(name)), ast.Constant(str(place)) if _SPELLED.fullmatch(place):
                entries.append(Entry(what, name, place))
            case _:
                left.keys.append(key)
                left.values.append(value)
    places.keys, places.values = left.keys, left.values
    return entries
