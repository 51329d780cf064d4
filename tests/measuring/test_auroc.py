"""The area is scikit-learn's, and its interval covers the truth."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from stages.core.streams import stream
from stages.measuring.auroc import area_interval, auroc, auroc_within


@pytest.mark.parametrize("values", [5, 10_000], ids=["many ties", "few ties"])
@pytest.mark.parametrize(("members", "others"), [(1, 1), (1, 40), (7, 93), (300, 20)])
def test_the_area_is_scikit_learns(members: int, others: int, values: int) -> None:
    numbers = stream(1, "auroc", members, values).integers(0, values, members + others).astype(float)
    told = np.arange(members + others) < members
    assert auroc(numbers, told).area == pytest.approx(roc_auc_score(told, numbers), abs=1e-14)


def test_to_tell_the_others_mirrors_the_area_and_its_interval() -> None:
    numbers, told = stream(2, "auroc").normal(size=60), np.arange(60) < 20
    one, other = auroc(numbers, told), auroc(numbers, ~told)
    assert np.allclose((one.area, one.low, one.high), (1 - other.area, 1 - other.high, 1 - other.low), atol=1e-12)


def test_the_ends_lie_as_far_from_the_area_as_the_normal_quantile_allows() -> None:
    m, n, area = 12, 50, 0.8
    for end in area_interval(area * m * n, [(m, n)]):
        more = (m + n) / 2 - 1
        variance = end * (1 - end) * (1 + more * (1 - end) / (2 - end) + more * end / (1 + end)) / (m * n)
        assert abs(end - area) / np.sqrt(variance) == pytest.approx(norm.ppf(0.975))


@pytest.mark.parametrize("told", [np.zeros(5, dtype=bool), np.ones(5, dtype=bool)])
def test_one_group_alone_has_no_area(told: np.ndarray) -> None:
    assert np.isnan(auroc(np.arange(5.0), told)).all()


def test_groups_that_are_apart_leave_room_for_doubt() -> None:
    numbers = np.arange(103.0)
    rare, frequent = auroc(numbers, numbers >= 100), auroc(numbers, numbers >= 50)
    assert (rare.area, rare.high, frequent.area, frequent.high) == (1, 1, 1, 1)
    assert 0.5 < rare.low < frequent.low < 1


@pytest.mark.parametrize(("members", "others"), [(2, 100), (5, 100), (30, 70), (90, 300)])
@pytest.mark.parametrize("truth", [0.7, 0.9])
def test_the_interval_covers_the_truth_as_often_as_it_says(truth: float, members: int, others: int) -> None:
    rng, told = stream(3, "coverage", members, str(truth)), np.arange(members + others) < members
    apart = norm.ppf(truth) * np.sqrt(2)
    areas = [auroc(rng.normal(size=members + others) + apart * told, told) for _ in range(400)]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in areas]) <= 0.99


def test_within_groups_what_tells_them_apart_counts_for_nothing() -> None:
    rng, groups = stream(4, "within"), np.repeat([0, 1, 2], 50)
    told = rng.random(150) < np.array([0.1, 0.5, 0.9])[groups]
    numbers = rng.normal(size=150)
    assert auroc(numbers + 10 * groups, told).area > 0.7
    assert auroc_within(numbers + 10 * groups, told, groups) == auroc_within(numbers, told, groups)
    pairs = [auroc(numbers[groups == one], told[groups == one]).area for one in range(3)]
    weights = [told[groups == one].sum() * (~told[groups == one]).sum() for one in range(3)]
    assert auroc_within(numbers, told, groups).area == pytest.approx(np.average(pairs, weights=weights))


@pytest.mark.parametrize("sizes", [[(36, 14), (5, 45), (6, 44), (2, 48), (37, 13)], [(3, 97)] * 3])
def test_within_groups_the_interval_covers_the_truth_as_often_as_it_says(sizes: list[tuple[int, int]]) -> None:
    rng, truth = stream(5, "coverage within", len(sizes)), 0.8
    groups = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    told = np.concatenate([np.arange(sum(size)) < size[0] for size in sizes])
    numbers = rng.normal(size=(400, len(groups))) + norm.ppf(truth) * np.sqrt(2) * told
    areas = [auroc_within(one, told, groups) for one in numbers]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in areas]) <= 0.99
