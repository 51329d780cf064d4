"""Reads plain data as a type, or says all that does not fit."""

from typing import Any, TypeVar

import msgspec

from stages.core.errors import quoted

T = TypeVar("T")


class MisfitError(Exception):
    """Data that are not of the type asked for; `lines` say each where, what was found and what is allowed."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def fit(content: Any, kind: type[T]) -> T:
    """The content as a `kind`; MisfitError, with a line for everything that is wrong."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        # It has stopped at the first thing, and does not name the keys that led there.
        from msgspec.inspect import type_info

        from stages.core.misfits import misfits

        raise MisfitError(list(misfits(content, type_info(kind))) or [quoted(error)]) from None
