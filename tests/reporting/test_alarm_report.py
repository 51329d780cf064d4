"""What the page says of the alarm follows from the counts."""

from pathlib import Path
import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.measuring.alarm import ALL, alarm_rows
from stages.reporting.alarm import COLUMNS, alarm_basis, judge_alarm
from stages.reporting.coverage import coverage_figure
from stages.reporting.inputs import RESULTS, read_measured, read_table


def table(*rows: tuple[int, int, int, int], replaced: int = 0) -> pd.DataFrame:
    """All conditions of rounds of those counts."""
    counts = pd.DataFrame(rows, columns=["failed_alarmed", "failed_quiet", "succeeded_alarmed", "succeeded_quiet"])
    figures = ("auroc", "balanced_accuracy")
    areas = {f"{name}{end}": np.nan for name in figures for end in ("", "_low", "_high")}
    areas |= {f"{name}{end}": 0.5 for name in ("hits", "false_alarms") for end in ("_low", "_high")}
    unknown = dict.fromkeys(
        ("surprise_warning", "failed_surprised", "succeeded_surprised", "failed_either", "succeeded_either"), np.nan
    )
    return counts.assign(round=range(len(rows)), condition=ALL, replaced=replaced, warning=1.25, **areas, **unknown)


NOTHING = pd.DataFrame(
    {"round": [], "condition": [], "score": [], "told": [], "advantage_low": [], "advantage_high": []}
)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [(3, 1, 5, 1000), (9, 9, 9, 9), (0, 1, 0, 8)],
            "The alarm rose in round 0 in 3 of 4 episodes that failed (typically 1.2 s before the end) and in 5 of "
            "1,005 that succeeded; in round 2 in 0 of 1 episode that failed and in 0 of 8 that succeeded.",
        ),
        ([(0, 0, 2, 6)], "The alarm rose in round 0 in 2 of 8 episodes that succeeded (none failed)."),
        ([(4, 0, 0, 0)], "The alarm rose in round 0 in 4 of 4 episodes that failed (typically 1.2 s before the end)."),
    ],
)
def test_the_verdict_counts_the_first_round_and_the_last(rows: list[tuple[int, int, int, int]], said: str) -> None:
    assert judge_alarm(table(*rows), NOTHING).verdict == said


def test_the_surprised_are_counted_where_surprise_was_calibrated() -> None:
    counts = table((3, 1, 5, 1000), (0, 0, 1, 8)).assign(
        surprise_warning=0.5,
        failed_surprised=[4.0, 0.0],
        succeeded_surprised=[7.0, 2.0],
        failed_either=[4.0, 0.0],
        succeeded_either=[9.0, 3.0],
    )
    told = judge_alarm(counts, NOTHING)
    assert told.verdict.endswith(
        "The policy was surprised in round 0 in 4 of 4 episodes that failed (typically 0.5 s before the end; alarmed "
        "or surprised: 4) and in 7 of 1,005 that succeeded; in round 1 in 2 of 9 episodes that succeeded (none failed)."
    )
    assert [row[-2:] for row in told.rows] == [("4 of 4", "7 of 1,005"), ("\N{EN DASH}", "2 of 9")]


def test_where_nothing_failed_and_no_surprise_was_calibrated_the_alarm_alone_is_told() -> None:
    steps = pd.DataFrame({"episode_index": [1, 2], "frame_index": 0, "shift": False, "surprise": np.nan})
    episodes = pd.DataFrame({"episode_index": [1, 2], "condition": "a", "outcome": "success"})
    rows = alarm_rows(steps, episodes, 0.1, None)
    assert rows[["failed_surprised", "succeeded_surprised", "failed_either", "succeeded_either"]].isna().all(axis=None)
    areas = {f"auroc{end}": np.nan for end in ("", "_low", "_high")}
    told = judge_alarm(rows.assign(round=0, replaced=0, **areas), NOTHING)
    assert told.verdict == "The alarm rose in round 0 in 0 of 2 episodes that succeeded (none failed)."


def test_an_alarm_that_made_the_failures_is_not_praised_for_them() -> None:
    assert "follow from the alarm" in judge_alarm(table((5, 0, 0, 5), replaced=1), NOTHING).verdict


def test_there_is_a_row_a_round_and_a_dash_for_what_cannot_be_told(measured: Any) -> None:
    alarm = pd.read_csv(measured.folder / "plots" / "alarm.csv")
    told = judge_alarm(alarm[alarm["task"] == "kuka_reach"], NOTHING)
    assert [row[0] for row in told.rows] == ["0", "1", "2"]
    assert {len(row) for row in told.rows} == {len(COLUMNS)}
    assert {row[0] for row in told.detail} == {"0", "1", "2"}
    none = judge_alarm(table((0, 0, 2, 6)), NOTHING).rows[0]
    assert none[2:] == (
        "\N{EN DASH}",
        "2 of 8 (50\N{EN DASH}50 %)",
        *("\N{EN DASH}",) * 2,
        "1.2 s",
        *("\N{EN DASH}",) * 2,
    )


