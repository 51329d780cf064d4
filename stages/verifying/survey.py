"""Looks at everything that dvc.lock names, and at every object in the cache."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from stages.verifying.hashes import Hashed, Walk, hash_path, md5_of, object_path
from stages.verifying.runs import broken_runs


@dataclass(frozen=True)
class Survey:
    """What was found; paths are relative to the repository."""

    outputs: dict[Path, str] = field(default_factory=dict)  # that differ from dvc.lock: what they are instead
    inputs: dict[Path, str] = field(default_factory=dict)  # the same of what no stage makes
    objects: dict[str, Path] = field(default_factory=dict)  # of the cache, by the hash that they do not have
    runs: list[Path] = field(default_factory=list)  # what DVC's cache of runs has that is not whole
    leftovers: list[Path] = field(default_factory=list)  # in the cache, of a DVC that was killed: it reads none of them
    absent: list[Path] = field(default_factory=list)  # outputs that are neither right here nor whole in the cache
    known: dict[str, Path | bytes] = field(default_factory=dict)  # whole content in the workspace, by its hash
    counts: dict[str, int] = field(default_factory=lambda: {"outputs": 0, "inputs": 0, "objects": 0})

    @property
    def whole(self) -> bool:
        """Whether nothing differs."""
        return not (self.outputs or self.inputs or self.objects or self.runs)


def survey(repo: Any) -> Survey:
    """Hash all that a `dvc.repo.Repo` has of what its dvc.lock names. What is not here at all is not damaged."""
    root, cache = Path(repo.root_dir), Path(repo.cache.local.path)
    found = Survey()
    _look_at_objects(cache, found)
    found.runs.extend(broken_runs(Path(repo.cache.legacy.path)))
    walk = _walker(repo)
    outs = {Path(out.fs_path): out.hash_info.value for out in repo.index.outs if out.hash_info.value}
    for path, md5 in outs.items():
        _look_at_output(path, md5, root, walk, found)
    lost = [path for path, md5 in outs.items() if md5 not in found.known and not _restorable(cache, md5, found)]
    found.absent.extend(path.relative_to(root) for path in lost)
    files = [dep for dep in repo.index.deps if dep.hash_info.value and dep.hash_info.name == "md5"]  # not parameters
    deps = {Path(dep.fs_path): dep.hash_info.value for dep in files}
    for path, md5 in deps.items():
        # What holds outputs, or is one, has been looked at.
        if not any(out.is_relative_to(path) or path.is_relative_to(out) for out in outs):
            _look_at_input(path, md5, root, walk, found)
    return found


def _look_at_objects(cache: Path, found: Survey) -> None:
    for path in sorted(cache.glob("[0-9a-f][0-9a-f]/*")):
        if path.name.startswith("."):  # copied to here, and not yet given its name
            found.leftovers.append(path)
            continue
        md5 = path.parent.name + path.name
        found.counts["objects"] += 1
        if md5_of(path) != md5.removesuffix(".dir"):
            found.objects[md5] = path


def _look_at_output(path: Path, md5: str, root: Path, walk: Walk, found: Survey) -> None:
    if not path.exists():
        return
    found.counts["outputs"] += 1
    hashed = hash_path(path, walk)
    if hashed.md5 == md5:
        found.known.update(hashed.objects)
    else:
        found.outputs[path.relative_to(root)] = hashed.md5


def _look_at_input(path: Path, md5: str, root: Path, walk: Walk, found: Survey) -> None:
    hashed = hash_path(path, walk) if path.exists() else Hashed("nothing", {})
    found.counts["inputs"] += 1
    if hashed.md5 != md5:
        found.inputs[path.relative_to(root)] = hashed.md5


def _restorable(cache: Path, md5: str, found: Survey) -> bool:
    """Whether the cache holds that object, and for a folder all of its files, whole."""
    path = object_path(cache, md5)
    if md5 in found.objects or not path.is_file():
        return False
    parts = [one["md5"] for one in json.loads(path.read_bytes())] if md5.endswith(".dir") else []
    return all(part not in found.objects and object_path(cache, part).is_file() for part in parts)


def _walker(repo: Any) -> Walk:
    from dvc.fs import localfs

    def walk(folder: Path) -> Iterator[Path]:
        for place, _, names in repo.dvcignore.walk(localfs, str(folder)):
            yield from (Path(place) / name for name in names)

    return walk
