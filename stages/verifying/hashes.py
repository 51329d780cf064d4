"""DVC's hashes, computed from the bytes: what DVC remembers of a file goes by its time stamp and may be wrong."""

from collections.abc import Callable, Iterator
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

Walk = Callable[[Path], Iterator[Path]]  # the files below a folder, less those that .dvcignore names


class Hashed(NamedTuple):
    """What a file or folder holds: its hash, and every object that the cache needs for it, by hash."""

    md5: str
    objects: dict[str, Path | bytes]


def md5_of(path: Path) -> str:
    """The MD5 of a file, as DVC writes it; nothing here is a secret."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def hash_path(path: Path, walk: Walk) -> Hashed:
    """The hash of a file, or of a folder: that of the list of its files and their hashes."""
    if not path.is_dir():
        md5 = md5_of(path)
        return Hashed(md5, {md5: path})
    files = {file.relative_to(path).as_posix(): (md5_of(file), file) for file in walk(path)}
    # In the order of their whole names, as DVC has it: `a-b` and `a.txt` before `a/b`.
    listed = json.dumps([{"md5": files[name][0], "relpath": name} for name in sorted(files)], sort_keys=True).encode()
    md5 = f"{hashlib.md5(listed, usedforsecurity=False).hexdigest()}.dir"
    return Hashed(md5, {md5: listed, **dict(files.values())})


def object_path(cache: Path, md5: str) -> Path:
    """Where the cache keeps the object of that hash."""
    return cache / md5[:2] / md5[2:]
