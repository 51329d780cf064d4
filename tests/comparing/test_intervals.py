"""The interval is Tango's, mirrors when the sides are swapped, and covers as often as it says."""

import numpy as np
import pytest
from scipy.stats import binom

from stages.comparing.comparison import compare
from stages.comparing.intervals import score_interval, score_statistic
from stages.comparing.pairing import Pairs
from stages.core.streams import stream

COUNTS = [(0, 0, 1), (0, 0, 100), (3, 9, 32), (9, 3, 32), (40, 0, 40), (0, 40, 40), (1, 999, 1000), (17, 17, 50)]


@pytest.mark.parametrize(
    ("lost", "gained", "pairs", "confidence", "low", "high", "places"),
    [
        (3, 9, 32, 0.95, -0.027, 0.390, 3),  # Tango, 1998, section 6.2
        (28, 25, 618, 0.9, -0.0247, 0.0148, 4),  # R's PropCIs, scoreci.mp(28, 25, 618, 0.9)
        (7, 1, 21, 0.95, -0.517, -0.026, 3),  # R's PropCIs, scoreci.mp(7, 1, 21, 0.95)
    ],
)
def test_the_interval_is_tangos(
    lost: int, gained: int, pairs: int, confidence: float, low: float, high: float, places: int
) -> None:
    found = score_interval(lost, gained, pairs, confidence)
    assert [round(float(end), places) for end in found] == [low, high]


@pytest.mark.parametrize("pairs", [1, 7, 100, 10_000])
def test_with_no_discordant_pair_it_is_what_the_formula_comes_to(pairs: int) -> None:
    z = 1.959963984540054
    low, high = score_interval(0, 0, pairs, 0.95)
    assert high == pytest.approx(z**2 / (pairs + z**2))
    assert low == -high


@pytest.mark.parametrize(("lost", "gained", "pairs"), COUNTS)
def test_its_ends_lie_as_many_standard_errors_away_as_the_confidence_says(lost: int, gained: int, pairs: int) -> None:
    low, high = score_interval(lost, gained, pairs, 0.95)
    assert -1 <= low <= (gained - lost) / pairs <= high <= 1
    for end, distance in ((low, 1.959964), (high, -1.959964)):
        if abs(end) < 1 - 1e-9:
            assert score_statistic(lost, gained, pairs, end) == pytest.approx(distance, rel=1e-5)


@pytest.mark.parametrize(("lost", "gained", "pairs"), COUNTS)
def test_swapping_the_sides_mirrors_it_to_the_last_bit(lost: int, gained: int, pairs: int) -> None:
    low, high = score_interval(lost, gained, pairs, 0.95)
    other_low, other_high = score_interval(gained, lost, pairs, 0.95)
    assert (low, high) == (-other_high, -other_low)


def test_at_no_difference_the_statistic_is_mcnemars() -> None:
    assert score_statistic(4, 12, 50, 0.0) == pytest.approx((12 - 4) / np.sqrt(12 + 4))


def test_it_covers_the_truth_in_94_to_97_of_100() -> None:
    """Over a grid of differences, of discordance and of episodes, 20,000 draws each."""
    covered = []
    for pairs in (100, 200, 500, 1000):
        for lost, gained in ((0.08, 0.08), (0.1, 0.2), (0.05, 0.1), (0.3, 0.3), (0.1, 0.6)):
            rng = stream(1, "coverage", pairs, f"{lost}", f"{gained}")
            counts, sizes = np.unique(
                rng.multinomial(pairs, (lost, gained, 1 - lost - gained), size=20_000), axis=0, return_counts=True
            )
            low, high = score_interval(counts[:, 0], counts[:, 1], pairs, 0.95)
            covered.append(sizes[(low <= gained - lost) & (gained - lost <= high)].sum() / 20_000)
    assert min(covered) >= 0.94
    assert max(covered) <= 0.97


def coverage(pairs: int, discordant: float, lost: float) -> float:
    """How often the truth is held, exactly, where so many pairs are discordant and of these so many lost (shares)."""
    truth, total = discordant * (1 - 2 * lost), 0.0
    for count in range(pairs + 1):
        losses = np.arange(count + 1)
        held = np.abs(score_statistic(losses, count - losses, pairs, truth)) <= 1.959964
        total += binom.pmf(count, pairs, discordant) * binom.pmf(losses, count, lost) @ held
    return float(total)


def test_it_covers_as_the_readme_says_where_ten_discordant_pairs_are_to_be_expected() -> None:
    """Enumerated: up to the ends, where all that is discordant is lost."""
    grid = [(pairs, share) for pairs in (50, 100, 200) for share in (0.05, 0.1, 0.2, 0.3) if pairs * share >= 10]
    found = [coverage(pairs, share, lost) for pairs, share in grid for lost in (0.5, 0.65, 0.8, 0.9, 1.0)]
    assert 0.93 <= min(found) <= max(found) <= 0.97
    assert np.mean(found) == pytest.approx(0.95, abs=0.005)


def test_an_interval_is_as_sure_as_the_level_says() -> None:
    before, after = np.ones(100, dtype=bool), np.arange(100) >= 9
    for level in (0.05, 0.01):
        (found,) = compare([Pairs("distance", "near", before, after)], level)
        assert (found.low, found.high) == score_interval(9, 0, 100, 1 - level)
