"""Write down the code of every stage: what it imports, directly or through others, so that DVC can tell what it runs.

DVC follows no imports, and to list folders of code with every stage would rerun more than need be and make dvc.lock,
which DVC rewrites after each stage, half as long again. So each stage depends on its file here: a line for every module
with a digest of its syntax tree, and one for every library that these import, with the version that is locked. Comments
and layout have no part in that: to edit them reruns nothing.

A stage that runs once a task has a file for each task. Of a registry's entries only those that concern the task count
there: its own, and of the policies the kind that params.yaml names for it, if the stage uses the policy at all. So a
further task, or a kind of policy that another task is cloned by, leaves the file as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
import hashlib
from pathlib import Path
import re

from stages.core import cli, errors
from stages.core.files import check_file, replacing
from stages.core.modules import EVERYTHING, Concern, read
from stages.core.params import read_params

_FILES = ("*.txt", "*/*.txt")


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    parser.add_argument("code", type=Path, help="the package of the stages")
    parser.add_argument("--locked", type=Path, help="requirements.txt, which has the versions of libraries (none)")
    parser.add_argument("--once", nargs="+", default=[], help="stages that run once, for all tasks")
    parser.add_argument("--by-task", nargs="+", default=[], help="stages that run for each task, without its policy")
    parser.add_argument("--by-policy", nargs="+", default=[], help="stages that run for each task, with its policy")
    output = cli.new_folder(*_FILES)
    parser.add_argument("--output", type=output, required=True, help="folder for <stage>.txt and <task>/<stage>.txt")
    arguments = parser.parse_args()
    package, kinds = arguments.code, policy_kinds(arguments.params)
    versions = {} if arguments.locked is None else locked(arguments.locked)
    tasks = [entry.name for entry in read(package / "tasks" / "__init__.py").entries if entry.what == "task"]
    note = partial(write, package, versions)
    with replacing(arguments.output, holds=_FILES) as folder:
        folder.mkdir()
        for stage in arguments.once:
            note(stage, EVERYTHING, folder / f"{stage}.txt")
        for task in tasks:
            (folder / task).mkdir()
            for stage in arguments.by_task:
                note(stage, {"task": task, "policy": None}, folder / task / f"{stage}.txt")
            for stage in arguments.by_policy:
                note(stage, {"task": task, "policy": kinds.get(task)}, folder / task / f"{stage}.txt")


def policy_kinds(path: Path) -> dict[str, str]:
    """The kind of policy of every task that has one; UserError where the parameters are wrong or name none."""
    policies = read_params(path).policy
    if policies is None:
        raise errors.UserError(f"{path}: policy: found nothing, allowed: a value")
    return {task: one.kind for task, one in policies.items()}


def locked(path: Path) -> dict[str, str]:
    """The versions in a file of locked requirements, by the name of the library."""
    check_file(path)
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(errors="replace"), re.MULTILINE))


def write(package: Path, versions: Mapping[str, str], stage: str, concern: Concern, path: Path) -> None:
    """Write a stage's file; UserError where there is no such stage."""
    root, start = package.parent, package / f"{stage}.py"
    check_file(start)
    found = sorted(files(root, start, concern))
    lines = [f"{digest(root / file, concern)} {file.as_posix()}" for file in found]
    path.write_text("\n".join([*lines, *libraries((root / file for file in found), versions)]) + "\n")


def files(root: Path, path: Path, concern: Concern = EVERYTHING) -> set[Path]:
    """All files below `root` that running the module at `path` may read: modules, and what lies beside them."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            module = read(one)
            named = [entry.place.partition(":")[0] for entry in module.counted(concern)]
            names = (absolute(name, one.relative_to(root)) for name in (*module.names, *named))
            waiting += (file for name in names for file in located(root, name))
    packages = {one.parent for one in seen if one.parent != path.parent}
    return {file.relative_to(root) for file in (*seen, *(file for one in packages for file in _beside(one)))}


def libraries(modules: Iterable[Path], versions: Mapping[str, str]) -> list[str]:
    """The libraries with a version that these import themselves, as a requirement each."""
    imported = {name.partition(".")[0] for path in modules if path.suffix == ".py" for name in read(path).names}
    found = {library for name in imported for library in _installed().get(name, ())}
    return [f"{library}=={versions[library]}" for library in sorted(found) if library in versions]


@cache
def _installed() -> Mapping[str, list[str]]:
    """The libraries, spelled as in requirements, by the names that they are imported by."""
    from importlib.metadata import packages_distributions

    return {
        name: [re.sub(r"[-_.]+", "-", library).lower() for library in libraries]
        for name, libraries in packages_distributions().items()
    }


def absolute(name: str, path: Path) -> str:
    """The name of what the module at `path` (from the root) calls so: a dot is its package, two the one above."""
    inner = name.lstrip(".")
    above = len(name) - len(inner)
    return ".".join([*path.parts[:-above], inner]).strip(".") if above else name


def _beside(package: Path) -> Iterator[Path]:
    """What lies in a package and is no module; also in folders, unless these are packages of their own."""
    for one in package.iterdir():
        if one.is_dir():
            if one.name != "__pycache__" and not (one / "__init__.py").is_file():
                yield from _beside(one)
        elif one.is_file() and one.suffix not in (".py", ".pyc"):
            yield one


@cache
def located(root: Path, name: str) -> tuple[Path, ...]:
    """The files below `root` that importing a module of that name runs: the packages it is in, and its own."""
    parts = name.split(".")
    packages = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return tuple(file for file in (*packages, root.joinpath(*parts).with_suffix(".py")) if file.is_file())


def digest(path: Path, concern: Concern = EVERYTHING) -> str:
    """SHA-256 of a module's syntax tree, or of any other file's bytes; of registries it has the entries that count."""
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    module = read(path)
    entries = "".join(f" {entry.name}={entry.place}" for entry in module.counted(concern))
    return hashlib.sha256(f"{module.digest}{entries}".encode()).hexdigest() if entries else module.digest


if __name__ == "__main__":
    errors.run(main)
