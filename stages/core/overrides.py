"""Changes of parameters, as `dvc exp run --set-param` takes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.core.documents import parse_yaml
from stages.core.errors import UserError, quoted, reason

Value = str | int | float | bool | None | list[str]


def spelled(changes: Mapping[str, Value]) -> list[str]:
    """The changes in the syntax of --set-param."""
    return [key if key.startswith("~") else f"{key}={_spell(value)}" for key, value in changes.items()]


def _spell(value: Value) -> str:
    """A value as an override takes it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def override(path: Path, changes: Mapping[str, Value]) -> None:
    """Make the changes to the parameters in the file, as DVC does; UserError for the first that it would refuse."""
    from dvc.utils.cli_parse import to_path_overrides

    _apply(path, to_path_overrides(spelled(changes)).get(path.name, []))


def _apply(path: Path, overrides: Sequence[str]) -> None:
    from dvc.utils.hydra import apply_overrides

    try:
        apply_overrides(path, list(overrides))
    except Exception as error:  # of DVC, Hydra or OmegaConf, which have many
        for one in overrides if len(overrides) > 1 else ():
            _apply(path, [one])
        key, _, value = overrides[0].partition("=")
        line = unknown_key(parse_yaml(path.read_bytes(), path), key)
        line = line or f"{key}: found {quoted(value)}, allowed: what DVC takes ({reason(error.__cause__ or error)})"
        raise UserError(f"{path}: {line}") from None


def unknown_key(content: Any, key: str) -> str | None:
    """The line that tells from where on parameters lack a dotted key; None where they have it, or it is to be added."""
    if key.startswith("+"):
        return None
    parts, place = key.removeprefix("~").split("."), content
    for depth, part in enumerate(parts, 1):
        below = _below(place)
        if part not in below:
            allowed = ", ".join(below) or "none below a value"
            return f"{quoted('.'.join(parts[:depth]))}: found an unknown key, allowed: {allowed}"
        place = below[part]
    return None


def value_at(content: Any, key: str) -> Any:
    """What parameters hold under a dotted key; None where they lack it."""
    for part in key.split("."):
        content = _below(content).get(part)
    return content


def _below(place: Any) -> dict[str, Any]:
    """What a part of the parameters holds, by the names that a dotted key has for it; nothing below a value."""
    inner = dict(enumerate(place)) if isinstance(place, list) else place
    return {str(name): one for name, one in inner.items()} if isinstance(inner, Mapping) else {}
