"""Whoever asks what there is to run is told."""

from pathlib import Path
import re
import subprocess
import sys

import yaml


def test_all_commands_are_listed_with_what_they_do_and_the_chain_in_its_order(root: Path) -> None:
    said = subprocess.run([sys.executable, "-m", "stages"], cwd=root, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  (\w+) +[A-Z]", said, re.MULTILINE)
    chain = list(yaml.safe_load((root / "dvc.yaml").read_text())["stages"])
    assert listed[: len(chain)] == chain
    assert sorted(listed) == sorted(path.stem for path in (root / "stages").glob("*.py") if path.stem[0] != "_")
    assert max(map(len, said.splitlines())) <= 100


def test_there_is_nothing_to_choose(root: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", "stages", "train"], cwd=root, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: python -m stages [-h]\n")
