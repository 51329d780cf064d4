"""What the page says of knobs, responses and coverage follows from their tables."""

from pathlib import Path
import re

import numpy as np
import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.core.streams import stream
from stages.probing.probe import SHOWN
from stages.reporting.coverage import rank_correlation
from stages.reporting.probes import COLUMNS, _edges, halves, knobs_svg, read_knobs, sentences
from stages.reporting.responses import judge_responses, read_responses
from stages.reporting.sizes import size_figures


def knobs() -> pd.DataFrame:
    """One knob that alarms early above and fails unseen below, and one that surprises before it fails."""
    rows = [
        (SHOWN, "1", SHOWN, np.nan, 0.0, 0.0, 0.0, 0.0),
        ("goal", "m", "below", -0.1, 0.1, 0.0, 0.0, 1.0),
        ("goal", "m", "below", -0.2, 0.2, 0.0, 1.0, 1.0),
        ("goal", "m", "above", 1.1, 0.1, 1.0, 1.0, 0.0),
        ("goal", "m", "above", 1.2, 0.2, 1.0, 1.0, 1.0),
        ("mass", "kg", "above", 2.0, 1.0, 0.0, 0.0, 0.0),
        ("latency", "1", "above", 1.0, 1.0, 0.0, 1.0, 0.0),
        ("latency", "1", "above", 2.0, 2.0, 0.0, 1.0, 1.0),
    ]
    kinds = ["alarmed", "surprised", "failed"]
    table = pd.DataFrame(rows, columns=["knob", "unit", "side", "value", "distance", *kinds])
    ends = {f"{kind}_{end}": table[kind] for kind in kinds for end in ("low", "high")}
    return table.assign(task="kuka_reach", round=3, episodes=40, **ends)


def test_half_way_marks_are_told_and_which_comes_first() -> None:
    lines = sentences(knobs())
    assert lines[0].startswith("goal below: fewer than half alarm, half are surprised at ")
    assert "half fail at 0.05 m (" in lines[0]
    assert lines[1].startswith("goal above: half alarm at 0.05 m (")
    assert lines[-1] == (
        "Half alarm before half fail for goal above. Half are surprised before half fail, and do not alarm by then, "
        "for latency above. Half fail before either for goal below. None of these comes within what was tried for mass "
        "above."
    )


def test_a_table_of_knobs_becomes_a_panel_a_knob_and_a_drawing(tmp_path: Path) -> None:
    assert read_knobs(tmp_path, "kuka_reach") is None
    assert read_knobs(None, "kuka_reach") is None
    knobs().to_csv(tmp_path / "kuka_reach-knobs.csv", index=False)
    probed = read_knobs(tmp_path, "kuka_reach")
    assert probed is not None
    assert len(probed.figure.pictures) == 3
    assert {len(row) for row in probed.rows} == {len(COLUMNS)}
    assert knobs_svg(knobs()) == knobs_svg(knobs())
    assert knobs_svg(knobs()).startswith(b"<svg")


@pytest.mark.parametrize("column", ["knob", "unit", "side", "value", "distance"])
def test_a_table_of_knobs_that_lacks_a_column_is_told(column: str, tmp_path: Path) -> None:
    knobs().drop(columns=column).to_csv(tmp_path / "kuka_reach-knobs.csv", index=False)
    with pytest.raises(UserError, match=f"columns missing: {column}$"):
        read_knobs(tmp_path, "kuka_reach")


def test_a_label_has_all_its_digits() -> None:
    small = knobs()[lambda table: table["knob"].isin([SHOWN, "goal"])]
    small = small.assign(value=small["value"] / 400, distance=small["distance"] / 400)
    labels = re.findall(r"<text[^>]*>([^<]*)<", knobs_svg(small).decode())
    assert {"0.001", "0.002"} <= set(labels)


def test_responses_are_put_together_over_conditions(tmp_path: Path) -> None:
    cells = {"act": (0.5, 0.5, 0.0, 0.0), "hold": (0.25, 0.0, 0.75, 0.0), "ask": (1.0, 0.0, 0.0, 12.0)}
    rows = [
        (0, response, condition, 40, success, crash, timeout, 0.75, 60.0, asked)
        for response, (success, crash, timeout, asked) in cells.items()
        for condition in ("a", "b")
    ]
    names = ["round", "response", "condition", "episodes", "success", "crash", "timeout", "alarmed", "steps", "asked"]
    table = pd.DataFrame(rows, columns=names)
    table = table.assign(asked_share=table["asked"] / 60, success_low=0.1, success_high=1.0, task="kuka_reach")
    found = judge_responses(table)
    assert found.verdict == (
        "In round 0, 50 % succeed where the policy acts on, 25 % where it holds (75 % are alarmed, 75 % run out of "
        "time), and 100 % where the expert is asked, for 12.0 expert steps an episode (20 % of all)."
    )
    assert [row[:4] for row in found.rows][-1] == ("0", "ask", "all", "100 % (95\N{EN DASH}100 %)")
    assert len(found.detail) == 6
    table.to_csv(tmp_path / "kuka_reach-responses.csv", index=False)
    assert read_responses(tmp_path, "kuka_reach") == found
    assert read_responses(tmp_path, "distance") is None


