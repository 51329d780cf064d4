"""Tables of studies: experiments that answer a question beside the chain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stages.core.documents import parse_yaml
from stages.core.errors import UserError
from stages.reporting.inputs import DIFFERENCES, RESULTS, read_table
from stages.reporting.picture import JPEG, Figure, Picture
from stages.reporting.seeds import HEADINGS, QUESTION, read_seeds, seeds_cells, seeds_figure
from stages.reporting.sizes import size_figures
from stages.reporting.spending import spending_figures
from stages.reporting.standing import standing_figures
from stages.reporting.summary import COLUMNS, cells
from stages.reporting.sweep import sweep_figure
from stages.reporting.variants import Variants, read_variants

SEEDS = "seeds.csv"

# What a study may ask to be drawn (`plot`).
DRAWN: Mapping[str, Callable[[pd.DataFrame], tuple[Figure, ...]]] = {
    "added": spending_figures,
    "size": size_figures,
    "conditions": standing_figures,
    "values": lambda table: (sweep_figure(table),),
}


@dataclass(frozen=True)
class Finding:
    """A question and the table that answers it."""

    name: str
    question: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]  # of a study with several rounds, those of the first and the last
    figures: tuple[Figure, ...]
    variants: Variants | None = None  # of a study that has some


def read_studies(folder: Path | None) -> list[Finding]:
    """The studies in `folder` that have been run (NAME.csv beside NAME.yaml), by name, with NAME.jpg if it is there."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    return [_read_seeds(path) if _is_of_seeds(path) else _read(path) for path in sorted(folder.glob("*.csv"))]


def _is_of_seeds(path: Path) -> bool:
    """Whether `python -m stages.seeds` wrote it, by whatever name: its question is always the same."""
    return path.name == SEEDS or b"by_seed" in path.read_bytes().partition(b"\n")[0]


def _read_seeds(path: Path) -> Finding:
    """What `python -m stages.seeds` wrote."""
    table = read_seeds(path)
    return Finding(path.stem, QUESTION, HEADINGS, seeds_cells(table), (seeds_figure(table),))


def _read(path: Path) -> Finding:
    asked = _asked(path.with_suffix(".yaml"))
    wide = asked.plot in ("added", "size")  # drawn over the rows of the dataset
    results = [column for column in RESULTS if wide or column != "rows"]
    table = read_table(path, ["variant", *results, *DIFFERENCES])
    ends = table[table["round"].isin([table["round"].min(), table["round"].max()])]
    rows = [(str(variant), *row) for variant, row in zip(ends["variant"], cells(ends), strict=True)]
    drawn = DRAWN[asked.plot](table) if asked.plot in DRAWN else ()
    figures = (*drawn, *_seen(path.with_suffix(".jpg")))
    return Finding(path.stem, asked.question, ("variant", *COLUMNS), rows, figures, read_variants(table))


def _seen(path: Path) -> tuple[Figure, ...]:
    """The study's picture, if it has one."""
    if not path.is_file():
        return ()
    from PIL import Image

    width, height = Image.open(path).size
    picture = Picture(path.read_bytes(), JPEG, "What there is to see, a row a condition.", width, height)
    return (Figure("What there is to see", "A row a condition.", (picture,)),)


class _Asked(NamedTuple):
    question: str
    plot: str  # one of DRAWN, or empty


def _asked(path: Path) -> _Asked:
    try:
        study = parse_yaml(path.read_bytes(), path)
        return _Asked(" ".join(str(study["question"]).split()), str(study.get("plot") or ""))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: question: found nothing, allowed: a text") from None
