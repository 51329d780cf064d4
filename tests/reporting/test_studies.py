"""A study's figures are those that it asks for, and its picture."""

from pathlib import Path
import re

import pandas as pd
from PIL import Image
import pytest

from stages.reporting.seeds import QUESTION, seeds_figure
from stages.reporting.studies import read_studies
from stages.reporting.variants import differing, read_variants
from tests.chain import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of two variants, two rounds and two conditions."""
    rows = [
        {"variant": variant, "round": number, "condition": condition, "success": success}
        for variant, success in (("one", 0.5), ("other", 1.0))
        for number in (0, 1)
        for condition in ("near", "far")
    ]
    table = pd.DataFrame(rows).assign(
        task="distance", episodes=20, steps=9.0, error=0.1, shift=0.0, crash=0.0, error_median=0.1, rows=30
    )
    table["success_low"], table["success_high"] = table["success"] - 0.1, (table["success"] + 0.1).clip(upper=1)
    held = table["variant"] == "other"
    table.loc[held, ["against", "verdict"]] = "one", "better"
    table.loc[held, ["difference", "difference_low", "difference_high"]] = 0.5, 0.25, 0.625
    table.to_csv(tmp_path / "which.csv", index=False)
    (tmp_path / "which.yaml").write_text("question: Which?\nplot: conditions\n")
    return tmp_path


def test_variants_stand_beside_each_other_in_each_condition(folder: Path) -> None:
    (study,) = read_studies(folder)
    (figure,) = study.figures
    (picture,) = figure.pictures
    assert (
        picture.alt == "Success by condition: one 50 % in its worst condition and other 100 % in its worst condition."
    )
    drawn = picture.content.decode()
    assert all(f">{word}</text>" in drawn for word in ("near", "far", "one", "other"))


def test_no_two_of_many_variants_look_alike_and_no_name_goes_over_the_edge(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    names = [f"variant {number}, of which there is more to say than fits beside it" for number in range(9)]
    pd.concat([table[table["variant"] == "one"].assign(variant=name) for name in names]).to_csv(folder / "which.csv")
    (study,) = read_studies(folder)
    drawn = study.figures[0].pictures[0].content.decode()
    assert drawn.count("<pattern") == 2  # beyond the seven colours there are
    assert max(map(len, re.findall(r"<text [^>]*>([^<]*)</text>", drawn))) <= 40


def test_a_table_of_seeds_is_known_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "other_seeds.csv").write_bytes((ROOT / "reports/studies/seeds.csv").read_bytes())
    (found,) = read_studies(tmp_path)
    assert (found.name, found.question) == ("other_seeds", QUESTION)


def test_a_variant_is_better_or_worse_where_its_table_says_so(folder: Path) -> None:
    (study,) = read_studies(folder)
    found = study.variants
    assert found is not None
    better = "better in near (50.0 points, 25.0 to 62.5) and far (50.0 points, 25.0 to 62.5)"
    assert (found.reference, found.apart) == ("one", [("other", "one", f"in round 0 {better}; in round 1 {better}")])
    assert found.apart == found.standings
    assert found.conditions == ["near", "far"]
    assert found.rows == [("one", [("50 → 50 %", 0.5)] * 2), ("other", [("100 → 100 %", 1.0)] * 2)]


def test_of_several_rounds_the_page_has_the_rows_of_the_ends(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    pd.concat([table, table[table["round"] == 1].assign(round=2)]).to_csv(folder / "which.csv", index=False)
    (study,) = read_studies(folder)
    assert {(row[0], row[2]) for row in study.rows} == {("one", "0"), ("one", "2"), ("other", "0"), ("other", "2")}
    assert len(study.rows) == 8


def test_worse_is_told_after_better_and_by_how_much(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    table = table[table["round"] == 1]
    far = (table["variant"] == "other") & (table["condition"] == "far")
    table.loc[far, ["verdict", "difference", "difference_low", "difference_high"]] = "worse", -0.4, -0.5, -0.2
    found = read_variants(table)
    where = "better in near (50.0 points, 25.0 to 62.5) and worse in far (40.0 points, 20.0 to 50.0)"
    assert found.apart == [("other", "one", where)]
    assert differing(table) == f"other, held against one: {where}"
    more = table[table["variant"] == "other"].assign(variant="more", verdict="no evidence")
    assert differing(more) == "of 1 held against another there is no evidence of a difference"


def test_what_is_held_against_another_and_does_not_differ_is_counted(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    same = table[table["variant"] == "other"].assign(variant="same", verdict="no evidence")
    third = same.assign(variant="third", against="other")
    found = read_variants(pd.concat([table, same, third]))
    assert [one.variant for one in found.standings] == ["other", "same", "third"]
    assert [one.variant for one in found.apart] == ["other"]
    assert found.reference is None  # no longer one for all


def test_one_variant_alone_is_held_against_nothing(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    found = read_variants(table[(table["variant"] == "one") & (table["round"] == 1)])
    assert (found.reference, found.standings, found.rows) == (None, [], [("one", [("50 %", 0.5)] * 2)])


def test_variants_whose_names_are_numbers_keep_them(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv").replace({"one": "1", "other": "10"})
    table.to_csv(folder / "which.csv", index=False)
    (study,) = read_studies(folder)
    assert study.variants is not None
    assert study.variants.reference == "1"
    assert [name for name, _ in study.variants.rows] == ["1", "10"]


def test_a_picture_beside_the_study_is_shown_as_it_is(folder: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(folder / "which.jpg")
    (study,) = read_studies(folder)
    (picture,) = study.figures[-1].pictures
    assert (picture.width, picture.height) == (40, 30)
    assert picture.content == (folder / "which.jpg").read_bytes()


@pytest.mark.parametrize(
    ("others", "panels"), [("1;0.5", ["distance far"]), ("1;1", ["distance near", "distance far"])]
)
def test_conditions_in_which_seeds_or_rounds_differ_have_a_panel(others: str, panels: list[str]) -> None:
    """All of them where nothing differs."""
    cells = {"near": ("1;1", "1;1"), "far": ("1;1", others)}
    figures = {"seeds": 2, "episodes": 9, "mean": 1.0, "low": 0.7, "high": 1.0, "seed_sd": 0.0, "episode_sd": 0.0}
    rows = [
        {"task": "distance", "round": number, "condition": condition, **figures, "by_seed": cell}
        for condition, both in cells.items()
        for number, cell in enumerate(both)
    ]
    told = [picture.alt for picture in seeds_figure(pd.DataFrame(rows)).pictures]
    assert [one.removeprefix("Success by round and seed, ").partition(":")[0] for one in told] == panels
