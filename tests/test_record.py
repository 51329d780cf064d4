"""Recording by hand, for real: a virtual display, PyBullet's window, a mouse on its sliders and the key q."""

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image
import pytest

from stages.core.recordings import read_recording, write_recording
from stages.tasks.kuka_joints import SLIDER, KukaJoints

NEEDED = ("Xvfb", "xdotool", "import")
PACKAGES = "xvfb xdotool imagemagick libgl1-mesa-dri"
SCREEN = (1280, 960)
# Where PyBullet draws its window of 1024 x 768 [pixels].
SLIDERS_LEFT, SLIDERS_RIGHT, SLIDER_TOP, SLIDER_PITCH = 796, 984, 106, 44


def record(*arguments: object, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stages.record", "kuka_joints", *map(str, arguments)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    """The environment of a virtual display that lives as long as the test."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (Debian: apt-get install {PACKAGES})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    read, write = os.pipe()
    screen = "x".join(map(str, SCREEN)) + "x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    assert number, "Xvfb did not start"
    yield {**os.environ, "DISPLAY": f":{number}"}
    server.terminate()
    server.wait()


def mouse(environment: dict[str, str], *command: object) -> None:
    subprocess.run(["xdotool", *map(str, command)], env=environment, check=True)


def drag(environment: dict[str, str], slider: int, value: float) -> None:
    """Pull a slider from 0 to `value` [rad]."""
    middle, half = (SLIDERS_LEFT + SLIDERS_RIGHT) / 2, (SLIDERS_RIGHT - SLIDERS_LEFT) / 2
    height = SLIDER_TOP + SLIDER_PITCH * (slider - 1)
    mouse(environment, "mousemove", round(middle), height, "mousedown", 1)
    for share in (0.5, 1.0):
        time.sleep(0.4)
        mouse(environment, "mousemove", round(middle + half * share * value / SLIDER), height)
    time.sleep(0.4)
    mouse(environment, "mouseup", 1)


def wait_for_recording(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "recording" in line:
            return
    assert process.stderr is not None
    pytest.fail(f"recording did not start: {process.stderr.read()}")


def test_what_a_hand_does_with_the_sliders_becomes_a_recording(display: dict[str, str], tmp_path: Path) -> None:
    output, picture = tmp_path / "hand.parquet", tmp_path / "window.png"
    process = record("--output", output, "--seconds", 60, environment=display)
    try:
        wait_for_recording(process)
        time.sleep(1)  # until the sliders are drawn
        drag(display, 2, 1.0)
        drag(display, 4, -1.0)
        subprocess.run(["import", "-window", "root", picture], env=display, check=True)
        mouse(display, "keydown", "q")
        time.sleep(0.5)
        mouse(display, "keyup", "q")
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()

    with Image.open(picture) as image:
        assert image.size == SCREEN
        assert len(image.convert("RGB").getcolors(2**24) or []) > 100, "the window shows nothing"
    rows = read_recording(output, KukaJoints.recorded)
    observations, actions = KukaJoints.complete(rows)
    assert 8 < len(rows) < 60 * 240
    assert np.allclose(actions[-1], [0, 1, 0, -1, 0, 0, 0], atol=0.15)
    assert np.allclose(actions[0], 0, atol=0.02)
    still = np.delete(actions, [1, 3], axis=1)
    assert np.allclose(still, 0, atol=0.02)
    assert np.allclose(observations[0, :7], 0)
    assert observations[:, 1].max() > 0.5, "the arm follows its sliders"
    assert KukaJoints.flaw(rows) is None
    assert list(tmp_path.glob(".*")) == []


def test_it_ends_by_itself_after_the_seconds(display: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "short.csv"
    process = record("--output", output, "--seconds", 0.2, environment=display)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert len(read_recording(output, KukaJoints.recorded)) == 48


@pytest.mark.parametrize("display_name", [None, ":4711"])
def test_without_a_display_it_says_what_to_do(display_name: str | None, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    if display_name is not None:
        environment["DISPLAY"] = display_name
    process = record("--output", tmp_path / "none.parquet", environment=environment)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output == ""
    assert errors.startswith("error: display: ")
    assert "xvfb" in errors
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--output", "hand.txt"], ".txt"),
        (["--output", "hand.csv", "--seconds", "0.001"], "0.001, allowed: 1/240 (a physics step) or more"),
        (["--output", "x.csv", "--seconds", "nan"], "nan"),
    ],
)
def test_wrong_arguments_are_told_before_a_window_opens(arguments: list[str], found: str) -> None:
    process = record(*arguments, environment=dict(os.environ))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"found {found}" in errors or f"ending in {found}" in errors
    assert errors.count("\n") == 1


def test_a_recording_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "hand.csv"
    output.write_text("shown by a person\n")
    process = record("--output", output, environment=dict(os.environ))
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (
        2,
        f"error: --output: found {output}, allowed: a new file, as no one shows the same twice\n",
    )
    assert output.read_text() == "shown by a person\n"


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_written_recording_reads_back_to_the_bit(suffix: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(50, len(KukaJoints.recorded)))
    rows[0] = 0.0
    path = tmp_path / f"rows{suffix}"
    write_recording(rows, KukaJoints.recorded, path)
    assert np.array_equal(read_recording(path, KukaJoints.recorded), rows)
    assert list(tmp_path.iterdir()) == [path]
