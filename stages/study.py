"""Answer a question by experiments: run every variant that a study lists with `dvc exp run`, and tabulate the results.

A study is a YAML file: a question, the task it is about, the number of rounds, what all variants share (`base`), and
by the name of each variant the parameters that it changes, in the syntax of `dvc exp run -S` (`+key` adds, `~key`
removes). The table goes beside it (.csv): the task's rows of results.csv, variant by variant.
"""

import io
from pathlib import Path
import subprocess
import sys
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
import yaml

from stages.core import cli, errors
from stages.core.files import replacing
from stages.rounds import flow

Value = str | int | float | bool | None | list[str]


class Study(BaseModel):
    """A question and the experiments that answer it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    task: str
    rounds: Annotated[int, Field(ge=1)]
    # What the report draws: success over the expert steps spent, or variant beside variant in each condition.
    plot: Literal["rows", "conditions"] | None = None
    base: dict[str, Value] = {}
    variants: Annotated[dict[str, dict[str, Value] | None], Field(min_length=1)]


def main() -> None:
    """Command line."""
    parser = cli.parser(__doc__)
    parser.add_argument("study", type=Path, help="the study (.yaml)")
    path = parser.parse_args().study
    study = read_study(path)
    import pandas as pd

    tables = []
    for place, (variant, changes) in enumerate(study.variants.items()):
        name = f"{path.stem}-{place}".replace("_", "-")
        print(f"{path}: {variant}", file=sys.stderr)
        run_experiment(name, {"rounds": flow(study.rounds), **study.base, **(changes or {})})
        results = pd.read_csv(io.StringIO(results_of(name)))
        tables.append(results[results["task"] == study.task].assign(variant=variant))
    table = pd.concat(tables)
    with replacing(path.with_suffix(".csv")) as temporary:
        columns = ["variant", *(column for column in table.columns if column != "variant")]
        table[columns].to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")


def read_study(path: Path) -> Study:
    """The study in a file; UserError where it is not one."""
    if not path.is_file():
        raise errors.UserError(f"{path}: no such file")
    try:
        return Study.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise errors.UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        one = error.errors()[0]
        key = ".".join(str(part) for part in one["loc"]) or "the file"
        raise errors.UserError(f"{path}: {key}: found {one['input']!r}, allowed: {one['msg']}") from None


def run_experiment(name: str, changes: dict[str, Value]) -> None:
    """Run the chain up to `measure` in a workspace of its own, as the experiment `name`."""
    settings = [key if key.startswith("~") else f"{key}={_spell(value)}" for key, value in changes.items()]
    overrides = [part for setting in settings for part in ("--set-param", setting)]
    command = ["dvc", "exp", "run", "--temp", "--name", name, *overrides, "measure"]
    # Of an earlier run; there need not be one.
    subprocess.run(["dvc", "exp", "remove", name], capture_output=True, check=False)  # noqa: S603, S607
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:  # noqa: S603  # a list, no shell
        raise errors.UserError(f"experiment {name} failed; its command was: {' '.join(command)}")


def results_of(name: str) -> str:
    """results.csv of an experiment, as text."""
    import dvc.api

    text: str = dvc.api.read("reports/results.csv", rev=name)
    return text


def _spell(value: Value) -> str:
    """A value as an override takes it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    errors.run(main)
