"""Begin a task of your own: NAME becomes a copy of a task that is here, listed wherever the chain asks for a task.

The copy runs at once, by `pytest -k NAME` and `dvc repro`, and is then made another task by editing it. Its expert
demonstrates and corrects: recordings are not copied. Nothing that is here is changed but `params.yaml`, `dvc.yaml` and
the list in `stages/tasks/__init__.py`, to which lines are added.
"""

from io import StringIO
from keyword import iskeyword
from pathlib import Path
import re
from tokenize import NAME, generate_tokens

from stages.core import cli, errors
from stages.core.blocks import with_copy, with_item, with_value
from stages.core.checks import PER_TASK
from stages.core.documents import parse_yaml
from stages.core.files import check_file, check_writable, write_bytes
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS

_TASKS, _RECORDINGS = Path("stages/tasks"), Path("data/recordings")
_LISTED, _PARAMS, _CHAIN = _TASKS / "__init__.py", Path("params.yaml"), Path("dvc.yaml")
_EPISODES = 20  # that the expert demonstrates where a person did
_TAKEN = ("code", "conditions", "recordings")  # in data/, by what is of all tasks


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("name", help="of the new task, such as open_drawer")
    known = ", ".join(TASKS)
    parser.add_argument("--like", default="distance", help=f"the task that is copied (distance; there are {known})")
    arguments = parser.parse_args()
    name, like = arguments.name, arguments.like
    TASKS.find(like)
    _check_name(name)
    _write(changes(name, like))
    print(f"{_TASKS / name}.py: a copy of {like}, to be made {name}, and its numbers in {_PARAMS} with it")
    print(f"next: pytest -k {name}; dvc repro evaluate@{name}-round0; git add . (experiments see what git knows)")


def _write(contents: dict[Path, bytes]) -> None:
    """All of them, or none: where one cannot be written, the others become again what they were."""
    for path in contents:
        check_writable(path)
    before = {path: path.read_bytes() if path.exists() else None for path in contents}
    try:
        for path, content in contents.items():
            write_bytes(path, content)
    except BaseException:
        for path, kept in before.items():
            if kept is not None:
                write_bytes(path, kept)
            elif path.exists():
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
        raise


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or iskeyword(name):
        raise errors.UserError(f"name: found {errors.quoted(name)}, allowed: words of a-z and 0-9, joined by _")
    if parse_yaml(name, _PARAMS) != name:
        raise errors.UserError(f"name: found {name}, which is no word in YAML, allowed: another one")
    for path in (_TASKS / f"{name}.py", _TASKS / name, _RECORDINGS / name, Path("data") / name):
        if path.exists():
            raise errors.UserError(f"name: found {name}, which is {path}, allowed: a new one")
    if name in (*TASKS, *_TAKEN):
        raise errors.UserError(f"name: found {name}, which is taken, allowed: a new one")


def changes(name: str, like: str) -> dict[Path, bytes]:
    """What makes a task of a copy, by the file it is for."""
    module, _, kind = TASKS.places[like].partition(":")
    listed = f'        "{like}": "{module}:{kind}",\n'
    made = "".join(word.capitalize() for word in name.split("_"))
    lists = _read(_LISTED)
    if listed not in lists:
        raise errors.UserError(f"{_LISTED}: found no line for {like}, allowed: {listed.strip()}")
    source = Path(*module.split(".")).with_suffix(".py")
    if not source.is_file():
        raise errors.UserError(f"--like: found {like}, which is a package, allowed: a task that is one file")
    texts = {
        _TASKS / f"{name}.py": _source(source, (like, kind), (name, made)),
        _RECORDINGS / name / ".gitkeep": "",
        _LISTED: lists.replace(listed, f'{listed}        "{name}": "stages.tasks.{name}:{made}",\n'),
        _CHAIN: _chain(name, like),
        _PARAMS: _params(name, like),
    }
    return {path: text.encode() for path, text in texts.items()}


def _source(path: Path, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The copy's code: the class has another name, and so has the task where its name is no word of other meanings."""
    source, (like, kind), (name, made) = _read(path), old, new
    if re.search(rf"\b{made}\b", source):
        raise errors.UserError(f"name: found {name}, whose class {made} is another in {path}, allowed: another one")
    source = _renamed(source, kind, made)
    if "_" in like:
        source = re.sub(rf"(?<![\w.]){like}\b", name, source)
    purpose = f'"""Begun as a copy of {like}: say here what this world is and what is to be done in it."""'
    return re.sub(r'\A""".*?"""', lambda _: purpose, source, flags=re.DOTALL)


def _renamed(source: str, old: str, new: str) -> str:
    """The code with another name in the place of `old`, which in comments and texts may be just a word."""
    lines = source.splitlines(keepends=True)
    for token in reversed(list(generate_tokens(StringIO(source).readline))):
        if token.type == NAME and token.string == old:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = f"{line[:column]}{new}{line[column + len(old) :]}"
    return "".join(lines)


def _params(name: str, like: str) -> str:
    text = with_item(_read(_PARAMS), _PARAMS, ["tasks"], name)
    for section in PER_TASK:
        text = with_copy(text, _PARAMS, [section], like, name)
    settings = load_settings(_PARAMS, TASKS, POLICIES)
    shown = settings.of(settings.params.demonstrate, "demonstrate", like)
    if shown.recordings:
        text = with_value(text, _PARAMS, ["demonstrate", name, "recordings"], [])
    if not shown.episodes:
        text = with_value(text, _PARAMS, ["demonstrate", name, "episodes"], _EPISODES)
    if settings.of(settings.params.correct, "correct", like).recordings:
        text = with_value(text, _PARAMS, ["correct", name, "recordings"], {})
    return text


def _chain(name: str, like: str) -> str:
    text = _read(_CHAIN)
    for stage in ("measure", "report"):
        text = with_item(text, _CHAIN, ["stages", stage, "deps"], f"data/{name}", after=f"data/{like}")
    return text


def _read(path: Path) -> str:
    check_file(path)
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise errors.UserError(f"{path}: not a text ({errors.reason(error)})") from None


if __name__ == "__main__":
    errors.run(main)
