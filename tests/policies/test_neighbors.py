"""Neighbours are those of brute force, to the last bit, ties to the lowest row."""

from collections.abc import Callable
import pickle

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from stages.core.task import Floats
from stages.policies import neighbors
from stages.policies.neighbors import Found, Neighbors, squared

Rng = np.random.Generator


def oracle(points: Floats, query: Floats, k: int) -> tuple[list[float], list[int]]:
    """All distances, feature after feature, and a plain sort."""
    squares = np.zeros(len(points))
    for column, value in zip(points.T, query, strict=True):
        squares = squares + (column - value) * (column - value)
    rows = sorted(range(len(points)), key=lambda row: (squares[row], row))[:k]
    return [float(np.sqrt(squares[row])) for row in rows], rows


def assert_exact(points: Floats, queries: Floats, k: int) -> Found:
    found = Neighbors(points).nearest(queries, k)
    assert found.rows.shape == found.distances.shape == (len(queries), k)
    for query, distances, rows in zip(queries, found.distances, found.rows, strict=True):
        wanted_distances, wanted_rows = oracle(points, query, k)
        assert rows.tolist() == wanted_rows
        assert distances.tolist() == wanted_distances
    return found


def _repeated(rng: Rng, count: int, features: int) -> Floats:
    few = max(1, count // 40)
    return rng.normal(size=(few, features))[rng.integers(0, few, count)]


LAYOUTS: dict[str, Callable[[Rng, int, int], Floats]] = {
    "spread": lambda rng, count, features: rng.normal(size=(count, features)),
    "grid": lambda rng, count, features: rng.integers(0, 3, (count, features)).astype(float),
    "duplicates": _repeated,
    "far away": lambda rng, count, features: 100 + 1e-6 * rng.integers(0, 5, (count, features)),
}


@pytest.mark.parametrize("features", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 70, 300, 3000])
@pytest.mark.parametrize("layout", ["spread", "grid", "duplicates", "far away"])
def test_neighbors_are_those_of_brute_force(count: int, features: int, layout: str) -> None:
    rng = np.random.default_rng(count * 100 + features)
    points = LAYOUTS[layout](rng, count, features)
    near = points[rng.integers(0, count, 4)]
    queries = np.concatenate([near, near + 0.5, rng.normal(size=(2, features)) * 3])
    for k in {1, min(3, count), min(10, count), min(count, 62)}:
        assert_exact(points, queries, k)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_how_the_tree_rounds_decides_nothing(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its distances are taken as they are where its build rounds as we do, and worked out anew where it does not."""
    rng = np.random.default_rng(7)
    points = LAYOUTS[layout](rng, 1000, 7)
    queries = np.concatenate([points[:20] / 3, rng.normal(size=(20, 7)) * 3])
    taken = neighbors.Neighbors(points).nearest(queries, 10)
    monkeypatch.setattr(neighbors, "_rounds_alike", lambda features: False)
    made = neighbors.Neighbors(points).nearest(queries, 10)
    assert np.array_equal(taken.distances, made.distances)
    assert np.array_equal(taken.rows, made.rows)


@pytest.mark.parametrize("layout", ["grid", "duplicates", "far away"])
def test_the_layouts_have_ties_across_the_last_place(layout: str) -> None:
    """Without them the test above would not be hard: more rows than are asked for are equally far from a query."""
    rng = np.random.default_rng(3)
    points = LAYOUTS[layout](rng, 3000, 3)
    distances = [oracle(points, query, 11)[0] for query in points[:20]]
    assert sum(one[9] == one[10] for one in distances) > 5
    assert len(np.unique(points, axis=0)) < len(points)


def test_scikit_learns_brute_force_is_no_oracle_far_away() -> None:
    """It expands the square, and 1e-6 is lost beside 100 squared."""
    rng = np.random.default_rng(4)
    points = LAYOUTS["far away"](rng, 3000, 3)
    rows = KNeighborsRegressor(1, algorithm="brute").fit(points, points).kneighbors(points)[1][:, 0]
    wrong = squared(points - points[rows]) > 0
    assert wrong.any()
    assert not Neighbors(points).nearest(points, 1).distances.any()


@pytest.mark.parametrize("columns", [1, 3, 9, 20])
@pytest.mark.parametrize("rows", [1, 7, 5000])
def test_squares_are_added_feature_after_feature_whatever_the_size(rows: int, columns: int) -> None:
    differences = np.random.default_rng(9).normal(size=(rows, columns))
    wanted = []
    for row in differences[:50].tolist():
        total = 0.0
        for value in row:
            total += value * value
        wanted.append(total)
    assert squared(differences)[:50].tolist() == wanted
    assert squared(np.asfortranarray(differences))[:50].tolist() == wanted


def test_the_layout_of_the_points_in_memory_decides_nothing() -> None:
    rng = np.random.default_rng(10)
    points, queries = rng.normal(size=(700, 6)), rng.normal(size=(9, 6))
    one, other = Neighbors(points).nearest(queries, 4), Neighbors(np.asfortranarray(points)).nearest(queries, 4)
    assert np.array_equal(one.distances, other.distances)
    assert np.array_equal(one.rows, other.rows)


@pytest.mark.parametrize("count", [50, 500])
def test_points_that_are_all_the_same_give_the_lowest_rows(count: int) -> None:
    found = assert_exact(np.full((count, 4), 0.1), np.array([[0.1] * 4, [0.3] * 4]), 5)
    assert found.rows.tolist() == [[0, 1, 2, 3, 4]] * 2


def test_rows_on_a_circle_about_the_query_are_a_tie_or_differ_by_rounding() -> None:
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert_exact(circle, np.array([[0.0, 0.0], [1e-9, 0.0]]), 7)


@pytest.mark.parametrize("count", [40, 2000])
def test_an_answer_does_not_depend_on_the_batch_it_is_asked_in(count: int) -> None:
    rng = np.random.default_rng(5)
    known, queries = Neighbors(rng.integers(0, 4, (count, 5)).astype(float)), rng.normal(size=(37, 5)) * 2
    whole = known.nearest(queries, 4)
    for size in (1, 2, 3, 8, 36):
        for start in range(0, len(queries), size):
            part = known.nearest(queries[start : start + size], 4)
            assert np.array_equal(part.rows, whole.rows[start : start + size])
            assert np.array_equal(part.distances, whole.distances[start : start + size])
    order = rng.permutation(len(queries))
    shuffled = known.nearest(np.asfortranarray(queries[order]), 4)
    assert np.array_equal(shuffled.distances, whole.distances[order])


def test_the_order_of_the_known_points_decides_nothing_but_ties() -> None:
    rng = np.random.default_rng(6)
    points, queries = rng.normal(size=(900, 3)), rng.normal(size=(20, 3))
    order = rng.permutation(len(points))
    one, other = Neighbors(points).nearest(queries, 6), Neighbors(points[order]).nearest(queries, 6)
    assert np.array_equal(one.distances, other.distances)
    assert np.array_equal(one.rows, order[other.rows])


def test_scikit_learn_finds_the_same_where_there_are_no_ties() -> None:
    rng = np.random.default_rng(7)
    points, queries = rng.normal(size=(1000, 4)), rng.normal(size=(50, 4))
    distances, rows = KNeighborsRegressor(5).fit(points, points).kneighbors(queries)
    found = Neighbors(points).nearest(queries, 5)
    assert np.array_equal(found.rows, rows)
    assert np.allclose(found.distances, distances, rtol=0, atol=1e-12)


def test_they_travel_to_another_process_without_their_tree() -> None:
    rng = np.random.default_rng(8)
    known, queries = Neighbors(rng.normal(size=(500, 3))), rng.normal(size=(5, 3))
    before = known.nearest(queries, 3)
    after = pickle.loads(pickle.dumps(known)).nearest(queries, 3)
    assert np.array_equal(before.distances, after.distances)
    assert np.array_equal(before.rows, after.rows)
