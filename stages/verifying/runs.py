"""DVC's cache of runs: what it says each stage once made of what it read, so that the same need not run again.

A DVC that is killed while it writes an entry may leave a folder without one, or an entry cut off. From then on it fails
at that stage ("join() argument must be str, bytes, or os.PathLike object, not 'NoneType'", dvc 3.67). An entry's name
is the hash of what it says.
"""

from collections.abc import Iterator
from pathlib import Path

from stages.core.documents import parse_yaml
from stages.core.errors import UserError

RUNS = "runs"  # in DVC's cache


def broken_runs(cache: Path) -> Iterator[Path]:
    """The entries that are not whole, and the folders that hold no other."""
    for folder in sorted((cache / RUNS).glob("*/*")):
        entries = sorted(folder.iterdir())
        broken = [entry for entry in entries if not _is_whole(entry)]
        yield from [folder] if broken == entries else broken


def _is_whole(entry: Path) -> bool:
    from dvc.utils import dict_sha256
    from dvc_data.hashfile.meta import Meta

    try:
        content = parse_yaml(entry.read_bytes(), entry)
    except UserError:
        return False
    sizes = [Meta.PARAM_SIZE, Meta.PARAM_NFILES]
    return isinstance(content, dict) and dict_sha256(content, exclude=sizes) == entry.name
