"""Figures in JSON and tables in CSV that tell when they have been damaged: nothing in these formats would."""

from collections.abc import Collection, Iterable
import hashlib
import json
from pathlib import Path
from typing import Any

from stages.core.errors import UserError
from stages.core.files import check_file, write_text

_SEAL = "digest"
SUMS = "SHA256SUMS"
SUMMED = ("*.csv", SUMS)  # what a folder of tables with their sums holds


def sealed(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures, and a digest of them."""
    return {**figures, _SEAL: _digest(figures)}


def read_sealed(path: Path) -> dict[str, Any]:
    """The figures in a file of sealed ones; UserError where it is missing, or not what was written."""
    check_file(path)
    try:
        figures = json.loads(path.read_bytes())
        whole = figures.pop(_SEAL) == _digest(figures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise UserError(f"{path}: not whole: its figures are not those that its digest was made of")
    result: dict[str, Any] = figures
    return result


def _digest(figures: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def write_sums(folder: Path, others: Iterable[Path]) -> None:
    """Write the SHA-256 of every file in `folder` and of the others into it, as sha256sum(1) does."""
    files = sorted([*folder.iterdir(), *others], key=lambda path: path.name)
    write_text(folder / SUMS, "".join(f"{_sum(path)}  {path.name}\n" for path in files))


def check_sums(folder: Path, others: Collection[Path]) -> None:
    """UserError for a file of those that is missing, or not what it was when the sums were written."""
    for path in (folder / SUMS, *others):
        check_file(path)
    known = (folder / SUMS).read_bytes().splitlines()
    for path in (*(path for path in sorted(folder.iterdir()) if path.name != SUMS), *others):
        if f"{_sum(path)}  {path.name}".encode() not in known:
            raise UserError(f"{path}: not what was written with {folder / SUMS}: damaged, or of another run")


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
