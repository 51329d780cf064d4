"""A study's figures are those that it asks for, and its picture."""

from pathlib import Path
import re

import pandas as pd
from PIL import Image
import pytest

from stages.reporting.seeds import QUESTION, seeds_figure
from stages.reporting.studies import read_studies
from stages.reporting.variants import compare_variants
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


def test_a_variant_differs_where_intervals_do_not_overlap(folder: Path) -> None:
    (study,) = read_studies(folder)
    found = study.variants
    assert found is not None
    assert (found.reference, found.apart, found.alike) == (
        "one",
        [("other", "better in near (100 %, not 50 %) and far (100 %, not 50 %)")],
        0,
    )
    assert found.conditions == ["near", "far"]
    assert found.rows[1] == ("other", [("100 → 100 %", 1.0)] * 2)


def test_worse_and_better_are_told_apart_and_who_is_neither_is_counted(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    mixed = table[table["variant"] == "other"].assign(variant="mixed")
    mixed.loc[mixed["condition"] == "far", ["success", "success_low", "success_high"]] = 0.1, 0.0, 0.2
    touching = table[table["variant"] == "other"].assign(variant="touching", success_low=0.6)
    # The first round does not count, whatever happened there.
    table.loc[table["round"] == 0, ["success", "success_low", "success_high"]] = 0.0, 0.0, 0.1
    found = compare_variants(pd.concat([table[table["variant"] == "one"], mixed, touching]))
    assert found.apart == [("mixed", "better in near (100 %, not 50 %); worse in far (10 %, not 50 %)")]
    assert found.alike == 1
    assert found.rows[0] == ("one", [("0 → 50 %", 0.5)] * 2)


def test_one_variant_alone_is_held_against_nothing(folder: Path) -> None:
    table = pd.read_csv(folder / "which.csv")
    found = compare_variants(table[(table["variant"] == "one") & (table["round"] == 1)])
    assert (found.apart, found.alike, found.rows) == ([], 0, [("one", [("50 %", 0.5)] * 2)])


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
