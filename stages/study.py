"""Answer a question by experiments: run every variant that a study lists with `dvc exp run`, and tabulate the results.

A study is a YAML file: a question, the task it is about, the number of rounds, what all variants share (`base`), and
by the name of each variant the parameters that it changes, in the syntax of `dvc exp run -S` (`+key` adds, `~key`
removes). The table goes beside it (.csv): the task's rows of results.csv, variant by variant, each with its difference
from another variant, episodes paired by seed: from the first, unless the study says which (`against`). The experiments
stay, as study-NAME-0 and so on; run again, or by a study of the same name elsewhere, they are replaced, which is said.
--tabulate runs nothing, and makes the table of those that there are.

--sweep KEY=VALUE,VALUE,... runs the study of one parameter's values and, when it is done, writes it down,
reports/studies/NAME.yaml; beside its table goes a chart (.svg) of success with 95 % intervals, value by value.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
import re
import shutil
import sys
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from msgspec import Meta, field, to_builtins
import yaml

from stages.comparing.experiments import is_experiment, run_experiment
from stages.core import cli, errors
from stages.core.documents import parse_yaml
from stages.core.files import check_file, check_writable, replacing, write_bytes, write_text
from stages.core.overrides import Value, override, unknown_key, value_at
from stages.core.params import Section
from stages.core.validation import MisfitError, fit
from stages.rounds import flow

_PARAMS = Path("params.yaml")  # no other: the experiments read this one
_NAME, _NAMED = r"\w[\w.-]*", "letters, digits, `_`, `.` and `-`"  # of a study


class Study(Section, frozen=True, kw_only=True, omit_defaults=True):
    """A question and the experiments that answer it."""

    question: str
    task: str
    rounds: Annotated[int, Meta(ge=1)]
    # What the report draws: success over the rows that corrections added, known steps and success over the size of the
    # dataset, variant beside variant in each condition, or success over the variants, the values of a parameter.
    plot: Literal["added", "size", "conditions", "values"] | None = None
    # The variant that all others are held against (the first), or, by the name of each that is held against one, that.
    against: str | Annotated[dict[str, str], Meta(min_length=1)] | None = None
    base: dict[str, Value] = field(default_factory=dict)
    variants: Annotated[dict[str, dict[str, Value] | None], Meta(min_length=1)]

    def changed(self) -> list[str]:
        """All parameters that any variant changes."""
        changed = [key for variant in self.variants for key in self.changes(variant)]
        return list(dict.fromkeys(key.lstrip("+~") for key in changed))

    def changes(self, variant: str) -> dict[str, Value]:
        """All that a variant changes."""
        return {"rounds": flow(self.rounds), **self.base, **(self.variants[variant] or {})}

    def references(self) -> dict[str, str]:
        """Which variant each is held against, by the names of those that are."""
        if isinstance(self.against, dict):
            return self.against
        one = next(iter(self.variants)) if self.against is None else self.against
        return {variant: one for variant in self.variants if variant != one}


def main() -> None:
    """Command line."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.sweep is None:
        cli.refuse(parser, arguments, ("name", "task", "rounds"), "without --sweep")
        (tabulate if arguments.tabulate else run_study)(arguments.study, read_study(arguments.study))
    else:
        cli.refuse(parser, arguments, ("tabulate",), "with --sweep")
        key, study = read_sweep(arguments.sweep, arguments.task, arguments.rounds)
        path = sweep_path(key, study, arguments.name)
        check_writable(path)
        run_study(path, study)
        # Only now: what failed leaves no study behind, which the report would read.
        write_study(path, study)


