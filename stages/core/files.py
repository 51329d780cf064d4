"""Files appear whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import escape
import json
import os
from pathlib import Path
import shutil
from typing import Any

from stages.core.errors import UserError


@contextmanager
def replacing(path: Path, holds: Sequence[str] = ()) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    It is for a folder that `holds` files of such patterns, or, without any, for a file. When the block fails, what
    stood at `path` before is untouched. What a killed process has left of its own attempt at `path` is removed. Raises
    UserError where nothing can be written (a full disk, a folder that is read-only), and where anything but an earlier
    such file or folder would be lost.
    """
    _check_lost(path, holds)
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{escape(path.name)}.{'[0-9a-f]' * 32}.tmp"):
            _remove(leftover)
        yield temporary
        _move(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    except UserError as error:
        # Of a file in a folder: its name for now means nothing to anyone.
        raise UserError(str(error).replace(str(temporary), str(path))) from None
    finally:
        with suppress(OSError):
            _remove(temporary)


def check_writable(path: Path, holds: Sequence[str] = ()) -> None:
    """UserError where `replacing` would refuse `path` or could not write there: to be asked before the work, not after.

    Nothing is changed by asking: what is tried is a file without a name, where the system has such.
    """
    from tempfile import TemporaryFile  # only now: nobody else needs it

    _check_lost(path, holds)
    try:
        nearest = next(filter(os.path.lexists, path.parents), path.parent)  # others will be made
        with TemporaryFile(dir=os.path.realpath(nearest)):  # by way of a link it would be given a name
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def check_file(path: Path) -> None:
    """UserError unless there is a file at `path` to be read."""
    if path.is_dir():
        raise UserError(f"{path}: found a folder, allowed: a file")
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if not path.is_file():
        raise UserError(f"{path}: found a pipe or a device, allowed: a file")


def _unwritable(path: Path, error: OSError) -> UserError:
    why = os.strerror(error.errno) if error.errno else str(error)
    mend = "make room or the folder writable and run it again"
    return UserError(f"{path}: cannot be written ({why}), what was there stays; {mend}")


def _check_lost(path: Path, holds: Sequence[str]) -> None:
    """UserError where what stands at `path` is not what is to be replaced."""
    if path.name in ("", ".."):
        raise UserError(f"{path}: cannot be written, allowed: a name of its own")
    if not path.is_dir():
        if holds and os.path.lexists(path):
            raise UserError(f"{path}: found a file, allowed: the name of a folder")
        return
    if not holds:
        raise UserError(f"{path}: found a folder, allowed: the name of a file")
    known = {file for pattern in holds for file in path.glob(pattern)}
    others = sorted(file for file in path.rglob("*") if not file.is_dir() and file not in known)
    if others:
        raise UserError(
            f"{path}: found {others[0].relative_to(path)}, which would be lost, "
            f"allowed: a folder that is new, empty or holds {', '.join(holds)} alone"
        )


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(16).hex()}.tmp")


def _move(temporary: Path, path: Path) -> None:
    """Put `temporary` in the place of `path`; a folder there is moved out of the way, since none can be overwritten."""
    if not path.is_dir():
        temporary.replace(path)
        return
    old = _beside(path)
    path.replace(old)
    try:
        temporary.replace(path)
    except OSError:
        old.replace(path)
        raise
    with suppress(OSError):
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a stable order and layout."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")
