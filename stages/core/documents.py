"""YAML, read as plain data; whatever is wrong with a file is told in one line."""

import re
from typing import Any

import yaml

from stages.core.errors import UserError, quoted

_DEEPEST = 50  # mappings and lists in each other: libyaml recurses, and ends the process where its stack does


class _Loader(yaml.CSafeLoader):
    """Reads 1e-05, as DVC writes small numbers, as a number, and refuses a key that is there twice, as DVC does."""

    depth = 0

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        """Called where a node begins; ValueError where it is too deep in others."""
        del parent, index
        self.depth += 1
        if self.depth > _DEEPEST + 1:  # the innermost holds words or numbers
            raise ValueError(f"more than {_DEEPEST} levels deep")

    def ascend_resolver(self) -> None:
        """Called where a node ends."""
        self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; a key that an anchor's `<<` brings may be there again."""
        own = node.value  # `<<` is taken out of this list, and what it brings goes to another
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            seen = set()
            for key, _ in own:
                known = self.construct_object(key)
                if known in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{known} is there twice", key.start_mark)
                seen.add(known)
        return found

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """The whole number; ValueError where it has more digits than Python writes, as can be in base 16."""
        number = super().construct_yaml_int(node)
        str(number)
        return number


# A set has no order, and would be taken for a list.
_Loader.yaml_constructors = {**_Loader.yaml_constructors}
del _Loader.yaml_constructors["tag:yaml.org,2002:set"]
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), [*"-+0123456789"])


def parse_yaml(text: str | bytes, where: object) -> Any:
    """What a YAML text says, in plain types; UserError, which begins with `where`, for any other text."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return _Loader(text).get_single_data()
    except Exception as error:  # on values such as 2001-99-99 or !!bool x the loader raises nearly anything
        said = " ".join(str(error).split()).replace('in "<unicode string>", line', "at line")  # of `where`
        raise UserError(f"{where}: not YAML ({quoted(said)})") from None
