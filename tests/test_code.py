"""What a stage's code is: all that it imports, but nothing that does not matter or concerns other tasks."""

from collections.abc import Callable, Mapping
import copy
import json
from pathlib import Path
import shlex
import shutil
from typing import Any

import pytest
import yaml

from stages.code import digest, files
from stages.tasks import TASKS
from tests.chain import change
from tests.conftest import Stage

Written = Mapping[str, str]
Write = Callable[..., Written]

TASKS_REGISTRY, POLICIES_REGISTRY = "tasks/__init__.py", "policies/__init__.py"
FURTHER = ("\n\n\n", "\n\n\nFURTHER = 1\n\n\n")  # after a module's imports
OF_ALL_TASKS = {"randomize.txt", "measure.txt", "report.txt"}
WITH_POLICY = ("train", "evaluate", "practice")
WITHOUT_POLICY = ("demonstrate", "build", "correct")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose stage `one` imports `core.a`, which finds `tasks.b` by its spelling."""
    texts = {
        "__init__.py": "",
        "one.py": "def main():\n    from stages.core import a\n    a.act()\n",
        "other.py": "import stages.core.c\n",
        "core/__init__.py": "",
        "core/a.py": 'WHERE = "stages.tasks.b:B"\nX = 1\n',
        "core/c.py": "",
        "core/page.html": "<p>",
        "tasks/__init__.py": "",
        "tasks/b.py": "class B: ...\n",
    }
    lay(tmp_path / "stages", texts)
    return tmp_path


def lay(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files of these names into the folder."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_imports_are_followed_wherever_they_are_and_however_they_are_spelled(package: Path) -> None:
    found = {str(file) for file in files(package, package / "stages/one.py")}
    assert found == {
        f"stages/{name}"
        for name in (
            "__init__.py",
            "one.py",
            "core/__init__.py",
            "core/a.py",
            "core/page.html",
            "tasks/__init__.py",
            "tasks/b.py",
        )
    }


def test_what_lies_in_a_package_is_its_code_and_relative_names_are_followed(package: Path) -> None:
    texts = {
        "stages/core/a.py": "from ..tasks import lift\n",
        "stages/tasks/lift/__init__.py": "from . import near\nfrom .far import X\nfrom ..b import B\n",
        "stages/tasks/lift/near.py": "",
        "stages/tasks/lift/far.py": "X = 1\n",
        "stages/tasks/lift/other.py": "",
        "stages/tasks/lift/arm.urdf": "",
        "stages/tasks/lift/meshes/fine/arm.obj": "",
        "stages/tasks/lift/inner/__init__.py": "",
        "stages/tasks/lift/inner/other.txt": "",
        "stages/tasks/push/__init__.py": "",
        "stages/tasks/push/other.txt": "",
    }
    lay(package, texts)
    found = {str(file) for file in files(package, package / "stages/one.py")}
    lift = ("__init__.py", "near.py", "far.py", "arm.urdf", "meshes/fine/arm.obj")
    core, tasks = ("__init__.py", "a.py", "page.html"), ("__init__.py", "b.py", *(f"lift/{name}" for name in lift))
    inside = (*(f"core/{name}" for name in core), *(f"tasks/{name}" for name in tasks))
    assert found == {f"stages/{name}" for name in ("__init__.py", "one.py", *inside)}


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (("X = 1", "X = 1  # one"), False),
        (("X = 1", "X = (\n    1\n)"), False),
        (("X = 1", "X = 2"), True),
        (("X = 1", '"""X."""\nX = 1'), True),
    ],
)
def test_what_does_nothing_does_not_matter(package: Path, change: tuple[str, str], matters: bool) -> None:
    file = package / "stages/core/a.py"
    copy = package / "copy.py"
    shutil.copy(file, copy)
    copy.write_text(file.read_text().replace(*change))
    assert (digest(copy) != digest(file)) is matters


REGISTRY = 'R = Registry("task", {"a": "stages.tasks.a:A", "b": "stages.tasks.b:B"})\nX = 1\n'


@pytest.mark.parametrize(
    ("old", "new", "matters"),
    [
        ("X = 1", "X = 2", True),  # anything but an entry
        ("tasks.a:A", "tasks.a:Other", True),  # its own entry
        ("tasks.b:B", "tasks.c:C", False),
        (', "b": "stages.tasks.b:B"', "", False),
        ('"stages.tasks.b:B"', "made()", True),  # what is no literal may be anything
        ('"task"', '"thing"', True),  # a registry of other things has all its entries
    ],
)
def test_of_a_registry_what_concerns_counts(tmp_path: Path, old: str, new: str, matters: bool) -> None:
    (tmp_path / "old.py").write_text(REGISTRY)
    (tmp_path / "new.py").write_text(REGISTRY.replace(old, new))
    digests = {digest(tmp_path / f"{name}.py", {"task": "a", "policy": "p"}) for name in ("old", "new")}
    assert (len(digests) == 2) is matters


@pytest.fixture
def write(stage: Stage, root: Path, committed: dict[str, Any], tmp_path: Path) -> Write:
    """Writes down the code of this repository as `code` of dvc.yaml does, after edits to modules and parameters."""
    words = shlex.split(yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["code"]["cmd"])[4:-2]

    def run(
        edits: Mapping[str, tuple[str, str]], params: Mapping[str, Any], locked: tuple[str, str] = ("", "")
    ) -> Written:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(root / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
        for name, (old, new) in edits.items():
            path = folder / "stages" / name
            text = path.read_text() if path.exists() else old
            assert old in text
            path.write_text(text.replace(old, new, 1))
        content = copy.deepcopy(committed)
        for key, value in params.items():
            change(content, key, value)
        (folder / "params.yaml").write_text(json.dumps(content))  # which is YAML
        (folder / "requirements.txt").write_text((root / "requirements.txt").read_text().replace(*locked))
        where = ("--params", folder / "params.yaml", "--output", folder / "code")
        given = [folder / word if word == "requirements.txt" else word for word in words]
        ended = stage("code", folder / "stages", *given, *where)
        assert ended.status == 0, ended.output
        return {str(path.relative_to(folder / "code")): path.read_text() for path in (folder / "code").rglob("*.txt")}

    return run


def changed(before: Written, after: Written) -> set[str]:
    """The files of `before` that are not the same in `after`."""
    return {name for name, text in before.items() if after.get(name) != text}


def test_a_file_for_each_stage_and_of_most_for_each_task(write: Write) -> None:
    stages = (*WITH_POLICY, *WITHOUT_POLICY)
    assert set(write({}, {})) == {*OF_ALL_TASKS, *(f"{task}/{stage}.txt" for task in TASKS for stage in stages)}


def test_a_further_task_leaves_the_code_of_the_others_as_it_is(write: Write) -> None:
    module = "from stages.core.task import Task\nclass Fly(Task): ...\n"
    line = '    {\n        "fly": "stages.tasks.fly:Fly",'
    before, after = write({}, {}), write({"tasks/fly.py": ("", module), TASKS_REGISTRY: ("    {", line)}, {})
    assert changed(before, after) == OF_ALL_TASKS
    assert {name.split("/")[0] for name in set(after) - set(before)} == {"fly"}
    assert "stages/tasks/fly.py" in after["fly/build.txt"]
    assert "stages/policies/knn.py" not in after["fly/train.txt"]  # params.yaml has no policy for it


def test_an_edited_task_is_the_code_of_that_task_alone(write: Write) -> None:
    edited = write({"tasks/kuka_reach.py": FURTHER}, {})
    assert changed(write({}, {}), edited) == {
        *OF_ALL_TASKS,
        *(f"kuka_reach/{stage}.txt" for stage in (*WITH_POLICY, *WITHOUT_POLICY)),
    }


def test_what_tasks_share_is_the_code_of_those_that_import_it(write: Write) -> None:
    edited = write({"tasks/kuka/arm.py": FURTHER}, {})
    arms = {name for name in TASKS if name.startswith("kuka_")}
    assert {name.split("/")[0] for name in changed(write({}, {}), edited)} == {*OF_ALL_TASKS, *arms}


def test_an_edited_policy_is_the_code_of_the_tasks_of_that_kind(write: Write, committed: dict[str, Any]) -> None:
    edit = {"policies/local_linear.py": FURTHER}
    tasks = [task for task in TASKS if committed["policy"][task]["kind"] == "local_linear"]
    assert 0 < len(tasks) < len(TASKS)
    assert changed(write({}, {}), write(edit, {})) == {
        *OF_ALL_TASKS,
        *(f"{task}/{stage}.txt" for task in tasks for stage in WITH_POLICY),
    }


def test_a_further_kind_of_policy_is_the_code_of_no_task(write: Write) -> None:
    module, line = "class Best: ...\n", '    {\n        "best": "stages.policies.best:Best",'
    after = write({"policies/best.py": ("", module), POLICIES_REGISTRY: ("    {", line)}, {})
    assert changed(write({}, {}), after) == OF_ALL_TASKS


def test_another_kind_changes_the_code_of_its_task_alone(write: Write) -> None:
    changes = {"policy.kuka_reach.kind": "mlp", "policy.kuka_joints.neighbors": 1}
    assert changed(write({}, {}), write({}, changes)) == {f"kuka_reach/{stage}.txt" for stage in WITH_POLICY}


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("pybullet", {"distance/evaluate.txt": False, "kuka_reach/evaluate.txt": True, "report.txt": True}),
        ("matplotlib", {"kuka_reach/evaluate.txt": False, "report.txt": True}),
        ("pillow", {"kuka_reach/evaluate.txt": False, "report.txt": True}),  # which is imported as PIL
        ("ruff", {"report.txt": False}),
    ],
)
def test_a_library_counts_where_it_is_imported(write: Write, library: str, users: Mapping[str, bool]) -> None:
    changes = changed(write({}, {}), write({}, {}, (f"\n{library}==", f"\n{library}==0.")))
    assert {name: name in changes for name in users} == users


def test_a_stage_that_is_not_there_is_told(stage: Stage, root: Path, tmp_path: Path) -> None:
    params, output = root / "params.yaml", tmp_path / "code"
    ended = stage("code", root / "stages", "--once", "fly", "--params", params, "--output", output)
    assert ended.status == 2
    assert ended.output.strip() == f"error: {root / 'stages/fly.py'}: no such file"
    assert not output.exists()


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "policy: found nothing, allowed: a value"),
        ({"policy": 3}, "policy: found 3, allowed: "),
        ({"policy": {"fly": {"neighbors": 1}}}, "policy.fly.kind: found nothing, allowed: "),
    ],
)
def test_what_is_wrong_with_parameters_is_told(
    stage: Stage, root: Path, tmp_path: Path, params: dict[str, Any], told: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    ended = stage("code", root / "stages", "--params", path, "--output", tmp_path / "code")
    assert ended.status == 2
    assert ended.output.startswith(f"error: {path}: {told}")


def test_what_is_not_python_is_told(stage: Stage, root: Path, package: Path) -> None:
    (package / "stages/tasks/b.py").write_text("class B:\n    x = (\n")
    where = ("--params", root / "params.yaml", "--output", package / "code")
    ended = stage("code", package / "stages", "--once", "one", *where)
    assert ended.status == 2
    assert ended.output.strip() == f"error: {package / 'stages/tasks/b.py'}: not Python (line 2: '(' was never closed)"
