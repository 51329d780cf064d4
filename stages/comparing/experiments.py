"""Experiments of DVC's: run in a workspace of their own, and read by name."""

from collections.abc import Mapping, Sequence
import subprocess
import sys

from stages.core.errors import UserError
from stages.core.overrides import Value, spelled


def run_experiment(name: str, changes: Mapping[str, Value], targets: Sequence[str] = ("measure",)) -> None:
    """Run the chain up to these stages in a workspace of its own, as the experiment `name`.

    One of that name that there is already gives way, and standard error says so; where the run fails or is
    interrupted, it is back.
    """
    overrides = [part for setting in spelled(changes) for part in ("--set-param", setting)]
    command = ["dvc", "exp", "run", "--temp", "--name", name, *overrides, *targets]
    earlier = _experiment_refs(name)
    done = False
    try:
        removed = subprocess.run(["dvc", "exp", "remove", name], capture_output=True, check=False)  # noqa: S603, S607
        if removed.returncode == 0:  # otherwise there was none
            print(f"experiment {name}: replaces an earlier one of this name", file=sys.stderr)
        done = subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0  # noqa: S603  # a list, no shell
    finally:
        if not done:
            for ref, commit in earlier.items():
                subprocess.run(["git", "update-ref", ref, commit], check=False)  # noqa: S603, S607
    if not done:
        raise UserError(f"experiment {name} failed; its command was: {' '.join(command)}")


def is_experiment(name: str) -> bool:
    """Whether there is an experiment of that name."""
    return bool(_experiment_refs(name))


def _experiment_refs(name: str) -> dict[str, str]:
    """Where git keeps the experiments of that name, and the commit of each."""
    command = ["git", "for-each-ref", "--format=%(refname) %(objectname)", f"refs/exps/*/*/{name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # a list, no shell
    return dict(line.split() for line in found.stdout.splitlines())
