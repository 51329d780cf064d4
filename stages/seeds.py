"""Run the chain under COUNT training seeds, and tell the spread between seeds from the spread between episodes.

Each seed has demonstrations, practice and corrections of its own (`dvc exp run -S seed=...`, from the seed in
params.yaml on), and all are judged in the same worlds (`evaluation_seed`). A policy of the kind mlp begins with the
same weights under every seed, so the spread leaves these out. The table has a row for every round and condition: the
mean over seeds with its 95 % interval, the standard deviation of success from seed to seed, and the one that episodes
alone give one seed's success. What was run before is taken from DVC's cache. The experiments stay, as seed-1 and so on;
earlier ones of these names are replaced, which is said.
"""

from argparse import ArgumentParser
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from stages.core import cli, errors
from stages.core.checks import repeated
from stages.core.files import check_writable, write_bytes, write_text

if TYPE_CHECKING:
    from stages.comparing.evaluations import Evaluation
    from stages.comparing.rounds import Chain
    from stages.core.episode import Bools

_PARAMS = Path("params.yaml")  # no other: the experiments read this one


def main() -> None:
    """Command line."""
    arguments = _parser().parse_args()
    if arguments.count < 2:
        raise errors.UserError(f"count: found {arguments.count}, allowed: at least 2, or nothing can be told apart")
    picture = arguments.output.with_suffix(".svg")
    check_writable(picture)
    from stages.comparing.rounds import read_chain
    from stages.core.settings import load_settings
    from stages.policies import POLICIES
    from stages.reporting.seeds import csv, read_seeds, seeds_svg
    from stages.tasks import TASKS

    seed = load_settings(_PARAMS, TASKS, POLICIES).seed
    chain = read_chain(_PARAMS.read_bytes(), str(_PARAMS))
    tasks = chosen_tasks(arguments.task, chain)
    seeds = range(seed, seed + arguments.count)
    for one in seeds:
        print(f"seed {one} of {seeds[0]} to {seeds[-1]}", file=sys.stderr)
        run_seed(one, tasks, chain)
    text = csv(table(seeds, tasks, chain))
    write_text(arguments.output, text)
    write_bytes(picture, seeds_svg(read_seeds(arguments.output)))
    print(f"what the seeds came to is in {arguments.output} and {picture}", file=sys.stderr)


def _parser() -> ArgumentParser:
    parser = cli.plain_parser(__doc__)
    parser.add_argument("count", type=int, help="how many seeds, that of params.yaml included")
    parser.add_argument("--task", nargs="+", metavar="TASK", help="these tasks only (all of params.yaml)")
    default = "reports/studies/seeds.csv"
    parser.add_argument(
        "--output", type=cli.new_file(".csv"), default=default, help=f"the table; its plot goes beside it ({default})"
    )
    return parser


def chosen_tasks(wanted: list[str] | None, chain: "Chain") -> list[str]:
    """The tasks that are wanted, all for None; UserError for one that the chain lacks."""
    for name in wanted or []:
        if name not in chain.tasks:
            raise errors.UserError(f"--task: found {name}, allowed: {', '.join(chain.tasks)}")
    again = repeated(wanted or [])
    if again is not None:
        raise errors.UserError(f"--task: found {again} again, allowed: each task once")
    return list(wanted or chain.tasks)


def run_seed(seed: int, tasks: list[str], chain: "Chain") -> None:
    """Run the chain of these tasks, up to every round's evaluation, as an experiment of its own."""
    from stages.comparing.experiments import run_experiment

    # DVC numbers the rounds of its matrix by their place.
    targets = [f"evaluate@{task}-round{place}" for task in tasks for place in range(len(chain.rounds))]
    run_experiment(experiment(seed), {"seed": seed}, targets)


def experiment(seed: int) -> str:
    """The name of a seed's experiment."""
    return f"seed-{seed}"


def table(seeds: range, tasks: list[str], chain: "Chain") -> list[dict[str, object]]:
    """A row for every task, round and condition, from the evaluations of the seeds' experiments.

    Of one episode there is no spread: such a condition is left out, and standard error says so; UserError where that is
    all of them.
    """
    from dataclasses import asdict

    from stages.comparing.revisions import Revision
    from stages.comparing.two_level import spread

    revisions = [Revision(experiment(seed)) for seed in seeds]
    rows: list[dict[str, object]] = []
    for task in tasks:
        for number, name in enumerate(chain.rounds):
            evaluations = [revision.evaluation(task, name) for revision in revisions]
            for condition in dict.fromkeys(evaluations[0].conditions):
                success = outcomes(evaluations, condition)
                if success.shape[1] < 2:
                    print(f"{task} {name} {condition}: one episode of each seed, left out", file=sys.stderr)
                    continue
                key = {"task": task, "round": number, "condition": condition, "seeds": len(seeds)}
                shares = ";".join(f"{share:.6g}" for share in success.mean(axis=1))
                rows.append({**key, "episodes": success.shape[1], **asdict(spread(success)), "by_seed": shares})
    if not rows:
        raise errors.UserError("evaluate: found one episode of each condition and seed, allowed: at least 2")
    return rows


def outcomes(evaluations: "list[Evaluation]", condition: str) -> "Bools":
    """Whether each of S seeds succeeded in each of E worlds of a condition (S, E), copies left out.

    UserError where they were not judged in the same worlds.
    """
    import numpy as np

    from stages.comparing.pairing import without_copies

    rows, worlds, endings = [], [], []
    for one in evaluations:
        places = np.array([place for place, name in enumerate(one.conditions) if name == condition], dtype=int)
        places = places[np.argsort(one.seeds[places])]
        rows.append(one.success[places])
        endings.append(one.endings[places])
        knobs = {knob: one.worlds[knob][places] for knob in sorted(one.worlds)}
        given = [one.given[name][places] for name in sorted(one.given)]
        worlds.append([one.seeds[places], *knobs.values(), *given])
    if any(not np.array_equal(np.array(worlds[0]), np.array(other)) for other in worlds[1:]):
        where = f"{evaluations[0].task} {condition}"
        raise errors.UserError(f"{where}: the seeds were judged in other worlds, allowed: the same for all")
    return np.array(rows)[:, without_copies(knobs, np.concatenate(endings, axis=1))]


if __name__ == "__main__":
    errors.run(main)
