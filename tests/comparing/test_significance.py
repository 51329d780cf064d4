"""The tests are exact, and many of them together err no more often than one."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from stages.comparing.significance import holm, lowest, one_sided, two_sided
from stages.core.streams import stream


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (0, 5), (5, 0), (3, 9), (50, 50), (120, 7)])
def test_the_two_sided_test_does_not_care_for_the_order_of_the_sides(lost: int, gained: int) -> None:
    assert two_sided(lost, gained) == two_sided(gained, lost)
    assert two_sided(lost, gained) <= 1


def test_it_is_a_coins() -> None:
    assert two_sided(1, 9) == pytest.approx(22 / 1024)


def test_the_one_sided_test_is_the_binomial_one() -> None:
    lost, gained = np.meshgrid(np.arange(30), np.arange(30))
    found = one_sided(lost, gained)
    assert found == pytest.approx(binom.sf(lost - 1, lost + gained, 0.5), rel=1e-10)
    assert found[3, 12] == pytest.approx(binomtest(12, 15, alternative="greater").pvalue)


def test_holm_adjusts_as_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.2]) == pytest.approx([0.2])


def test_holm_adjusts_row_by_row() -> None:
    p = stream(1, "holm").random((7, 5))
    assert holm(p) == pytest.approx(np.array([holm(row) for row in p]))
    order = stream(1, "order").permutation(5)
    assert holm(p[:, order]) == pytest.approx(holm(p)[:, order])


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_where_nothing_differs_the_family_errs_at_most_at_its_level(level: float) -> None:
    drawn = stream(1, "family").multinomial(300, (0.1, 0.1, 0.8), size=(20_000, 12))
    p = 2 * np.minimum(one_sided(drawn[..., 0], drawn[..., 1]), one_sided(drawn[..., 1], drawn[..., 0]))
    assert (holm(p) <= level).any(axis=1).mean() <= level


def test_where_some_differ_the_others_err_at_most_at_the_level() -> None:
    rng = stream(1, "some")
    same = rng.multinomial(300, (0.1, 0.1, 0.8), size=(20_000, 8))
    worse = rng.multinomial(300, (0.25, 0.05, 0.7), size=(20_000, 4))
    counts = np.concatenate([worse, same], axis=1)
    rejected = holm(one_sided(counts[..., 0], counts[..., 1])) <= 0.05
    assert rejected[:, :4].mean() > 0.99
    assert rejected[:, 4:].any(axis=1).mean() <= 0.05


@pytest.mark.parametrize("discordant", [0, 1, 5, 12])
def test_the_lowest_p_is_that_of_all_pairs_on_one_side(discordant: int) -> None:
    assert lowest(discordant, 1) == pytest.approx(one_sided(discordant, 0))
    assert lowest(discordant, 2) == pytest.approx(two_sided(discordant, 0))


def test_holm_adjusts_for_those_that_are_counted() -> None:
    assert holm([0.01, 0.5, 0.02], [True, False, True]) == pytest.approx([0.02, 1.0, 0.02])
    assert holm([0.01, 0.5], [False, False]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("chance", [0.005, 0.01, 0.02])
def test_not_to_count_what_cannot_reject_keeps_the_level(chance: float) -> None:
    """With so few discordant pairs that some conditions count and some do not."""
    drawn = stream(1, "few", f"{chance}").multinomial(300, (chance, chance, 1 - 2 * chance), size=(50_000, 8))
    lost, gained = drawn[..., 0], drawn[..., 1]
    counted = lowest(lost + gained, sides=1) <= 0.05
    assert 0.05 < counted.mean() < 1
    assert (holm(one_sided(lost, gained), counted) <= 0.05).any(axis=1).mean() <= 0.05
