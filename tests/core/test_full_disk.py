"""Where nothing can be written, a stage says so in a line, and what was there before stays."""

from collections.abc import Callable
from pathlib import Path
import shlex
import subprocess
import sys

import pytest

from stages.core import tables
from stages.tasks.distance import Distance
from tests.conftest import Chain

# Alone with its mounts: they end with it, and need no rights that an ordinary user lacks.
ALONE = ("unshare", "--mount", "--map-root-user")
FULL = "mount -t tmpfs -o size=64k none {disk} && {keep} && (head -c 1M /dev/zero >{disk}/rest || true) 2>/dev/null"
READ_ONLY = "mount -t tmpfs none {disk} && {keep} && mount -o remount,ro {disk}"
WAYS = {"full": (FULL, "No space left on device"), "read-only": (READ_ONLY, "Read-only file system")}

Command = Callable[[Chain, Path], list[object]]
COMMANDS: dict[str, Command] = {
    "demonstrate": lambda chain, out: ["distance", "--recordings", "data/recordings/distance", "--output", out],
    "train": lambda chain, out: [
        *("distance", chain.data / "distance/round_0/dataset.parquet"),
        *("--policy", out / "policy.npz", "--metrics", out / "training.json"),
    ],
    "measure": lambda chain, out: [
        *(chain.data, "--params", chain.params, "--results", out / "results.csv"),
        *("--metrics", out / "metrics.json", "--plots", out / "plots"),
    ],
}


@pytest.fixture(scope="module")
def namespaces() -> None:
    made = subprocess.run([*ALONE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this system lets no one mount a disk of their own: {made.stderr.strip()}")


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_takes_nothing_is_told_and_what_was_there_stays(
    name: str, way: str, chain: Chain, root: Path, tmp_path: Path
) -> None:
    """The old output is a folder with a file, as a stage's is, and is listed after the stage has failed."""
    prepare, reason = WAYS[way]
    disk = tmp_path / "disk"
    disk.mkdir()
    keep = f"mkdir {disk}/out && printf old >{disk}/out/steps.parquet"
    command = shlex.join(map(str, [sys.executable, "-m", f"stages.{name}", *COMMANDS[name](chain, disk / "out")]))
    afterwards = f"echo status $?; find {disk} -type f; cat {disk}/out/steps.parquet"
    script = f"{prepare.format(disk=disk, keep=keep)} && {{ {command}; {afterwards}; }}"
    done = subprocess.run([*ALONE, "sh", "-c", script], cwd=root, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "episode" not in line]
    assert len(said) == 1, done
    assert said[0].startswith(f"error: {disk}/out")
    assert f"cannot be written ({reason})" in said[0]
    assert ".tmp" not in said[0]
    status, *left = done.stdout.splitlines()
    assert status == "status 2"
    assert left[-1] == "old"
    assert set(left[:-1]) <= {f"{disk}/out/steps.parquet", f"{disk}/rest"}


def test_a_limit_to_files_is_told_and_what_was_there_stays(root: Path, tmp_path: Path) -> None:
    """As a quota does: the write fails in its midst."""
    output = tmp_path / "out"
    arguments = ["distance", "--recordings", "data/recordings/distance", "--output", str(output)]
    command = [sys.executable, "-m", "stages.demonstrate", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    limited = ["sh", "-c", f"ulimit -f 1; {shlex.join(command)}"]
    done = subprocess.run(limited, cwd=root, capture_output=True, text=True)
    assert done.returncode == 2, done
    assert done.stderr.startswith(f"error: {output}")
    assert "cannot be written (File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert list(tmp_path.iterdir()) == [output]
    assert tables.read_episodes(output, "distance", Distance)
