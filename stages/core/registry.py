"""Classes by name: the module that holds one is imported when it is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar

from stages.core.errors import UserError

T = TypeVar("T")


class Registry(Mapping[str, type[T]], Generic[T]):
    """What is spelled as `module:Class` in `places`; `what` names such a thing in messages."""

    def __init__(self, what: str, places: Mapping[str, str]) -> None:
        self.what, self.places = what, places

    def __getitem__(self, name: str) -> type[T]:
        module, _, attribute = self.places[name].partition(":")
        found: type[T] = getattr(import_module(module), attribute)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def find(self, name: str) -> type[T]:
        """The class of that name; UserError, which lists the names there are, when there is none."""
        if name not in self.places:
            raise UserError(f"{self.what}: found {name}, allowed: {', '.join(self.places)}")
        return self[name]
