"""Moves what is damaged out of the way, so that `dvc repro` brings it back; nothing is deleted."""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import Any

from stages.core.documents import parse_yaml
from stages.core.errors import UserError
from stages.core.files import replacing
from stages.verifying.hashes import object_path
from stages.verifying.survey import Survey

LOCK = "dvc.lock"
_READ_ONLY = 0o444  # as DVC keeps its objects


def lock_is_whole(root: Path) -> bool:
    """Whether dvc.lock says something, or is not there, as before the first run; DVC refuses half of one."""
    path = root / LOCK
    if not path.exists():
        return True
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(path.read_bytes(), path))
    except (UserError, Invalid):
        return False
    return True


def busy_is_whole(root: Path) -> bool:
    """Whether DVC's list of what is being worked on can be read."""
    path = root / ".dvc/tmp/rwlock"
    try:
        return not path.exists() or isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False


def repair_state(root: Path, aside: Path) -> Iterator[str]:
    """Put right what a killed DVC has left of its own files; says what was done."""
    if not busy_is_whole(root):
        _set_aside(root / ".dvc/tmp/rwlock", root, aside)
        yield ".dvc/tmp/rwlock: set aside, DVC makes a new one"
    if not lock_is_whole(root):
        _set_aside(root / LOCK, root, aside)
        command = ["git", "show", f"HEAD:./{LOCK}"]
        committed = subprocess.run(command, cwd=root, capture_output=True, check=False)  # noqa: S603  # a list, no shell
        if committed.returncode == 0 and committed.stdout:
            with replacing(root / LOCK) as temporary:
                temporary.write_bytes(committed.stdout)
            yield f"{LOCK}: as it was committed; what was run since is in the cache of runs, and need not run again"
        else:
            yield f"{LOCK}: set aside, none was committed; what was run is in the cache of runs, and need not run again"


def repair_content(repo: Any, found: Survey, aside: Path) -> Iterator[str]:
    """Put right what can be, from the other copy; says what was done."""
    root, cache = Path(repo.root_dir), Path(repo.cache.local.path)
    for md5, path in found.objects.items():
        _set_aside(path, root, aside)
        whole = found.known.get(md5)
        if whole is None:
            yield f"cache, {md5}: set aside"
        else:
            _put_object(object_path(cache, md5), whole)
            yield f"cache, {md5}: copied from the workspace again"
    for path in found.leftovers:
        _set_aside(path, root, aside)
        yield f"{os.path.relpath(path, root)}: set aside"
    for path in found.runs:
        _set_aside(path, root, aside)
        yield f"{os.path.relpath(path, root)}: set aside, at worst a stage runs again"
    for path in found.outputs:
        _set_aside(root / path, root, aside)
        yield f"{path}: set aside, to be brought back"


def _put_object(path: Path, content: Path | bytes) -> None:
    with replacing(path) as temporary:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            shutil.copyfile(content, temporary)
        temporary.chmod(_READ_ONLY)


def _set_aside(path: Path, root: Path, aside: Path) -> None:
    """Move it into the folder of damaged things, by its own path."""
    place = aside / os.path.relpath(path, root).replace("..", "_")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, place)
