"""Write down the code of every stage: what it imports, directly or through others, so that DVC can tell what it runs.

DVC follows no imports, and to list folders of code with every stage would rerun more than need be and make dvc.lock,
which DVC rewrites after each stage, half as long again. So each stage depends on its file here: a line for every module
with a digest of its syntax tree. Comments and layout have no part in that: to edit them reruns nothing.
"""

from argparse import ArgumentParser
import ast
from collections.abc import Iterator
from functools import cache
import hashlib
from pathlib import Path
import re

from stages.core import errors
from stages.core.files import replacing

# How a registry spells a class, whose module is imported when it is asked for.
_SPELLED = re.compile(r"(stages(?:\.\w+)+):\w+")


def main() -> None:
    """Command line of the stage."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("code", type=Path, help="the package of the stages")
    parser.add_argument("stages", nargs="+", help="names of stages")
    parser.add_argument("--output", type=Path, required=True, help="folder for a file a stage")
    arguments = parser.parse_args()
    root = arguments.code.parent
    with replacing(arguments.output) as folder:
        folder.mkdir()
        for name in arguments.stages:
            path = arguments.code / f"{name}.py"
            if not path.is_file():
                raise errors.UserError(f"{path}: no such file")
            lines = [f"{digest(root / file)} {file.as_posix()}\n" for file in sorted(files(root, path))]
            (folder / f"{name}.txt").write_text("".join(lines))


def files(root: Path, path: Path) -> set[Path]:
    """All files below `root` that running the module at `path` may read: modules, and what lies beside them."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += imported(root, one)
    beside = {file for one in seen if one.parent != path.parent for file in one.parent.iterdir() if _is_beside(file)}
    return {file.relative_to(root) for file in seen | beside}


def _is_beside(file: Path) -> bool:
    return file.is_file() and file.suffix not in (".py", ".pyc")


def imported(root: Path, path: Path) -> Iterator[Path]:
    """The modules below `root` that the one at `path` imports, wherever in it, with the packages they are in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (one := _SPELLED.fullmatch(node.value)):
            names = [one[1]]
        for name in names:
            parts = name.split(".")
            packages = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
            yield from (file for file in (*packages, root.joinpath(*parts).with_suffix(".py")) if file.is_file())


@cache
def digest(path: Path) -> str:
    """SHA-256 of a module's syntax tree, or of any other file's bytes."""
    content = path.read_bytes()
    if path.suffix == ".py":
        content = ast.dump(ast.parse(content)).encode()
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    errors.run(main)