def scores(*rows: tuple[int, str, str, float, float]) -> pd.DataFrame:
    """Rows of scores.csv of all conditions together: round, score, told, advantage and half its interval."""
    table = pd.DataFrame(rows, columns=["round", "score", "told", "advantage", "reach"])
    ends = {"advantage_low": table["advantage"] - table["reach"], "advantage_high": table["advantage"] + table["reach"]}
    return table.assign(condition=ALL, auroc=0.9, auroc_low=0.8, auroc_high=0.95, **ends)


def test_a_score_is_called_better_or_worse_where_no_difference_is_ruled_out() -> None:
    told = scores(
        (0, "novelty", "failure", np.nan, np.nan),
        (0, "extrapolation", "failure", 0.02, 0.01),
        (0, "extrapolation", "outside", 0.02, 0.03),
        (0, "extrapolation", "outside, to be seen", 0.02, 0.01),
        (0, "disagreement", "failure", -0.2, 0.1),
        (3, "disagreement", "failure", 0.2, 0.1),
    )
    found = judge_alarm(table((1, 1, 1, 1)), told)
    assert found.score_verdict == (
        "In round 0, extrapolation tells failure and worlds outside that are visible at the start better than novelty "
        "does; disagreement tells failure worse than novelty does (each of 4 intervals by itself)."
    )
    assert [row[:3] for row in found.scores] == [
        ("0", "novelty", "0.900 (0.800\N{EN DASH}0.950)"),
        ("0", "extrapolation", "0.900 (0.800\N{EN DASH}0.950), +0.020 (+0.010 to +0.030)"),
        ("0", "disagreement", "0.900 (0.800\N{EN DASH}0.950), -0.200 (-0.300 to -0.100)"),
        ("3", "disagreement", "0.900 (0.800\N{EN DASH}0.950), +0.200 (+0.100 to +0.300)"),
    ]


def test_without_scores_there_is_no_table_of_them() -> None:
    found = judge_alarm(table((0, 0, 0, 9)), NOTHING)
    assert (found.scores, found.score_verdict) == ([], "")


def test_what_the_alarm_goes_by_is_said_with_its_rate(chain: Any, tmp_path: Path) -> None:
    basis = alarm_basis(chain.data / "kuka_reach" / "round_1" / "training.json")
    assert "largest distance of an episode to the 5th nearest row" in basis
    assert "offset (in units of 0.01, asinh)" in basis
    assert "calibrated on 7 demonstrations, of whose kind at most 12.5 % then alarm (asked for: 10 %)" in basis
    assert basis.endswith(" spreads are a surprise, which about 12.5 % of them hold.")
    assert alarm_basis(chain.data / "distance" / "round_1" / "training.json").endswith(
        "above 1, a number that was set."
    )
    with pytest.raises(UserError, match="no such file"):
        alarm_basis(tmp_path / "none.json")


def test_coverage_tells_known_steps_and_success_of_every_round(measured: Any) -> None:
    rows = pd.read_csv(measured.folder / "results.csv")
    novelty = pd.read_csv(measured.folder / "plots" / "novelty.csv")
    of = rows["task"] == "distance"
    figure = coverage_figure(rows[of], novelty[novelty["task"] == "distance"])
    assert [picture.alt.split(":")[0].split()[-1] for picture in figure.pictures] == list(
        dict.fromkeys(rows[of]["condition"])
    )
    assert all(picture.alt.count("known, ") == 3 for picture in figure.pictures)
    assert "moves dots" not in figure.caption  # the lab's threshold is fixed


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        ("failed_quiet", "quiet", "columns missing: failed_quiet"),
        ("balanced_accuracy,", "accuracy,", "columns missing: balanced_accuracy"),
    ],
)
def test_an_alarm_table_that_does_not_belong_is_told(
    find: str, put: str, message: str, measured: Any, tmp_path: Path
) -> None:
    shutil.copytree(measured.folder, tmp_path / "reports")
    file = tmp_path / "reports" / "plots" / "alarm.csv"
    file.write_text(file.read_text().replace(find, put))
    folder = tmp_path / "reports"
    with pytest.raises(UserError, match=message):
        read_measured(folder / "results.csv", folder / "metrics.json", folder / "plots")


def test_a_condition_may_be_called_what_other_programs_take_for_nothing(measured: Any, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text((measured.folder / "results.csv").read_text().replace(",far,", ",nan,"))
    assert "nan" in set(read_table(file, RESULTS)["condition"])