def test_sizes_are_drawn_a_panel_a_condition() -> None:
    table = pd.DataFrame(
        {
            "variant": ["few", "few", "many", "many"],
            "round": 0,
            "condition": ["a", "b"] * 2,
            "rows": [100, 100, 900, 900],
            "shift": [0.5, 0.9, 0.1, 0.3],
            "success": [0.6, 0.1, 1.0, 0.8],
            "success_low": 0.0,
            "success_high": 1.0,
        }
    )
    (figure,) = size_figures(table)
    assert [picture.alt.split(":")[0].split()[-1] for picture in figure.pictures] == ["a", "b"]
    assert "900 rows 90 % known, 100 % succeed" in figure.pictures[0].alt


def test_a_rank_correlation_is_scipys_and_needs_something_to_rank() -> None:
    from scipy.stats import spearmanr

    some, others = stream(1, "rank").normal(size=(2, 12))
    found = rank_correlation(some, others)
    assert found is not None
    assert found[0] == pytest.approx(spearmanr(some, others).statistic)
    assert rank_correlation(some, np.ones(12)) is None
    assert rank_correlation(some[:4], others[:4]) is None


@pytest.mark.parametrize(("truth", "count"), [(0.3, 16), (0.8, 24)])
def test_the_interval_of_a_rank_correlation_covers_the_truth(truth: float, count: int) -> None:
    rng, covered = stream(2, "rank", count), []
    ranked = 6 / np.pi * np.arcsin(truth / 2)  # of normal numbers that correlate by `truth`
    for _ in range(500):
        some, more = rng.normal(size=(2, count))
        found = rank_correlation(some, truth * some + np.sqrt(1 - truth**2) * more)
        assert found is not None
        covered.append(found[1] <= ranked <= found[2])
    assert 0.925 <= np.mean(covered) <= 0.98


def knob_rows(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["side", "value", "distance", "failed"])
    return table.assign(
        knob=np.where(table["side"] == "shown", "shown", "goal"), unit="m", episodes=40, alarmed=0.0, surprised=0.0
    )


def test_half_way_marks_do_not_hang_on_the_order_of_the_rows() -> None:
    rows = [
        ("shown", np.nan, 0.0, 0.0),
        ("below", -0.1, 0.1, 0.0),
        ("below", -0.2, 0.2, 0.25),
        ("below", -0.3, 0.3, 0.75),
    ]
    marks = {}
    for name, order in (("out", rows), ("in", rows[::-1])):
        ((_, _, _, found, farthest),) = halves(knob_rows(*order))
        marks[name] = (found["failed"], farthest)
    assert marks["in"] == marks["out"]
    assert marks["out"][0].distance == pytest.approx(0.25)
    assert marks["out"][1] == 0.3


def test_the_edges_of_what_was_demonstrated_follow_from_values_and_distances() -> None:
    both = knob_rows(("below", -0.3, 0.3, 1.0), ("below", -0.1, 0.1, 0.0), ("above", 1.2, 0.2, 0.0))
    assert _edges(both) == pytest.approx((0.0, 1.0))
    assert _edges(both[both["side"] == "above"]) == pytest.approx((1.0, 1.0))


def test_shares_of_steps_are_those_of_all_conditions_steps() -> None:
    names = ["condition", "episodes", "success", "crash", "timeout", "alarmed", "steps", "asked"]
    table = pd.DataFrame(
        [("near", 40, 1.0, 0.0, 0.0, 0.1, 10.0, 0.0), ("far", 40, 0.5, 0.0, 0.5, 0.9, 90.0, 50.0)], columns=names
    )
    table = table.assign(
        round=0, response="ask", asked_share=table["asked"] / table["steps"], success_low=0.1, success_high=1.0
    )
    (row,) = judge_responses(table).rows
    assert row[-2:] == ("25.0", "50 %")
