"""What a stage's code is: all that it imports, and nothing that does not matter."""

from pathlib import Path
import shutil

import pytest

from stages.code import digest, files
from tests.conftest import Stage


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
    for name, text in texts.items():
        (tmp_path / "stages" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stages" / name).write_text(text)
    return tmp_path


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


def test_a_stage_that_is_not_there_is_told(stage: Stage, root: Path, tmp_path: Path) -> None:
    ended = stage("code", root / "stages", "fly", "--output", tmp_path / "code")
    assert ended.status == 2
    assert ended.output.strip() == f"error: {root / 'stages/fly.py'}: no such file"
    assert not (tmp_path / "code").exists()
