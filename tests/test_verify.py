"""Damage is found by content, and what is repaired comes back with `dvc repro`, to the bit."""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shutil
import subprocess

import pytest
import yaml

from stages.verifying.hashes import hash_path
from tests.chain import outputs, ran, run
from tests.conftest import Stage

PIPELINE = {
    "stages": {
        "make": {
            "cmd": "mkdir -p data/made/deep; for to in made.txt data/made/b data/made/deep; do cp data/in/a $to; done",
            "deps": ["data/in"],
            "outs": ["made.txt", "data/made"],
        },
        "tell": {
            "cmd": "mkdir -p reports && cp made.txt reports/told.txt",
            "deps": ["made.txt", "data/made"],
            "outs": [{"reports/told.txt": {"cache": False}}],
        },
    }
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "repository"
    (folder / "data/in").mkdir(parents=True)
    (folder / "data/in/a").write_text("a recording\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    for command in ("git init -q", "dvc init -q", "git config user.name t", "git config user.email t@localhost"):
        run(folder, *command.split())
    run(folder, "dvc", "repro")
    run(folder, "git", "add", "dvc.yaml", "dvc.lock", "data/in")
    run(folder, "git", "commit", "-qm", "run")
    return folder


@pytest.fixture
def repository(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "repository"
    shutil.copytree(finished, folder, symlinks=True)
    monkeypatch.chdir(folder)
    yield folder


def flip(path: Path) -> None:
    """Another byte, with the time stamp and the size of before."""
    told, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(told.st_mode)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


def cached(folder: Path, out: str) -> Path:
    md5 = outputs(folder)[out]
    return folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def test_what_is_whole_is_called_whole(repository: Path, stage: Stage) -> None:
    ended = stage("verify")
    assert ended.status == 0
    assert ended.output == "verify: 3 outputs, 1 inputs, 2 objects: all are whole\n"
    assert stage("verify", "--repair") == ended


WHERE = {
    "a file": lambda folder: [folder / "made.txt"],
    "a file in a folder": lambda folder: [folder / "data/made/deep/a"],
    "an object of the cache": lambda folder: [cached(folder, "made.txt")],
    "the cache's list of a folder": lambda folder: [cached(folder, "data/made")],
    "an output in git": lambda folder: [folder / "reports/told.txt"],
    "both copies": lambda folder: [folder / "made.txt", cached(folder, "made.txt")],
}


@pytest.mark.parametrize("where", WHERE)
def test_rot_that_keeps_the_time_stamp_is_found_and_repaired(where: str, repository: Path, stage: Stage) -> None:
    before = outputs(repository)
    damaged = WHERE[where](repository)
    for path in damaged:
        flip(path)
    found = stage("verify")
    assert found.status == 1
    assert all(path.relative_to(repository).as_posix().removesuffix("/deep/a") in found.output for path in damaged)
    repaired = stage("verify", "--repair")
    assert (repaired.status, repaired.output.splitlines()[-1]) == (0, "now run: dvc repro")
    run(repository, "dvc", "repro")
    assert outputs(repository) == before
    assert stage("verify").output == "verify: 3 outputs, 1 inputs, 2 objects: all are whole\n"
    kept = [path for path in (repository / ".dvc/tmp/damaged").rglob("*") if path.is_file()]
    assert len(kept) >= len(damaged)


def test_a_changed_input_is_told_and_left_to_decide(repository: Path, stage: Stage) -> None:
    flip(repository / "data/in/a")
    content = (repository / "data/in/a").read_bytes()
    for options in ([], ["--repair"]):
        ended = stage("verify", *options)
        assert "changed: data/in: " in ended.output
        assert ended.status == 1
    assert ended.output.splitlines()[-2:] == [
        "not repaired: data/in: if it was not edited, git checkout -- data/in",
        "then run: dvc repro",
    ]
    assert (repository / "data/in/a").read_bytes() == content


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("end", ["", "deps:\n"])
def test_half_a_lock_is_repaired_and_nothing_runs_again(
    end: str, committed: bool, repository: Path, stage: Stage
) -> None:
    lock = repository / "dvc.lock"
    whole = lock.read_bytes()
    half = whole[: whole.index(end.encode()) + len(end)]
    if not committed:
        run(repository, "git", "rm", "-q", "--cached", "dvc.lock")
        run(repository, "git", "commit", "-qm", "no lock")
    lock.write_bytes(half)
    assert stage("verify").output.startswith("damaged: dvc.lock: not whole")
    assert stage("verify", "--repair").status == 0
    assert "make" not in ran(run(repository, "dvc", "repro"))
    assert lock.read_bytes() == whole
    assert [path.read_bytes() for path in (repository / ".dvc/tmp/damaged").rglob("dvc.lock")] == [half]


def test_a_list_of_locks_that_a_killed_dvc_left_is_repaired(repository: Path, stage: Stage) -> None:
    (repository / ".dvc/tmp/rwlock").write_text("")
    assert stage("verify").status == 1
    assert stage("verify", "--repair").status == 0
    assert json.loads(run(repository, "dvc", "status", "--json")) == {}


LEFT = {
    "an empty entry": lambda _: "",
    "half an entry": lambda whole: whole[: whole.index("outs")],
    "another word": lambda whole: whole.replace("made", "mode"),
}


@pytest.mark.parametrize("left", ["nothing", *LEFT])
def test_what_a_killed_dvc_left_in_its_cache_of_runs_is_repaired(left: str, repository: Path, stage: Stage) -> None:
    """DVC makes the folder of an entry, then the entry, and fails for good at a folder that is empty."""
    before = outputs(repository)
    (repository / "dvc.lock").unlink()  # or it would not ask
    entries = list((repository / ".dvc/cache/runs").glob("*/*/*"))
    assert entries
    for entry in entries:
        whole = entry.read_text()
        entry.unlink()
        if left in LEFT:
            entry.write_text(LEFT[left](whole))
    assert left != "nothing" or "NoneType" in run(repository, "dvc", "repro", check=False)
    found = stage("verify")
    assert found.status == 1
    assert found.output.count("damaged: .dvc/cache/runs/") == len(entries)
    assert stage("verify", "--repair").status == 0
    run(repository, "dvc", "repro")
    assert outputs(repository) == before
    assert stage("verify").status == 0


def test_what_a_killed_dvc_was_copying_into_its_cache_is_no_damage(repository: Path, stage: Stage) -> None:
    folder = next(path for path in (repository / ".dvc/cache/files/md5").iterdir() if path.is_dir())
    left = folder / ".czJEJwfcKTVI81QXyc-pqg.tmp"
    left.write_bytes(b"half of somethi")
    status, said = stage("verify")
    assert status == 0
    assert f"left over: {left.relative_to(repository)}: by a DVC that was killed, which does no harm\n" in said
    assert said.endswith(": all are whole\n")
    assert stage("verify", "--repair").status == 0
    assert not left.exists()
    assert "left over" not in stage("verify").output


def test_what_is_not_here_is_no_damage(repository: Path, stage: Stage) -> None:
    shutil.rmtree(repository / "data/made")
    shutil.rmtree(repository / ".dvc/cache")
    ended = stage("verify")
    assert ended.status == 0
    assert "not here: data/made: neither" in ended.output


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("dvc.yaml", "stages: [", "dvc.yaml"),
        ("dvc.yaml", "stages:\n  one:\n    cmd: echo ${none}\n", "none"),
        (".dvc/config", "[core\n", "config"),
    ],
)
def test_what_dvc_cannot_read_is_told_in_one_line(
    path: str, content: str, told: str, repository: Path, stage: Stage
) -> None:
    (repository / path).write_text(content)
    ended = stage("verify")
    assert ended.status == 2
    assert ended.output.startswith(f"error: {repository}: ")
    assert told in ended.output
    assert ended.output.count("\n") == 1


def test_a_folder_without_a_repository_is_told(tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = stage("verify")
    assert ended.status == 2
    assert ended.output == f"error: {tmp_path}: found no DVC repository, allowed: a folder in one\n"


def test_a_folder_of_which_a_file_is_nowhere_is_not_here(repository: Path, stage: Stage) -> None:
    """Its list is in the cache, and one of its files is not."""
    cached(repository, "made.txt").unlink()  # which is in the folder as well
    shutil.rmtree(repository / "data/made")
    assert "not here: data/made: neither in the workspace nor whole in" in stage("verify").output


def test_a_folders_files_are_listed_as_dvc_lists_them(tmp_path: Path) -> None:
    """By their whole names: `a-b` and `a.txt` before `a/b`."""
    for name in ("made/a/b", "made/a-b", "made/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for command in ("git init -q", "dvc init -q", "dvc add -q made"):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    (out,) = yaml.safe_load((tmp_path / "made.dvc").read_text())["outs"]
    files = [path for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert hash_path(tmp_path / "made", lambda _: iter(files)).md5 == out["md5"]
