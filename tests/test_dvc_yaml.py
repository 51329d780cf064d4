"""`dvc.yaml` names what a stage reads, all of it and nothing else."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

from stages.core.registry import Registry
from stages.policies import POLICIES
from stages.tasks import TASKS
from tests.chain import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def modules(names: Registry) -> list[Path]:
    return [ROOT / f"{place.partition(':')[0].replace('.', '/')}.py" for place in names.places.values()]


REGISTERED = {
    ROOT / "stages/tasks/__init__.py": modules(TASKS),
    ROOT / "stages/policies/__init__.py": modules(POLICIES),
}


@cache
def imports(path: Path) -> frozenset[Path]:
    """The files of this repository that a file imports, wherever in it, and their packages' own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            base = ROOT / Path(*name.split("."))
            found |= {one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()}
    return frozenset(found)


def closure(path: Path) -> set[Path]:
    """All that is imported from a file on, with the tasks and policies that are found by name."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        waiting += [*imports(one), *imports(ROOT / "stages/__init__.py")]
        waiting += REGISTERED.get(one, [])
    return seen - {ROOT / "stages/__init__.py"}


def code_deps(stage: str) -> list[Path]:
    return [ROOT / dep for dep in STAGES[stage]["deps"] if dep.startswith("stages/")]


def test_what_no_stage_depends_on_does_nothing_but_import() -> None:
    docstring, *rest = ast.parse((ROOT / "stages/__init__.py").read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(one, ast.ImportFrom) and one.module == "stages.core" for one in rest)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_the_code_it_imports(stage: str) -> None:
    deps = code_deps(stage)
    read = closure(ROOT / f"stages/{stage}.py")
    assert [str(one) for one in read if not any(one.is_relative_to(dep) for dep in deps)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_code_it_does_not_import(stage: str) -> None:
    read = closure(ROOT / f"stages/{stage}.py")
    assert [str(dep) for dep in code_deps(stage) if not any(one.is_relative_to(dep) for one in read)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_of_a_stage_is_on_its_command_line(stage: str) -> None:
    one = STAGES[stage]
    outs = [out if isinstance(out, str) else next(iter(out)) for out in [*one["outs"], *one.get("metrics", [])]]
    paths = [path for path in [*one["deps"], *outs] if not path.startswith("stages/")]
    words = one["cmd"].split()
    assert [path for path in paths if not any(Path(path).is_relative_to(word) for word in words)] == []
