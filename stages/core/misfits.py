"""Says in one line each what in plain data does not fit a type: key, what was found, what is allowed."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
import re
from typing import Any

import msgspec
from msgspec import inspect as kinds

from stages.core.errors import quoted

Place = tuple[object, ...]  # the keys that lead to a value

_END = r"\Z"  # of a pattern; told as most people know it

_WORDS: Mapping[type[kinds.Type], str] = {
    kinds.StrType: "text",
    kinds.IntType: "a whole number",
    kinds.FloatType: "a number",
    kinds.BoolType: "true or false",
    kinds.ListType: "a list",
    kinds.DictType: "keys with values",
    kinds.StructType: "keys with values",
    kinds.NoneType: "nothing",
}


def misfits(value: Any, kind: kinds.Type, place: Place = ()) -> Iterator[str]:
    """Everything in `value` that is not as `kind` wants it."""
    match kind:
        case kinds.UnionType():
            yield from _in_union(value, kind.types, place)
        case kinds.StructType() if isinstance(value, Mapping):
            yield from _in_struct(value, kind, place)
        case kinds.DictType() if isinstance(value, Mapping):
            yield from _too_few(value, kind, place)
            for key, one in value.items():
                yield from misfits(key, kind.key_type, place)
                yield from misfits(one, kind.value_type, (*place, key))
        case kinds.ListType() if isinstance(value, list):
            yield from _too_few(value, kind, place)
            for number, one in enumerate(value):
                yield from misfits(one, kind.item_type, (*place, number))
        case _:
            allowed = _allowed(value, kind)
            if allowed:
                yield _line(place, _described(value), allowed)


def _line(place: Place, found: object, allowed: str) -> str:
    return f"{quoted('.'.join(map(str, place))) or 'the file'}: found {quoted(found)}, allowed: {allowed}"


def _in_union(value: Any, types: Sequence[kinds.Type], place: Place) -> Iterator[str]:
    """Of one type or nothing: what is wrong by that type; of several: that the value is of none."""
    others = [one for one in types if not isinstance(one, kinds.NoneType)]
    if value is None and len(others) < len(types):
        return
    if len(others) == 1:
        yield from misfits(value, others[0], place)
    elif all(any(misfits(value, one, place)) for one in others):
        yield _line(place, _described(value), ", ".join(_WORDS[type(one)] for one in types))


def _in_struct(value: Mapping[Any, Any], kind: kinds.StructType, place: Place) -> Iterator[str]:
    lines = [*_in_fields(value, kind.fields, place), *_other_keys(value, kind.fields, place)]
    if not lines:
        try:
            msgspec.convert(value, kind.cls)
        except msgspec.ValidationError as error:  # each by itself is right, but not all together
            lines.append(_line(place, _described(value), str(error)))
    yield from lines


def _in_fields(value: Mapping[Any, Any], fields: Sequence[kinds.Field], place: Place) -> Iterator[str]:
    for one in fields:
        if one.name in value:
            yield from misfits(value[one.name], one.type, (*place, one.name))
        elif one.required:
            yield _line((*place, one.name), "nothing", "a value")


def _other_keys(value: Mapping[Any, Any], fields: Sequence[kinds.Field], place: Place) -> Iterator[str]:
    known = [one.name for one in fields]
    for key in value:
        if not isinstance(key, str):
            yield _line((*place, key), _described(key), _WORDS[kinds.StrType])
        elif key not in known:
            yield _line((*place, key), "an unknown key", ", ".join(known))


def _too_few(value: Any, kind: kinds.ListType | kinds.DictType, place: Place) -> Iterator[str]:
    if len(value) < (kind.min_length or 0):
        yield _line(place, _described(value), f"at least {kind.min_length}")


def _allowed(value: Any, kind: kinds.Type) -> str | None:
    """What a single value had to be; None where it is that."""
    match kind:
        case kinds.LiteralType():
            *most, last = map(repr, kind.values)
            return None if value in kind.values else f"{', '.join(most)} or {last}"
        case kinds.StrType() if isinstance(value, str):
            fits = kind.pattern is None or re.search(kind.pattern, value)
            return None if fits else f"text that matches {str(kind.pattern).replace(_END, '$')}"
        case kinds.IntType() if type(value) is int:
            return _bound(value, kind)
        case kinds.FloatType() if type(value) in (int, float):
            return "a finite number" if isinstance(value, float) and not isfinite(value) else _bound(value, kind)
        case kinds.BoolType() if isinstance(value, bool):
            return None
    return _WORDS[type(kind)]


def _bound(value: float, kind: kinds.IntType | kinds.FloatType) -> str | None:
    """The bound that a number goes beyond."""
    if kind.gt is not None and not value > kind.gt:
        return f"more than {kind.gt:g}"
    if kind.ge is not None and value < kind.ge:
        return f"at least {kind.ge:g}"
    if kind.le is not None and value > kind.le:
        return f"at most {kind.le:g}" if isinstance(kind, kinds.FloatType) else f"at most {kind.le}"
    return None


def _described(value: Any) -> str:
    """A value in few words."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inner(inner)}" for key, inner in value.items()) or "no keys"
    return _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return f"a {'list' if isinstance(value, list) else 'mapping'} of {len(value)}"
    return "nothing" if value is None else repr(value)
