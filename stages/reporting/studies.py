"""Tables of studies: experiments that answer a question beside the chain."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

from stages.core.errors import UserError
from stages.reporting.inputs import RESULTS, read_table
from stages.reporting.picture import Figure
from stages.reporting.seeds import QUESTION, SHOWN, read_seeds, seeds_cells, seeds_figure
from stages.reporting.spending import spending_figures
from stages.reporting.summary import COLUMNS, cells
from stages.reporting.sweep import sweep_figure

SEEDS = "seeds.csv"


@dataclass(frozen=True)
class Study:
    """A question and the table that answers it."""

    name: str
    question: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    figures: tuple[Figure, ...]


def read_studies(folder: Path | None) -> list[Study]:
    """The studies in `folder` that have been run (NAME.csv beside NAME.yaml), by name."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    return [_read_seeds(path) if path.name == SEEDS else _read(path) for path in sorted(folder.glob("*.csv"))]


def _read_seeds(path: Path) -> Study:
    """What `python -m stages.seeds` wrote."""
    table = read_seeds(path)
    return Study(path.stem, QUESTION, SHOWN, seeds_cells(table), (seeds_figure(table),))


def _read(path: Path) -> Study:
    asked = _asked(path.with_suffix(".yaml"))
    table = read_table(path, ["variant", *(column for column in RESULTS if asked.over_rows or column != "rows")])
    variants = [str(variant) for variant in table["variant"]]
    rows = [(variant, *row) for variant, row in zip(variants, cells(table), strict=True)]
    figures = spending_figures(table) if asked.over_rows else (sweep_figure(table),) if asked.by_value else ()
    return Study(path.stem, asked.question, ("variant", *COLUMNS), rows, figures)


class _Asked(NamedTuple):
    question: str
    over_rows: bool  # success is to be drawn over the expert steps spent
    by_value: bool  # success is to be drawn over the variants, which are the values of a parameter


def _asked(path: Path) -> _Asked:
    try:
        study = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _Asked(
            " ".join(str(study["question"]).split()), study.get("plot") == "rows", study.get("plot") == "values"
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: question: found nothing, allowed: a text") from None
