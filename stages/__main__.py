"""List what there is to run; `python -m stages.NAME --help` tells more of each."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
import textwrap

from stages.core import cli, errors
from stages.core.documents import parse_yaml

_HERE = Path(__file__).parent
_WIDTH = 100  # characters of a line


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.prog = "python -m stages"
    parser.parse_args()
    chain = list(parse_yaml((_HERE.parent / "dvc.yaml").read_bytes(), "dvc.yaml")["stages"])
    others = sorted(path.stem for path in _HERE.glob("[a-z]*.py") if path.stem not in chain)
    print("The stages of the chain, in the order of dvc.yaml:\n", *_lines(chain), sep="\n")
    print("\nBeside it:\n", *_lines(others), sep="\n")
    print("\npython -m stages.NAME --help tells more of each.")


def _lines(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        told = ast.get_docstring(ast.parse((_HERE / f"{name}.py").read_bytes())) or ""
        about = " ".join(told.split("\n\n")[0].split())
        yield textwrap.fill(about, _WIDTH, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15)


if __name__ == "__main__":
    errors.run(main)
