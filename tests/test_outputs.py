"""Whatever a command is to write and cannot, it says as it begins: before it misses its inputs, which are not there."""

from pathlib import Path
import re

import pytest

from tests.conftest import Stage

STUDY = "question: why\ntask: distance\nrounds: 1\nplot: values\nvariants: {a: {}}\n"
# Every command that writes, and all that it writes so.
WRITTEN = {
    "alarm calibration distance --output out": "out/distance-calibration.csv",
    "alarm knobs distance --output out": "out/distance-knobs.csv out/distance-knobs.svg",
    "alarm responses distance --output out": "out/distance-responses.csv",
    "build distance none none --output out/a": "out/a",
    "code none --output out/a": "out/a",
    "correct distance round_0 none --output out/a": "out/a",
    "demonstrate distance --recording none --output out/a": "out/a",
    "evaluate distance none --output out/a": "out/a",
    "gate --power out": "out/power.csv out/power.svg out/sequential.csv out/budget.csv",
    "looks --output out/a.jpg": "out/a.jpg",
    "measure none --results out/a.csv --metrics out/b.json --plots out/c": "out/a.csv out/b.json out/c",
    "practice distance round_0 none --output out/a": "out/a",
    "randomize --output out/a": "out/a",
    "record kuka_joints --output out/a.csv": "out/a.csv",
    "report none --results a --metrics b --plots c --page a.html --summary b.md --picture c.jpg": "a.html b.md c.jpg",
    "seeds 2 --output out/a.csv": "out/a.csv out/a.svg",
    "stand_in kuka_reach real --episodes 2 --output out": "out/real_1.parquet out/real_2.parquet",
    "study study.yaml": "study.csv study.svg",
    "study --sweep seed=1,2 --task distance --name a": " ".join(f"reports/studies/a.{end}" for end in ("csv", "svg")),
    "train distance none --policy out/a.npz --metrics out/b.json": "out/a.npz out/b.json",
}


@pytest.mark.parametrize("line", WRITTEN)
def test_what_would_be_lost_is_told_before_any_work(
    line: str, stage: Stage, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(STUDY)
    params = ("--params", root / "params.yaml") if line.startswith("stand_in") else ()
    for place in WRITTEN[line].split():
        theirs = tmp_path / place / "theirs.md"  # in a folder of the output's name
        theirs.parent.mkdir(parents=True)
        theirs.write_text("kept")
        ended = stage(*line.split(), *params)
        assert (ended.status, ended.output.count("\n")) == (2, 1), ended.output
        assert re.match(f"error: {place}: found .*, allowed: ", ended.output)
        assert theirs.read_text() == "kept"
        theirs.unlink()
        theirs.parent.rmdir()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("build distance a b --output ./a", "--output: found a, which is rows as well"),
        (
            "demonstrate distance --recording a --recording b --output b",
            "--output: found b, which is recording as well",
        ),
        ("train distance a --policy b.npz --metrics b.json --params b.json", "found b.json, which is params as well"),
        ("report none --results a --metrics b --plots c --page d.html --summary c.md --studies c.md", "is studies as"),
        ("measure a --results c/d.csv --metrics e.json --plots c", "--results: found c/d.csv, which lies in --plots"),
        (
            "correct distance round_0 a --output a/steps.parquet",
            "a/steps.parquet: found the name of a file of episodes",
        ),
    ],
)
def test_nothing_is_written_where_something_is_read(
    line: str, told: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.json").write_text("kept")
    ended = stage(*line.split())
    assert (ended.status, ended.output.count("\n")) == (2, 1), ended.output
    assert told in ended.output
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"b.json": "kept"}


def test_every_command_that_writes_is_in_that_table(root: Path) -> None:
    writes = re.compile(r'"--output"|new_file|new_folder|check_writable|replacing\(|write_\w+\(')
    commands = {path.stem for path in root.glob("stages/*.py") if writes.search(path.read_text())}
    # The names of what `new_task` writes are not given: tests/test_new_task.py.
    assert commands - {"new_task"} == {line.split()[0] for line in WRITTEN}
