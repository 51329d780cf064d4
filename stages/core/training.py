"""The figures that `train` writes beside a policy, as later stages need them."""

from pathlib import Path
from typing import NamedTuple

from stages.core.errors import UserError
from stages.core.seal import read_sealed


class Training(NamedTuple):
    """What was learned from, and the thresholds that were found."""

    rows: int
    threshold: float  # of novelty
    surprise: float | None  # its threshold; None where none was calibrated
    cv_error: float | None


def read_training(path: Path) -> Training:
    """The figures at `path`; UserError where they are missing, damaged or not whole."""
    figures = read_sealed(path)
    try:
        surprise = None if figures["surprise"] is None else figures["surprise"]["threshold"]
        return Training(figures["rows"], figures["threshold"], surprise, figures["cross_validation"]["error"])
    except (KeyError, TypeError):
        raise UserError(f"{path}: not the whole figures of a training") from None
