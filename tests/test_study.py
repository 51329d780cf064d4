"""Studies: what is committed can be run, what is wrong is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stages import seeds
from stages.core.errors import UserError
from stages.core.overrides import Value
from stages.study import check_variants, experiment, read_study, read_sweep, sweep_path, write_study
from tests.chain import ROOT, run

STUDIES = sorted((ROOT / "reports/studies").glob("*.yaml"))
SMALL = """
seed: 1
tasks: [distance]
rounds: [{name: round_0, rows: demonstrations/steps.parquet, more: demonstrations/episodes.parquet}]
evaluate: {distance: {max_steps: 40}}
"""
STEMS = ("seed", "a_b", "a-b", "a-b-1", "study", "seed-1")


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
    assert list(dict.fromkeys(table["variant"].astype(str))) == list(study.variants)
    assert set(table["task"]) == {study.task}
    assert set(table["round"]) == set(range(study.rounds))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_committed_table_is_what_its_study_would_make_today(path: Path) -> None:
    """As far as can be told without running it: its columns and conditions."""
    import pandas as pd

    study, table = read_study(path), pd.read_csv(path.with_suffix(".csv"))
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    conditions = f"randomization.{study.task}.evaluate"
    left = [
        name for name in params["randomization"][study.task]["evaluate"] if f"~{conditions}.{name}" not in study.base
    ]
    assert list(dict.fromkeys(table["condition"])) == left
    differences = ["against", "pairs", "difference", "difference_low", "difference_high", "p_adjusted", "verdict"]
    assert list(table.columns) == ["variant", *pd.read_csv(ROOT / "reports/results.csv").columns, *differences]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_committed_table_compares_what_its_study_says(path: Path) -> None:
    import pandas as pd

    study, table = read_study(path), pd.read_csv(path.with_suffix(".csv"), dtype={"variant": str, "against": str})
    held = table[table["against"].notna()]
    assert dict(zip(held["variant"], held["against"], strict=True)) == study.references()
    assert len(held) == len(table[table["variant"].isin(study.references())])
    rows = table.set_index(["variant", "round", "condition"])
    for row in held.to_dict("records"):
        other = rows.loc[(row["against"], row["round"], row["condition"])]
        if row["pairs"] == row["episodes"] == other["episodes"]:
            assert row["difference"] == pytest.approx(row["success"] - other["success"], abs=1e-5)
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        way = "better" if row["difference"] > 0 else "worse"
        assert row["verdict"] == (way if row["p_adjusted"] <= 0.05 else "no evidence")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("question: why\ntask: distance\nrounds: 0\nvariants: {a: {}}", "rounds"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {}", "variants"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nvariant: 1", "variant"),
        ("question: [", "not YAML"),
        ("", "the file"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nagainst: b", "against: found b, allowed: a$"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nagainst: {a: b}", "against: found b"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nagainst: {b: a}", "against: found b"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nagainst: {a: a}", "against: found a twice"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}, b: {}}\nagainst: {}", "against"),
        ("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}\nagainst: 1", "against"),
    ],
)
def test_a_broken_study_is_told_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=told) as caught:
        read_study(path)
    assert "\n" not in str(caught.value)


def test_a_study_is_not_taken_for_the_table_that_would_replace_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}")
    with pytest.raises(UserError, match=r"found a file ending in \.csv, allowed: \.yaml, \.yml"):
        read_study(path)


def test_a_study_whose_name_no_experiment_could_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two words.yaml"
    path.write_text("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}}")
    with pytest.raises(UserError, match="found the name two words, allowed: letters, digits"):
        read_study(path)


def test_a_study_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_study(tmp_path / "none.yaml")


def test_a_sweep_is_a_study_of_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key, study = read_sweep("policy.kuka_reach.neighbors=1,3,10", None, 2)
    assert sweep_path(key, study, None) == Path("reports/studies/policy_kuka_reach_neighbors.yaml")
    assert (study.task, study.rounds, study.plot) == ("kuka_reach", 2, "values")
    assert study.variants["3"] == {"policy.kuka_reach.neighbors": 3}


def test_a_sweep_takes_whatever_yaml_calls_a_plain_value() -> None:
    _, study = read_sweep("shift.kuka_reach.threshold=null, 0.5,1e3", None, 1)
    assert study.variants == {
        "null": {"shift.kuka_reach.threshold": None},
        "0.5": {"shift.kuka_reach.threshold": 0.5},
        "1e3": {"shift.kuka_reach.threshold": "1e3"},  # to YAML, and so to DVC, that is a text
    }


def test_a_sweep_that_fails_leaves_nothing_in_the_way_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "params.yaml").write_text(SMALL)
    said = run(tmp_path, "python", "-m", "stages.study", "--sweep", "evaluate.distance.max_steps=1,2", check=False)
    assert "error: experiment study-evaluate_distance_max_steps-0 failed" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "params.yaml"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"evaluate.distance.max_steps": "x"}, "evaluate.distance.max_steps: found 'x', allowed: a whole number"),
        ({"evaluate.distnace.max_steps": 1}, "evaluate.distnace: found an unknown key, allowed: distance"),
        ({"rounds.1.name": "x"}, "rounds.1: found an unknown key, allowed: 0"),
        ({"~seed.x": None}, "seed.x: found an unknown key, allowed: none below a value"),
        ({"+seed": 1}, "+seed: found 1, allowed: what DVC takes (Could not append to config. An item is already"),
        ({"seed": "1,2"}, "seed: found 1,2, allowed: what DVC takes ("),
        (
            {"+evaluate.distance.steps": 1},
            "evaluate.distance.steps: found an unknown key, allowed: episodes",
        ),
        ({"tasks": ["kuka_reach"]}, "task: found distance, allowed: kuka_reach"),
    ],
)
def test_a_variant_that_could_not_run_is_told_before_any_runs(
    changes: dict[str, Value], told: str, stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SMALL)
    fine: dict[str, Value] = {"~seed": None, "+evaluate.distance.episodes": 3, "evaluate.distance.max_steps": 2}
    study = {"question": "why", "task": "distance", "rounds": 1, "variants": {"fine": fine}}
    Path("study.yaml").write_text(yaml.safe_dump(study))
    check_variants(Path("study.yaml"), read_study(Path("study.yaml")))
    study["variants"] = {"fine": fine, "bad": changes}
    Path("study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    ended = stage("study", "study.yaml")
    assert (ended.status, ended.output.count("\n")) == (2, 1)
    assert ended.output.startswith(f"error: study.yaml: variant bad: {told}")
    assert Path("params.yaml").read_text() == SMALL


def test_no_two_experiments_share_a_name() -> None:
    studies = [experiment(Path("reports/studies") / f"{stem}.yaml", place) for stem in STEMS for place in (0, 1, 10)]
    names = [*studies, *(seeds.experiment(seed) for seed in (0, 1, 10))]
    assert len(set(names)) == len(names)
    for stem in STEMS:
        run(ROOT, "git", "check-ref-format", f"refs/exps/{experiment(Path(stem), 1)}")


def test_a_sweep_does_not_take_the_place_of_another_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key, study = read_sweep("seed=1,2", "distance", 1)
    path = sweep_path(key, study, "luck")
    write_study(path, study)
    assert read_study(path) == study
    assert sweep_path(key, study, "luck") == path
    with pytest.raises(UserError, match="found another study"):
        sweep_path(*read_sweep("seed=1,2,3", "distance", 1), "luck")
    (tmp_path / "reports/studies/seeds.csv").touch()  # as `python -m stages.seeds` leaves it
    with pytest.raises(UserError, match=r"^reports/studies/seeds.csv: found another study"):
        sweep_path(key, study, "seeds")


@pytest.mark.parametrize(("command", "argument"), [("study", STUDIES[0]), ("rounds", 3)])
def test_parameters_that_are_not_read_are_refused(stage: Any, command: str, argument: object) -> None:
    ended = stage(command, argument, "--params", "nowhere.yaml")
    assert ended.status == 2
    assert "unrecognized arguments: --params" in ended.output


def test_what_only_a_sweep_has_is_refused_without_one(stage: Any) -> None:
    ended = stage("study", STUDIES[0], "--rounds", 2)
    assert (ended.status, ended.output) == (2, "error: --rounds: has no effect without --sweep\n")
    ended = stage("study", "--sweep", "seed=1,2", "--tabulate")
    assert (ended.status, ended.output) == (2, "error: --tabulate: has no effect with --sweep\n")


def test_a_study_that_has_not_run_cannot_be_tabulated(stage: Any, tmp_path: Path) -> None:
    path = tmp_path / "never.yaml"
    path.write_text("question: why\ntask: distance\nrounds: 1\nvariants: {a: {}, b: {}}")
    ended = stage("study", "--tabulate", path)
    assert (ended.status, ended.output.count("\n")) == (2, 1)
    assert ended.output == f"error: study-never-0: no such experiment, needed: a run of {path}, without --tabulate\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_sweeps_chart_and_figure_show_every_value_and_condition() -> None:
    import pandas as pd

    from stages.reporting.sweep import sweep_figure, sweep_svg

    table = pd.read_csv(ROOT / "reports/studies/lab.csv")
    chart = sweep_svg(table, "evaluate.distance.max_steps").decode()
    for word in (*table["variant"], *table["condition"], "evaluate.distance.max_steps"):
        assert f">{word}</text>" in chart
    told = [picture.alt for picture in sweep_figure(table).pictures]
    assert [alt.split(",")[0] for alt in told] == [
        f"Success in condition {one}" for one in dict.fromkeys(table["condition"])
    ]
    assert all(value in alt for alt in told for value in set(table["variant"]))


@pytest.mark.parametrize(
    ("sweep", "task", "told"),
    [
        ("policy.kuka_reach.neighbors=1", None, "two values or more"),
        ("policy.kuka_reach.neighbors=1,,2", None, "two values or more"),
        ("policy.kuka_reach.neighbors=1,1", None, "two values or more"),
        ("policy.kuka_reach.neighbors=1,[", None, "two values or more"),
        ("policy.kuka_reech.neighbors=1,3", None, "^--sweep: policy.kuka_reech: found an unknown key, allowed: dist"),
        ("seed=1,2", None, "--task: found nothing"),
        ("seed=1,2", "walk", "--task: found walk"),
    ],
)
def test_a_broken_sweep_is_told_in_one_line(sweep: str, task: str | None, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        read_sweep(sweep, task, 1)
    assert "\n" not in str(caught.value)