def _parser() -> ArgumentParser:
    parser = cli.plain_parser(__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("study", type=Path, nargs="?", help="the study (.yaml)")
    action.add_argument("--sweep", metavar="KEY=VALUES", help="a parameter and its values, separated by commas")
    parser.add_argument("--tabulate", action="store_true", help="make the table of experiments that have run, run none")
    parser.add_argument("--name", help="with --sweep: of the study (the parameter's, dots replaced)")
    parser.add_argument("--task", help="with --sweep: whose results are looked at (the task in the key)")
    parser.add_argument("--rounds", type=int, default=1, help="with --sweep: how many rounds to run (1)")
    return parser


def read_sweep(sweep: str, task: str | None, rounds: int) -> tuple[str, Study]:
    """The parameter and the study of its values; UserError for what is neither `KEY=VALUE,VALUE` nor of a task."""
    from stages.tasks import TASKS

    key, _, listed = sweep.partition("=")
    values = _values(listed)
    if not key or len(values) < 2:
        raise errors.UserError(f"--sweep: found {sweep}, allowed: a parameter and two values or more (KEY=1,2)")
    known = [part for part in key.split(".") if part in TASKS]
    named = task or (known[0] if known else "")
    if named not in TASKS:
        check_file(_PARAMS)
        unknown = unknown_key(parse_yaml(_PARAMS.read_bytes(), _PARAMS), key)
        if unknown:
            raise errors.UserError(f"--sweep: {unknown}")
        raise errors.UserError(f"--task: found {named or 'nothing'}, allowed: {', '.join(TASKS)}")
    if rounds < 1:
        raise errors.UserError(f"--rounds: found {rounds}, allowed: at least 1")
    question = f"What does {key} change? ({', '.join(values)}; everything else as in params.yaml.)"
    variants: dict[str, dict[str, Value] | None] = {name: {key: value} for name, value in values.items()}
    return key, Study(question=question, task=named, rounds=rounds, plot="values", variants=variants)


def _values(listed: str) -> dict[str, Value]:
    """Values as YAML reads them, by what they are called; none where one is no plain value or is there twice."""
    texts = [text.strip() for text in listed.split(",")]
    try:
        values: dict[str, Value] = {text: yaml.safe_load(text) for text in texts if text}
    except yaml.YAMLError:
        return {}
    plain = all(value is None or isinstance(value, str | int | float | bool) for value in values.values())
    return values if plain and len(set(map(str, values.values()))) == len(texts) else {}


def sweep_path(key: str, study: Study, name: str | None) -> Path:
    """Where the report finds the study; UserError where another one of that name is."""
    if name is not None and not re.fullmatch(_NAME, name):
        raise errors.UserError(f"--name: found {name}, allowed: {_NAMED}")
    path = Path("reports/studies") / f"{name or key.replace('.', '_')}.yaml"
    if path.exists() and read_study(path) == study:
        return path
    for taken in (path, path.with_suffix(".csv")):  # the table of seeds has no study beside it
        if taken.exists():
            raise errors.UserError(f"{taken}: found another study, allowed: a --name of its own for this one")
    return path


def write_study(path: Path, study: Study) -> None:
    """Write it down, unless it is there already."""
    if not path.exists():
        write_text(path, yaml.safe_dump(to_builtins(study), sort_keys=False, width=110))


def run_study(path: Path, study: Study) -> None:
    """Run every variant as an experiment, and write the table (and the chart) beside `path`."""
    check_outputs(path, study)
    check_variants(path, study)
    for place, variant in enumerate(study.variants):
        print(f"{path}: {variant}", file=sys.stderr)
        run_experiment(experiment(path, place), study.changes(variant))
    tabulate(path, study)


def check_outputs(path: Path, study: Study) -> None:
    """UserError where the table, or the chart of one that has a chart, could not be written."""
    for ending in (".csv", ".svg") if study.plot == "values" else (".csv",):
        check_writable(path.with_suffix(ending))


def tabulate(path: Path, study: Study) -> None:
    """Write the table (and the chart) of the study's experiments, which have run, and say what differs."""
    from stages.comparing.study_table import study_table
    from stages.reporting.variants import differing

    check_outputs(path, study)
    table_path = path.with_suffix(".csv")
    experiments = {variant: experiment(path, place) for place, variant in enumerate(study.variants)}
    check_experiments(path, study, experiments)
    table = study_table(experiments, study.task, study.references())
    with replacing(table_path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    if study.plot == "values":
        from stages.reporting.sweep import sweep_svg

        changed = [key for changes in study.variants.values() for key in changes or {}]
        write_bytes(path.with_suffix(".svg"), sweep_svg(table, " and ".join(dict.fromkeys(changed))))
    print(differing(table) or f"{path}: nothing was compared")
    print(f"{path}: its results are in {table_path}", file=sys.stderr)


def check_variants(path: Path, study: Study) -> None:
    """UserError for a variant that could not run: now, and not when its turn comes, hours later perhaps."""
    from stages.core.settings import load_settings
    from stages.policies import POLICIES
    from stages.tasks import TASKS

    load_settings(_PARAMS, TASKS, POLICIES)  # what is wrong without a variant is not a variant's fault
    with TemporaryDirectory() as folder:
        copy = Path(folder) / _PARAMS.name
        for variant in study.variants:
            try:
                _write_params(copy, study, variant)
                tasks = load_settings(copy, TASKS, POLICIES).params.tasks or []
                if study.task not in tasks:
                    raise errors.UserError(f"{copy}: task: found {study.task}, allowed: {', '.join(tasks)}")
            except errors.UserError as error:
                told = str(error).replace(str(copy), f"{path}: variant {errors.quoted(variant)}")
                raise errors.UserError(told) from None


def check_experiments(path: Path, study: Study, experiments: Mapping[str, str]) -> None:
    """UserError where one of the experiments, by variant, is not that variant's: the study has changed since."""
    from stages.comparing.revisions import Revision

    with TemporaryDirectory() as folder:
        copy = Path(folder) / _PARAMS.name
        for variant, name in experiments.items():
            if not is_experiment(name):
                raise errors.UserError(f"{name}: no such experiment, needed: a run of {path}, without --tabulate")
            _write_params(copy, study, variant)
            found, wanted = Revision(name).params(), parse_yaml(copy.read_bytes(), copy)
            for key in study.changed():
                values = [value_at(content, key) for content in (found, wanted)]
                if values[0] != values[1]:
                    old, new = map(errors.quoted, values)
                    told = f"{key}: found {old}, allowed: {new} ({path}, variant {errors.quoted(variant)})"
                    raise errors.UserError(f"{name}: {told}")


def _write_params(copy: Path, study: Study, variant: str) -> None:
    """The parameters of this workspace with what the variant changes."""
    shutil.copy(_PARAMS, copy)
    override(copy, study.changes(variant))


def experiment(path: Path, place: int) -> str:
    """The name of a variant's experiment: no study of another name has it, nor a seed of `stages.seeds`."""
    return f"study-{path.stem}-{place}"


def read_study(path: Path) -> Study:
    """The study in a file; UserError where it is not one."""
    check_file(path)
    if path.suffix not in (".yaml", ".yml"):  # its table and its chart go beside it, under its name
        raise errors.UserError(f"{path}: found a file ending in {path.suffix or 'nothing'}, allowed: .yaml, .yml")
    try:
        study = fit(parse_yaml(path.read_bytes(), path), Study)
    except MisfitError as error:
        raise errors.UserError(f"{path}: {error.lines[0]}") from None
    if not re.fullmatch(_NAME, path.stem):  # of git's references, too
        raise errors.UserError(f"{path}: found the name {errors.quoted(path.stem)}, allowed: {_NAMED}")
    for variant, other in study.references().items():
        for name in (variant, other):
            if name not in study.variants:
                allowed = ", ".join(study.variants)
                raise errors.UserError(f"{path}: against: found {errors.quoted(name)}, allowed: {allowed}")
        if variant == other:
            raise errors.UserError(f"{path}: against: found {errors.quoted(name)} twice, allowed: another variant")
    return study


if __name__ == "__main__":
    errors.run(main)
