"""The gate fails on what is proven and may matter, seldom on nothing, and its power is as published."""

import csv

import numpy as np
import pytest

from stages.comparing.decision import failing, judge, ruled_out
from stages.comparing.pairing import Pairs
from stages.comparing.power import ALL, Setting, discordant, episodes_needed, settings, simulate
from stages.comparing.sequential_power import TOGETHER
from stages.core.conditions import conditions_of
from stages.core.settings import Settings
from stages.reporting.power import COLUMNS
from tests.chain import ROOT


def pairs(lost: int, gained: int, count: int) -> Pairs:
    """Of `count` pairs the first `lost` are lost, the next `gained` are gained."""
    place = np.arange(count)
    is_lost, is_gained = place < lost, (place >= lost) & (place < lost + gained)
    return Pairs("distance", "near", ~is_gained, ~is_lost)


@pytest.mark.parametrize(
    ("lost", "gained", "count", "state"),
    [
        (0, 0, 100, "open"),  # 5.1 points are what a hundred equal pairs leave possible
        (0, 0, 1000, "cleared"),
        (30, 2, 100, "failed"),
        (2, 30, 100, "cleared"),
        (5, 0, 100, "open"),  # p = 0.03
        (130, 60, 5000, "cleared"),  # proven, but surely less than 5 points
        (300, 60, 5000, "failed"),
    ],
)
def test_the_rule(lost: int, gained: int, count: int, state: str) -> None:
    (one,) = judge([pairs(lost, gained, count)], margin=0.05, level=0.01)
    assert one.state == state
    assert (state == "cleared") == (one.low > -0.05)


def test_what_fails_alone_may_not_among_many() -> None:
    assert judge([pairs(9, 0, 100)], 0.05, 0.01)[0].state == "failed"
    many = judge([pairs(9, 0, 100), *[pairs(5, 6, 100)] * 11], 0.05, 0.01)
    assert many[0].state == "open"


def test_conditions_in_which_nothing_can_be_proven_do_not_weaken_it() -> None:
    many = judge([pairs(9, 0, 100), *[pairs(0, 0, 100)] * 11], 0.05, 0.01)
    assert [one.state for one in many] == ["failed", *["open"] * 11]


def test_a_worse_outcome_never_turns_failed_into_passed() -> None:
    lost = np.arange(0, 60)[:, None]
    failed = failing(lost, np.full_like(lost, 5), 200, 0.05, 0.01)[:, 0]
    assert not failed[0]
    assert failed[-1]
    assert (np.diff(failed.astype(int)) >= 0).all()


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("worsening", [0.0, 0.05, 0.3])
def test_the_model_has_the_shares_and_the_correlation_it_is_named_for(worsening: float, correlation: float) -> None:
    lost, gained, same = discordant(0.8, worsening, correlation)
    assert lost - gained == pytest.approx(worsening)
    assert lost + gained + same == pytest.approx(1)
    assert min(lost, gained, same) >= 0
    after = 0.8 - worsening
    spread = (0.8 * 0.2 * after * (1 - after)) ** 0.5
    if gained > 0:
        assert (0.8 - lost - 0.8 * after) / spread == pytest.approx(correlation)


def test_the_power_is_told_for_as_many_conditions_as_the_parameters_have(settings: Settings) -> None:
    counts = {task: len(conditions_of(settings, task, "evaluate")) for task in settings.params.tasks or ()}
    assert sum(counts.values()) == ALL
    assert (counts["kuka_reach"], counts["kuka_pick_place"], ALL) == TOGETHER


def test_where_nothing_is_worse_it_fails_at_most_at_its_level() -> None:
    chosen = [Setting(success, 0.5, ALL, 300, 0.0) for success in (0.5, 0.95)]
    for one in simulate(chosen, 10_000, 0.05, 0.01):
        assert one.failing <= 0.01


def test_a_worsening_of_the_margin_is_caught_with_the_episodes_that_are_published() -> None:
    with (ROOT / "reports/gate/power.csv").open(newline="") as file:
        rows = [{key: float(cell) for key, cell in row.items()} for row in csv.DictReader(file)]
    needed = min(
        row["episodes"]
        for row in rows
        if (row["success"], row["correlation"], row["conditions"]) == (0.95, 0.5, 1)
        and (row["worsening"], row["failing_low"] >= 0.95) == (0.05, True)
    )
    (one,) = simulate([Setting(0.95, 0.5, 1, int(needed), 0.05)], 10_000, 0.05, 0.01)
    assert one.failing >= 0.95


def test_the_published_table_is_of_what_is_simulated() -> None:
    with (ROOT / "reports/gate/power.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == list(COLUMNS)
    published = [tuple(float(cell) for cell in row[:5]) for row in rows]
    assert published == [
        (one.success, one.correlation, one.conditions, one.episodes, one.worsening) for one in settings()
    ]
    false_alarms = [(float(row[5]), float(row[6])) for row in rows if float(row[4]) == 0]
    assert max(low for _, low in false_alarms) <= 0.01
    assert sum(share for share, _ in false_alarms) / len(false_alarms) <= 0.01


def test_the_episodes_needed_are_none_where_none_are_enough() -> None:
    found = list(simulate([Setting(0.8, 0.0, 1, count, 0.05) for count in (50, 3000)], 1000, 0.05, 0.01))
    assert episodes_needed(found[:1], 0.05) == {(0.8, 0.0, 1): None}
    assert episodes_needed(found, 0.05) == {(0.8, 0.0, 1): 3000}


def test_the_bound_that_is_told_is_the_margin_that_would_just_be_ruled_out() -> None:
    before, after = np.ones(200, dtype=bool), np.arange(200) >= 6
    (found,) = judge([Pairs("distance", "near", before, after)], 0.05, 0.01)
    assert ruled_out(6, 0, 200, -found.low + 1e-6, 0.01)
    assert not ruled_out(6, 0, 200, -found.low - 1e-6, 0.01)
