"""YAML, read as plain data; whatever is wrong with a file is told in one line."""

import re
from typing import Any

import yaml

from stages.core.errors import UserError, quoted

_DEEPEST = 50  # mappings and lists in each other: libyaml recurses, and ends the process where its stack does


class _Loader(yaml.CSafeLoader):
    """Reads 1e-05, as DVC writes small numbers, as a number, and refuses a key that is there twice, as DVC does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; a key that an anchor's `<<` brings may be there again."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


# A set has no order, and would be taken for a list.
_Loader.yaml_constructors = {**_Loader.yaml_constructors}
del _Loader.yaml_constructors["tag:yaml.org,2002:set"]
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), [*"-+0123456789"])


def parse_yaml(text: str | bytes, where: object) -> Any:
    """What a YAML text says, in plain types; UserError, which begins with `where`, for any other text."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        _check_depth(text)
        return _Loader(text).get_single_data()
    except Exception as error:  # on values such as 2001-99-99 or !!bool x the loader raises nearly anything
        raise UserError(f"{where}: not YAML ({quoted(' '.join(str(error).split()))})") from None


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} levels deep")
