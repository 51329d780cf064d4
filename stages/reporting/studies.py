"""Tables of studies: experiments that answer a question beside the chain."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from stages.core.errors import UserError
from stages.reporting.inputs import RESULTS, read_table
from stages.reporting.summary import COLUMNS, cells


@dataclass(frozen=True)
class Study:
    """A question and the table that answers it."""

    name: str
    question: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def read_studies(folder: Path | None) -> list[Study]:
    """The studies in `folder` that have been run (NAME.csv beside NAME.yaml), by name."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    return [_read(path) for path in sorted(folder.glob("*.csv"))]


def _read(path: Path) -> Study:
    table = read_table(path, ["variant", *(column for column in RESULTS if column != "rows")])
    variants = [str(variant) for variant in table["variant"]]
    rows = [(variant, *row) for variant, row in zip(variants, cells(table), strict=True)]
    return Study(path.stem, _question(path.with_suffix(".yaml")), ("variant", *COLUMNS), rows)


def _question(path: Path) -> str:
    try:
        question = yaml.safe_load(path.read_text(encoding="utf-8"))["question"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        raise UserError(f"{path}: question: found nothing, allowed: a text") from None
    return " ".join(str(question).split())
