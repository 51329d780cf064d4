"""The level of a test: which there may be, and how sure it makes what is ruled out at it."""

from stages.core.errors import UserError

_LEAST = 1e-9  # less is a slip of the pen, and would be told as certainty


def check_level(found: float, highest: float) -> None:
    """UserError for a level that `--level` may not be."""
    if not _LEAST <= found < highest:
        raise UserError(f"--level: found {found}, allowed: at least {_LEAST:g} and less than {highest:g}")


def sureness(level: float) -> str:
    """`95 %` at 0.05; digits enough that no level makes it 100 %."""
    return f"{100 * (1 - level):.10g} %"
