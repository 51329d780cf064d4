"""Results do not hang on who imports numpy first, or it is told."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from stages.core.environment import ENVIRONMENT


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import stages; import numpy", ""),
        ("import numpy; import stages", "RuntimeWarning: numpy was imported before stages: results may differ"),
    ],
)
def test_numpy_that_was_imported_first_is_told(program: str, told: str, root: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    ended = subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0
    assert told in ended.stderr
    assert bool(told) == bool(ended.stderr)


def test_the_recipe_for_a_robot_begins_with_it(root: Path) -> None:
    recipe = (root / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert recipe.startswith("import stages ")
