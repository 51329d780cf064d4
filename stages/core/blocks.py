"""YAML as people write it: something is added to the text, and no other line of it changes."""

from collections.abc import Sequence
from typing import Any

import yaml

from stages.core.documents import parse_yaml
from stages.core.errors import UserError, quoted


def with_copy(text: str, where: object, path: Sequence[str], name: str, copy: str) -> str:
    """The text with the entry `name` of the mapping at `path` once more, below itself and as `copy`.

    UserError, which begins with `where`, if there is no such entry, or one called `copy`.
    """
    content, keys = parse_yaml(text, where), _keys(text, where, path)
    key = _named(keys, where, path, name)
    if copy in (one.value for one in keys):
        raise UserError(f"{where}: {'.'.join(path)}: found {copy} already, allowed: another name")
    lines, start = _lines(text), key.start_mark.line
    end = _end(lines, start, key.start_mark.column)
    first = lines[start].replace(name, copy, 1)
    added = "".join([*lines[:end], first, *lines[start + 1 : end], *lines[end:]])
    entry = _found(content, path)
    entry[copy] = entry[name]
    return _checked(added, where, content)


def with_value(text: str, where: object, path: Sequence[str], value: int | list[Any] | dict[str, Any]) -> str:
    """The text with that value at `path`, on one line; a list or a mapping is to be empty.

    UserError, which begins with `where`, if there is nothing at the path.
    """
    content, (*above, name) = parse_yaml(text, where), path
    key = _named(_keys(text, where, above), where, above, name)
    lines, start, column = _lines(text), key.start_mark.line, key.start_mark.column
    written = f"{lines[start][:column]}{name}: {value}{_ending(lines[start])}"
    lines[start : _end(lines, start, column)] = [written]
    _found(content, above)[name] = value
    return _checked("".join(lines), where, content)


def with_item(text: str, where: object, path: Sequence[str], item: str, after: str | None = None) -> str:
    """The text with a further item in the list at `path`, behind the item `after` or, without, at the end.

    UserError, which begins with `where`, if there is no such list or item.
    """
    content = parse_yaml(text, where)
    node = _at(text, where, path)
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    last = _named(items, where, path, after if after is not None or not items else items[-1].value)
    lines, line, column = _lines(text), last.end_mark.line, last.end_mark.column
    if node.flow_style:
        lines[line] = f"{lines[line][:column]}, {item}{lines[line][column:]}"
    else:
        indent = lines[line].partition("-")[0]
        lines[line] += f"{indent}- {item}{_ending(lines[line])}"
    entry = _found(content, path)
    entry.insert(items.index(last) + 1, item)
    return _checked("".join(lines), where, content)


def _lines(text: str) -> list[str]:
    """The text's lines, each with its end."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def _ending(line: str) -> str:
    """What ends it: a line feed, perhaps after a carriage return."""
    return line.removeprefix(line.rstrip("\r\n"))


def _keys(text: str, where: object, path: Sequence[str]) -> list[Any]:
    """The nodes of the keys of the mapping at that path; none if it is something else."""
    node = _at(text, where, path)
    return [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _at(text: str, where: object, path: Sequence[str]) -> Any:
    """The node at that path; UserError where there is none."""
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for place, name in enumerate(path):
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        key = _named([key for key, _ in entries], where, path[:place], name)
        node = next(value for known, value in entries if known is key)
    return node


def _named(nodes: Sequence[Any], where: object, path: Sequence[str], name: str | None) -> Any:
    for node in nodes:
        if node.value == name:
            return node
    found = quoted(", ".join(str(node.value) for node in nodes)) or "nothing"
    raise UserError(f"{where}: {'.'.join(path) or 'at its top'}: found {found}, allowed: {name or 'a list'} among them")


def _end(lines: Sequence[str], start: int, column: int) -> int:
    """The line behind the entry whose key stands in line `start` at that column; what comments on others is theirs."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        words = lines[number].lstrip()
        depth = len(lines[number]) - len(words)
        if not words or words.startswith("#"):
            continue
        if depth < column or (depth == column and not words.startswith("- ")):
            break
        end = number + 1
    return end


def _found(content: Any, path: Sequence[str]) -> Any:
    for name in path:
        content = content[name]
    return content


def _checked(text: str, where: object, wanted: Any) -> str:
    """The text, if it says what it is to say: quotes or braces may stand where lines were looked for."""
    if parse_yaml(text, where) != wanted:
        raise UserError(f"{where}: found a form that cannot be added to, allowed: an entry a line, indented")
    return text
