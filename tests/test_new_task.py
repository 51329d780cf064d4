"""A task that is begun as a copy is one at once, and takes nothing from the others."""

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest
import yaml

from stages.core.checks import PER_TASK
from stages.core.errors import UserError
from stages.core.registry import Registry
from stages.new_task import changes
from stages.tasks import TASKS
from tests.chain import ROOT, SMALL, copy_repository, ran, run


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the lab's exercise was copied."""
    folder = copy_repository(tmp_path_factory.mktemp("begun") / "repository", {**SMALL, "tasks": ["distance"]})
    text = (ROOT / "dvc.yaml").read_text()
    (folder / "dvc.yaml").write_text(text)  # with its comments
    run(folder, "git", "commit", "-qam", "all tasks")
    run(folder, "python", "-m", "stages.new_task", "begun_here")
    return folder


def test_nothing_that_was_there_is_gone(begun: Path) -> None:
    changed = {}
    for line in run(begun, "git", "diff", "--minimal", "--numstat").splitlines():
        added, removed, path = line.split("\t")
        changed[path] = int(added)
        assert removed == "0"
    assert changed.keys() == {"dvc.yaml", "params.yaml", "stages/tasks/__init__.py"}
    assert (changed["dvc.yaml"], changed["stages/tasks/__init__.py"]) == (2, 1)


def test_its_parameters_are_those_of_what_was_copied(begun: Path) -> None:
    params = yaml.safe_load((begun / "params.yaml").read_text())
    assert params["tasks"] == ["distance", "begun_here"]
    old, new = ({section: params[section][task] for section in PER_TASK} for task in ("distance", "begun_here"))
    # Recordings are of the one that was copied.
    assert new["demonstrate"] == {**old["demonstrate"], "episodes": 20, "recordings": []}
    assert new["correct"] == {**old["correct"], "recordings": {}}
    assert all(new[section] == old[section] for section in PER_TASK if section not in ("demonstrate", "correct"))
    assert [file.name for file in (begun / "data/recordings/begun_here").iterdir()] == [".gitkeep"]


def test_the_chain_runs_it(begun: Path) -> None:
    done = ran(run(begun, "dvc", "repro", "evaluate@begun_here-round1"))
    assert {stage.rpartition("-")[0] or stage for stage in done[3:]} == {
        f"{stage}@begun_here" for stage in ("build", "train", "practice", "correct", "evaluate")
    }
    assert done[:3] == ["code", "randomize", "demonstrate@begun_here"]


def test_it_keeps_what_every_task_promises(begun: Path) -> None:
    shutil.copytree(ROOT / "tests", begun / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", begun)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    asked = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/tasks", "tests/test_dvc_yaml.py")
    done = subprocess.run(
        [*asked, "-k", "begun_here"], cwd=begun, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout  # it is 5 where nothing was asked


@pytest.mark.parametrize("like", TASKS)
def test_a_copy_of_any_task_is_a_class_of_its_own(like: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    texts = {path: text for path, text in changes("begun_here", like).items() if path.suffix == ".py"}
    source = texts[Path("stages/tasks/begun_here.py")].decode()
    (tmp_path / f"copy_of_{like}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    made = Registry[object]("task", {"begun_here": f"copy_of_{like}:BegunHere"}).find("begun_here")
    assert made.__module__ == f"copy_of_{like}"
    assert '"begun_here": "stages.tasks.begun_here:BegunHere",\n' in texts[Path("stages/tasks/__init__.py")].decode()
    if "_" in like:
        assert like not in source.replace(f"Begun as a copy of {like}", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Open", "name: found Open, allowed: words of a-z and 0-9, joined by _"),
        ("../open", "name: found ../open, allowed: words of a-z and 0-9, joined by _"),
        ("class", "name: found class, allowed: words of a-z and 0-9, joined by _"),
        ("distance", "name: found distance, which is stages/tasks/distance.py, allowed: a new one"),
        ("kuka", "name: found kuka, which is stages/tasks/kuka, allowed: a new one"),
        ("recordings", "name: found recordings, which is data/recordings, allowed: a new one"),
        ("begun_here", "name: found begun_here, which is stages/tasks/begun_here.py, allowed: a new one"),
        ("yes", "name: found yes, which is no word in YAML, allowed: another one"),
        ("knob", "name: found knob, whose class Knob is another in stages/tasks/distance.py, allowed: another one"),
    ],
)
def test_a_name_that_cannot_be_is_told_and_nothing_changes(begun: Path, name: str, message: str) -> None:
    before = run(begun, "git", "status", "--porcelain")
    ended = subprocess.run([sys.executable, "-m", "stages.new_task", name], cwd=begun, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (2, f"error: {message}\n")
    assert run(begun, "git", "status", "--porcelain") == before


def test_where_not_all_can_be_written_nothing_is(begun: Path) -> None:
    before = run(begun, "git", "status", "--porcelain", "--untracked-files=all")
    command = (  # params.yaml is larger
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000)); "
        "sys.argv = ['new_task', 'half']; runpy.run_module('stages.new_task', None, '__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", command], cwd=begun, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("error: params.yaml: cannot be written (File too large), what was there stays; make")
    assert run(begun, "git", "status", "--porcelain", "--untracked-files=all") == before
    assert not (begun / "data/recordings/half").exists()


def test_words_are_not_renamed_and_ends_of_lines_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stages", "data", "params.yaml", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").unlink()
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.chdir(tmp_path)
    made = changes("begun_here", "distance")
    source = made[Path("stages/tasks/begun_here.py")].decode()
    assert '"""Distance to a target [m]; the action is the step [m] added to it."""' in source
    assert "class BegunHere(Task):" in source
    params = made[Path("params.yaml")]
    assert params.count(b"\n") == params.count(b"\r\n") > params.count(b"begun_here") == len(PER_TASK) + 1


@pytest.mark.parametrize(("content", "told"), [(b"a: \xe9\n", "params.yaml: not a text"), (None, "no such file")])
def test_what_is_no_text_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, told: str
) -> None:
    for name in ("stages", "data", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    if content is not None:
        (tmp_path / "params.yaml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=told):
        changes("begun_here", "distance")


def test_what_is_to_be_copied_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"__init__\.py: no such file"):
        changes("begun_here", "distance")
