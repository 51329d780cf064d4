"""An experiment takes the place of an earlier one of its name, but only once it has run."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import yaml

from tests.chain import ROOT, run

PIPELINE = {"stages": {"wait": {"cmd": "sleep ${seconds}", "params": ["seconds"]}}}
PROGRAM = "from stages.comparing.experiments import run_experiment; run_experiment('x', {'seconds': 60}, ['wait'])"


def experiments(folder: Path) -> list[str]:
    return run(folder, "git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/exps/*/*/x").splitlines()


def test_what_was_there_is_back_after_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (tmp_path / "params.yaml").write_text("seconds: 0\n")
    for command in (
        *("git init -q", "dvc init -q", "git config user.name t", "git config user.email t@localhost"),
        *("git add -A", "git commit -qm start", "dvc exp run -q --temp -n x -S seconds=0.1"),
    ):
        run(tmp_path, *command.split())
    earlier = experiments(tmp_path)
    assert len(earlier) == 1
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while experiments(tmp_path) and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    assert process.wait(timeout=60) != 0
    assert experiments(tmp_path) == earlier
