"""Files appear whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from stages.core.errors import UserError
from stages.core.files import check_writable, replacing, write_json, write_text

FOLDER = ("a", "b", "half")  # what a folder in these tests may hold


@pytest.fixture(params=["file", "folder"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something that stands where something new is to be written."""
    path = tmp_path / "out"
    if request.param == "folder":
        path.mkdir()
        (path / "a").write_text("old")
    else:
        path.write_text("old")
    return path


def content(path: Path) -> dict[str, str]:
    return {
        str(one.relative_to(path.parent)): one.read_text() for one in sorted(path.parent.rglob("*")) if one.is_file()
    }


def test_a_block_that_fails_leaves_the_old_and_nothing_else(old: Path) -> None:
    before = content(old)
    with pytest.raises(RuntimeError), replacing(old, FOLDER if old.is_dir() else ()) as temporary:
        if old.is_dir():
            temporary.mkdir()
            (temporary / "half").write_text("new")
        else:
            temporary.write_text("new")
        raise RuntimeError
    assert content(old) == before
    assert list(old.parent.iterdir()) == [old]


def test_a_block_that_ends_well_replaces_all_of_the_old(old: Path) -> None:
    with replacing(old, FOLDER if old.is_dir() else ()) as temporary:
        if old.is_dir():
            temporary.mkdir()
            (temporary / "b").write_text("new")
        else:
            temporary.write_text("new")
    assert set(content(old).values()) == {"new"}
    assert list(old.parent.iterdir()) == [old]


def test_the_old_stands_until_the_block_ends(old: Path) -> None:
    before = content(old)
    with replacing(old, FOLDER if old.is_dir() else ()) as temporary:
        temporary.write_text("new")
        assert content(old)[next(iter(before))] == "old"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


def test_text_is_written_byte_for_byte(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "ä\nb\r\n")
    assert (tmp_path / "x").read_bytes() == "ä\nb\r\n".encode()


def test_json_does_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "one", {"b": 1, "a": {"d": 0.1, "c": None}})
    write_json(tmp_path / "two", {"a": {"c": None, "d": 0.1}, "b": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert json.loads((tmp_path / "one").read_text()) == {"a": {"c": None, "d": 0.1}, "b": 1}


def test_json_refuses_what_is_no_number_and_leaves_the_old(tmp_path: Path) -> None:
    write_json(tmp_path / "x", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x", float("nan"))
    assert (tmp_path / "x").read_text() == "1\n"


def refused(path: Path, holds: tuple[str, ...], first: bool) -> str | None:
    """What is said against writing there, asked first or when writing; None where nothing is."""
    try:
        if first:
            check_writable(path, holds)
            return None
        with replacing(path, holds) as temporary:
            if holds:
                temporary.mkdir()
            else:
                temporary.write_text("new")
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize("holds", [(), ("a",)])
@pytest.mark.parametrize(
    ("place", "fine"),
    [
        ("new", "both"),
        ("new/in/new", "both"),
        ("link/new", "both"),
        ("old", "file"),
        ("empty", "folder"),
        ("..", "neither"),
        ("theirs", "neither"),
        ("old/new", "neither"),
        ("broken/new", "neither"),
        ("loop/new", "neither"),
        ("/proc/new", "neither"),
    ],
)
def test_what_cannot_be_written_is_known_before_and_nothing_changes(
    place: str, fine: str, holds: tuple[str, ...], tmp_path: Path
) -> None:
    """Asking first says what writing then says, and leaves no trace: not even in the time of a folder's change."""
    (tmp_path / "old").write_text("old")
    (tmp_path / "theirs" / "deep").mkdir(parents=True)
    (tmp_path / "theirs" / "deep" / "own").write_text("kept")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    before = [(one, os.lstat(one).st_mtime_ns) for one in (tmp_path, *sorted(tmp_path.rglob("*")))]
    said = refused(tmp_path / place, holds, first=True)
    assert [(one, os.lstat(one).st_mtime_ns) for one in (tmp_path, *sorted(tmp_path.rglob("*")))] == before
    assert (said is None) == (fine in ("both", "folder" if holds else "file"))
    then = refused(tmp_path / place, holds, first=False)
    assert (said is None) == (then is None)
    if said and then:
        assert said.partition("(")[0] == then.partition("(")[0]  # the system has several words for what is no folder


@pytest.mark.parametrize("holds", [(), ("steps.parquet",), ("*.csv", "sub/*.csv")])
def test_what_is_not_of_the_folder_is_not_lost(holds: tuple[str, ...], tmp_path: Path) -> None:
    """A folder where a file is due, or one with something of a person's in it."""
    path = tmp_path / "mine"
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "sub" / "deep" / "mine.csv").write_text("x")
    with pytest.raises(UserError, match="allowed"), replacing(path, holds):
        raise AssertionError("the block is not entered")
    assert content(path) == {"mine/sub/deep/mine.csv": "x"}


@pytest.mark.parametrize("path", [".", "..", "/"])
def test_a_path_without_a_name_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="allowed: a name"), replacing(Path(path), ("*",)):
        raise AssertionError("the block is not entered")


def test_a_link_gives_way_and_what_it_led_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a").write_text("old")
    (tmp_path / "out").symlink_to(tmp_path / "kept")
    for turn in "12":
        with replacing(tmp_path / "out", FOLDER) as temporary:
            temporary.mkdir()
            (temporary / "a").write_text(turn)
    assert (tmp_path / "out" / "a").read_text() == "2"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "out"]
    assert (tmp_path / "kept" / "a").read_text() == "old"
