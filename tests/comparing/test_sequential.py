"""What is settled early is settled as surely as it says, however often one looks, and with fewer pairs."""

import numpy as np
import pytest

from stages.comparing import sequential_power
from stages.comparing.power import discordant
from stages.comparing.sequential import first_settled, log_wealths, settle
from stages.comparing.significance import one_sided
from stages.core.streams import stream

RUNS, MOST = 10_000, 500
MARGIN, LEVEL, MISS = 0.05, 0.01, 0.05
FAILED, CLEARED = 1, 2


def outcomes(name: str, loss: float, success: float = 0.95, runs: int = RUNS, most: int = MOST) -> np.ndarray:
    """Pairs (R, N) of a baseline with that success and a version worse by `loss`, correlated by 0.5."""
    lost, gained, _ = discordant(success, loss, 0.5)
    drawn = stream(1, "sequential", name).random((runs, most), dtype=np.float32)
    return np.where(drawn < lost, -1, np.where(drawn < lost + gained, 1, 0)).astype(np.int8)


def settled(pairs: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """The states and numbers of pairs of all runs, a thousand at a time."""
    parts = [
        first_settled(*log_wealths(part.astype(np.int64), MARGIN), level, MISS)
        for part in np.array_split(pairs, max(1, len(pairs) // 1000))
    ]
    states, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
    return states, counts


def fixed_size(loss: float, level: float, power: float) -> int:
    """The fewest pairs, to one in fifty, of which the exact test shows the loss that surely."""
    lost, gained, same = discordant(0.95, loss, 0.5)
    pairs = 50
    while True:
        counts = stream(1, "fixed", pairs).multinomial(pairs, [lost, gained, same], size=2000)
        if (one_sided(counts[:, 0], counts[:, 1]) <= level).mean() >= power:
            return pairs
        pairs = int(pairs * 1.02) + 1


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_of_ten_thousand_comparisons_of_a_thing_and_itself_no_more_fail_than_the_level_allows(level: float) -> None:
    states, _ = settled(outcomes("same", 0.0), level)
    assert (states == FAILED).mean() <= level
    assert (states == CLEARED).mean() > 0.94


def test_a_loss_of_the_margin_is_caught_as_often_as_it_says() -> None:
    states, _ = settled(outcomes("worse", MARGIN, runs=4000, most=1500))
    assert (states == CLEARED).mean() <= MISS
    assert (states == FAILED).mean() >= 1 - MISS


@pytest.mark.parametrize("margin", [0.1, 0.05, 0.02, 0.01])
def test_a_test_of_fixed_size_has_the_power_asked_for(margin: float) -> None:
    """Simulated anew, and however many pairs it takes."""
    pairs = sequential_power.fixed_size(0.8, 0.0, margin, LEVEL, 0.95, 2000)
    counts = stream(1, "again", pairs).multinomial(pairs, discordant(0.8, margin, 0.0), size=2000)
    assert 0.93 <= (one_sided(counts[:, 0], counts[:, 1]) <= LEVEL).mean() <= 0.97


def test_it_takes_fewer_pairs_than_a_test_of_fixed_size_and_equal_power() -> None:
    """As `reports/gate/sequential.csv` has it: most are saved where nothing is worse."""
    fixed = fixed_size(MARGIN, LEVEL, 1 - MISS)
    saved = {
        loss: 1 - settled(outcomes("saved", loss, runs=1000, most=1500))[1].mean() / fixed
        for loss in (0.0, MARGIN, 0.1)
    }
    assert saved[0.0] > 0.55
    assert saved[MARGIN] > 0.3
    assert saved[0.1] > 0.65


def test_both_games_are_unfavourable_where_they_should_be() -> None:
    """The expected wealth after the next pair is that before it, whatever came so far."""
    past = outcomes("past", 0.02, runs=50, most=60).astype(np.int64)
    lost, gained = 0.08, 0.03  # worse by the margin
    for chances, which in (((gained, gained), 0), ((lost, gained), 1)):
        wealth = {}
        for outcome in (-1, 1, 0):
            longer = np.concatenate([past, np.full((len(past), 1), outcome)], axis=1)
            wealth[outcome] = np.exp(np.diff(log_wealths(longer, MARGIN)[which], axis=1)[:, -1])
        down, up = chances
        mean = down * wealth[-1] + up * wealth[1] + (1 - down - up) * wealth[0]
        assert mean == pytest.approx(np.ones(len(past)))


def test_later_pairs_change_no_answer() -> None:
    for row in outcomes("later", MARGIN, runs=50):
        state, pairs, *wealth = settle(row, MARGIN, LEVEL, MISS)
        if state != "open":
            assert settle(row[:pairs], MARGIN, LEVEL, MISS) == (state, pairs, *wealth)
            assert settle(row[: pairs - 1], MARGIN, LEVEL, MISS).state == "open"


def test_without_pairs_nothing_is_settled() -> None:
    assert settle([], MARGIN, LEVEL, MISS) == ("open", 0, 1.0, 1.0)


def test_when_all_pairs_agree_the_rule_of_three_clears_the_margin() -> None:
    """None of n lost: a share of 3 / n is ruled out at 95 %, and looking all the time costs some more."""
    found = settle([0] * 200, MARGIN, LEVEL, MISS)
    assert found.state == "cleared"
    assert 60 <= found.pairs <= 80
