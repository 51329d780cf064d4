"""Says in one line each what in `params.yaml` does not fit its types."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stages.core.errors import quoted
from stages.core.params import Params

# What is allowed, by pydantic's names for what is wrong.
_ALLOWED = {
    "dict_type": "keys with values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_type": "a whole number",
    "invalid_key": "text",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "missing": "a value",
    "model_type": "keys with values",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_type": "text",
    "too_short": "at least {min_length}",
    "value_error": "{error}",
}


def lines(error: ValidationError) -> list[str]:
    """What is wrong, one line each: key, found, allowed."""
    return [_line(one) for one in error.errors()]


def _line(error: ErrorDetails) -> str:
    place = [part for part in error["loc"] if part != "[key]"]
    key = quoted(".".join(str(part) for part in place)) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{key}: found an unknown key, allowed: {', '.join(_keys(place[:-1]))}"
    if "[key]" in error["loc"]:
        key = quoted(".".join(str(part) for part in place[:-1])) or "the file"
    found = "nothing" if error["type"] == "missing" else quoted(_described(error["input"]))
    allowed = _ALLOWED[error["type"]].format(**error.get("ctx", {})) if error["type"] in _ALLOWED else error["msg"]
    return f"{key}: found {found}, allowed: {allowed}"


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


def _keys(place: list[int | str]) -> list[str]:
    """The keys that are allowed at that place of the file."""
    kind: Any = Params
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _bare(kind.model_fields[str(part)].annotation)
        else:
            kind = _bare(get_args(kind)[-1])
    return list(kind.model_fields)


def _bare(annotation: Any) -> Any:
    """The type behind `Annotated[…]` and `… | None`."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = get_args(annotation)[0]
    return annotation
