"""Classes by name: the module that holds one is imported when it is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import get_annotations
from typing import Any, ClassVar, Generic, TypeVar, get_origin

from stages.core.errors import UserError, quoted, reason

T = TypeVar("T")


class Registry(Mapping[str, type[T]], Generic[T]):
    """What is spelled as `module:Class` in `places`; `what` names such a thing in messages."""

    def __init__(self, what: str, places: Mapping[str, str]) -> None:
        self.what, self.places = what, places

    def __getitem__(self, name: str) -> type[T]:
        found = self._imported(name)
        if lacking := sorted(_lacking(found)):
            raise UserError(f"{self.what} {name}: {found.__name__} lacks {', '.join(lacking)}")
        return found

    def _imported(self, name: str) -> type[T]:
        place = self.places[name]
        module, _, attribute = place.partition(":")
        try:
            found: type[T] = getattr(import_module(module), attribute)
        except SyntaxError as error:
            where = f"{error.filename}: not Python (line {error.lineno}: {quoted(error.msg)})"
            raise UserError(f"{self.what} {name}: {where}") from None
        except (ImportError, AttributeError) as error:
            raise UserError(f"{self.what} {name}: {place} cannot be imported ({reason(error)})") from None
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def find(self, name: str) -> type[T]:
        """The class of that name; UserError, which lists the names there are, when there is none."""
        if name not in self.places:
            raise UserError(f"{self.what}: found {name}, allowed: {', '.join(self.places)}")
        return self[name]


def _lacking(found: type) -> set[str]:
    """The methods that its bases leave to it, and their class variables without a value."""
    declared = {
        name
        for base in found.__mro__
        for name, kind in dict[str, Any](get_annotations(base)).items()
        if get_origin(kind) is ClassVar
    }
    methods: frozenset[str] = getattr(found, "__abstractmethods__", frozenset())
    return {name for name in declared if not hasattr(found, name)} | methods
