"""A verdict says what is left after the last round, and how episodes end there."""

import pandas as pd
import pytest

from stages.reporting.verdict import judge

SHORT = "Round 1 still falls short in far (52 % of 50, interval 10\N{EN DASH}90 %"


def results(success: float, crash: float) -> pd.DataFrame:
    """Two rounds of two conditions: `near` always succeeds, `far` never at first, and so often at last."""
    shares = [(0, "near", 1.0, 0.0), (0, "far", 0.0, 1.0), (1, "near", 1.0, 0.0), (1, "far", success, crash)]
    rows = pd.DataFrame(shares, columns=["round", "condition", "success", "crash"])
    return rows.assign(episodes=50, success_low=0.1, success_high=0.9, shift=0.2, rows=10 + 5 * rows["round"])


@pytest.mark.parametrize(
    ("success", "crash", "told"),
    [
        (0.96, 0.0, "Round 1 falls short in no condition."),
        (0.52, 0.48, f"{SHORT}; 24 crashed)."),
        (0.52, 0.0, f"{SHORT}; 24 ran out of time)."),
        (0.52, 0.2, f"{SHORT}; 10 crashed, 14 ran out of time)."),
    ],
)
def test_what_is_left_is_told_with_how_it_ended(success: float, crash: float, told: str) -> None:
    verdict = judge(results(success, crash))
    assert verdict.left == told
    assert verdict.text.endswith(f"1 round of corrections added 5 rows. {told}")


def test_of_one_round_nothing_is_left() -> None:
    rows = results(0.5, 0.5)
    assert judge(rows[rows["round"] == 0]).left == ""
