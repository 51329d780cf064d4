"""The picture of what is seen has a row a condition, and the same bytes each time."""

from pathlib import Path
from typing import Any

from PIL import Image
import yaml

from stages.looks import WORLDS
from tests.conftest import Stage


def test_a_row_a_condition_and_two_pictures_a_world(content: dict[str, Any], stage: Stage, tmp_path: Path) -> None:
    worlds = content["randomization"]["kuka_reach_camera"]
    worlds["evaluate"] = {"shown": {}, "light": worlds["evaluate"]["light"]}
    content["evaluate"]["kuka_reach_camera"]["max_steps"] = 2
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    for name in ("a.jpg", "b.jpeg"):
        ended = stage("looks", "--output", tmp_path / name, "--params", tmp_path / "params.yaml")
        assert ended.status == 0, ended.output
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpeg").read_bytes()
    width, height = Image.open(tmp_path / "a.jpg").size
    assert height == 2 * 100
    assert width == 84 + 2 * WORLDS * 100


def test_a_name_that_promises_another_format_is_refused(stage: Stage, tmp_path: Path) -> None:
    for name, found in (("a.txt", ".txt"), ("a", "nothing")):
        ended = stage("looks", "--output", tmp_path / name)
        told = f"error: {tmp_path / name}: found a file ending in {found}, allowed: .jpg, .jpeg\n"
        assert (ended.status, ended.output) == (2, told)
    assert list(tmp_path.iterdir()) == []
