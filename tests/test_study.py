"""Studies: what is committed can be run, what is wrong is told."""

from pathlib import Path

import pytest
import yaml

from stages.core.errors import UserError
from stages.study import read_study
from tests.chain import ROOT

STUDIES = sorted((ROOT / "reports/studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_committed_study_changes_parameters_that_there_are(path: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    study = read_study(path)
    for changes in (study.base, *study.variants.values()):
        for key in changes or {}:
            place = params
            *folders, last = key.lstrip("~").split(".")
            for part in folders:
                place = place[part.removeprefix("+")]
            there = last in place and key.replace("+", "~", 1) not in {*(changes or {})} - {key}
            assert key.startswith("+") != there, key


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_committed_table_holds_every_variant_of_its_study(path: Path) -> None:
    import pandas as pd

    study = read_study(path)
    table = pd.read_csv(path.with_suffix(".csv"))
    assert list(dict.fromkeys(table["variant"])) == list(study.variants)
    assert set(table["task"]) == {study.task}
    assert set(table["round"]) == set(range(study.rounds))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("question: why\ntask: distance\nrounds: 0\nvariants: {a: {}}", "rounds"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {}", "variants"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nvariant: 1", "variant"),
        ("question: [", "not YAML"),
        ("", "the file"),
    ],
)
def test_a_broken_study_is_told_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=told) as caught:
        read_study(path)
    assert "\n" not in str(caught.value)


def test_a_study_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_study(tmp_path / "none.yaml")
