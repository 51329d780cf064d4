"""Imports point one way: core <- tasks/kuka <- tasks, core <- policies, all of them <- stages."""

import ast
from contextlib import redirect_stdout
import io
from pathlib import Path
import subprocess
import sys

import pytest

ALLOWED = {
    "core": {"core"},
    "tasks/kuka": {"core", "tasks.kuka"},
    "tasks": {"core", "tasks", "tasks.kuka"},
    "policies": {"core", "policies"},
}


def imported(path: Path) -> set[str]:
    """The parts of `stages` that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".")[1:] for name in names if name.startswith("stages.")]
    return {"tasks.kuka" if part[:2] == ["tasks", "kuka"] else part[0] for part in parts}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str, root: Path) -> None:
    modules = sorted((root / "stages" / package).glob("**/*.py"))
    assert modules
    for module in modules:
        assert imported(module) <= ALLOWED[package], module


def test_randomness_comes_from_named_streams_alone(root: Path) -> None:
    for module in sorted((root / "stages").rglob("*.py")):
        tree = ast.parse(module.read_text())
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert "seed" not in {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }, module
        if module.name != "streams.py":
            assert "default_rng" not in names, module


def test_nothing_is_pickled(root: Path) -> None:
    for module in sorted((root / "stages").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                assert not {"pickle", "joblib", "dill", "cloudpickle"} & {alias.name for alias in node.names}, module
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"pickle", "dill", "cloudpickle"}, module


def test_the_tests_compute_to_the_bits_of_a_stages_process(root: Path) -> None:
    """What numpy's libraries must be told stands in `stages`, which must be imported before numpy."""
    program = """
import stages
import hashlib, numpy
from stages.tasks.kuka_reach import KukaReach
seen = numpy.random.default_rng(0).uniform(-0.5, 0.5, (300, 10))
print(hashlib.sha256(KukaReach.expert(seen).tobytes()).hexdigest())
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True).stdout
    with redirect_stdout(io.StringIO()) as here:
        exec(program, {})
    assert said == here.getvalue()
