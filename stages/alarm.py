"""What the alarm of a trained policy does, beside the chain: how far a world must move until it rises, and what helps.

calibration  shows the task many more times, calibrates the alarm on random parts of that, as many as params.yaml has
           demonstrations, and writes how often the rest of them alarm and surprise (TASK-calibration.csv).
knobs      moves one knob of the task at a time out of the range that was demonstrated, to the ends that TASK.yaml in
           the output folder names, or in reports/alarm if there is none, and writes the shares of episodes that alarm,
           surprise and fail (TASK-knobs.csv), and draws them (TASK-knobs.svg).
responses  lets the policy act on, hold, or ask the expert where the alarm rises, in the same worlds, and writes
           success, crashes and calls of the expert (TASK-responses.csv).

Nothing in data/ is changed.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from stages.core import cli, errors
from stages.core.checks import repeated
from stages.core.files import check_writable, replacing, write_bytes
from stages.core.policy import load_policy
from stages.core.settings import Settings, load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS

_SHIPPED = Path("reports/alarm")
LEAST = 2  # demonstrations to calibrate on, and calibrations to tell their spread
# Options that have no part in a question.
_USELESS = {
    "calibration": ("round", "data", "episodes"),
    "knobs": ("splits", "pool"),
    "responses": ("splits", "pool"),
}
_FILES = {
    "calibration": ("calibration.csv",),
    "knobs": ("knobs.csv", "knobs.svg"),
    "responses": ("responses.csv",),
}


def main() -> None:
    """Command line."""
    parser = _parser()
    arguments = parser.parse_args()
    cli.refuse(parser, arguments, _USELESS[arguments.question], f"on {arguments.question}")
    for ending in _FILES[arguments.question]:
        check_writable(arguments.output / f"{arguments.task}-{ending}")
    settings = load_settings(arguments.params, TASKS, POLICIES)
    rounds = arguments.round or [settings.get(settings.params.rounds, "rounds")[-1].name]
    for name in rounds:
        cli.round_number(name)
    if again := repeated(rounds):
        raise errors.UserError(f"--round: found {again} again, allowed: each round once")
    if arguments.episodes is not None and arguments.episodes < 1:
        raise errors.UserError(f"--episodes: found {arguments.episodes}, allowed: at least 1")
    QUESTIONS[arguments.question](arguments, settings, rounds)


def _parser() -> ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("question", choices=QUESTIONS)
    cli.add_task(parser)
    parser.add_argument("--round", action="append", help="the policy's round (the last; responses: may be repeated)")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds <task>/<round>/policy.npz")
    parser.add_argument("--episodes", type=int, help="of each value or condition (as TASK.yaml or params.yaml says)")
    parser.add_argument("--splits", type=int, default=200, help="calibration: how many to try (200)")
    parser.add_argument("--pool", type=int, default=600, help="calibration: demonstrations to draw them from (600)")
    parser.add_argument("--output", type=Path, default=_SHIPPED, help="folder of the results")
    return parser


def ask_knobs(arguments: Namespace, settings: Settings, rounds: list[str]) -> None:
    """Sweep the knobs with the policy of the round that is named."""
    from stages.probing.knobs import probe_knobs
    from stages.probing.probe import read_probe
    from stages.reporting.probes import knobs_svg, sentences

    if len(rounds) > 1:
        raise errors.UserError(f"--round: found {', '.join(rounds)}, allowed: one")
    name, task = arguments.task, TASKS.find(arguments.task)
    own, shipped = (folder / f"{name}.yaml" for folder in (arguments.output, _SHIPPED))
    probe = read_probe(own if own.is_file() else shipped, task)
    if arguments.episodes:
        probe = replace(probe, episodes=arguments.episodes)
    make, trained = _policy(arguments, rounds[0])
    rows = probe_knobs(name, task, make, trained, probe, settings)
    table = _write([{"round": cli.round_number(rounds[0]), **row} for row in rows], arguments, "knobs")
    write_bytes(arguments.output / f"{name}-knobs.svg", knobs_svg(table))
    print("\n".join(sentences(table)))


def ask_responses(arguments: Namespace, settings: Settings, rounds: list[str]) -> None:
    """Try every response with the policy of each round that is named."""
    from stages.probing.responses import try_responses

    name, task = arguments.task, TASKS.find(arguments.task)
    count = arguments.episodes or settings.episodes("evaluate", name)
    rows: list[dict[str, Any]] = []
    for one in rounds:
        found = try_responses(name, task, *_policy(arguments, one), count, settings)
        rows += [{"round": cli.round_number(one), **row} for row in found]
    print(_write(rows, arguments, "responses").to_string(index=False, float_format="%.3g"))


def ask_calibration(arguments: Namespace, settings: Settings, rounds: list[str]) -> None:
    """Calibrate again and again on some of many demonstrations, and try that on all the others."""
    from stages.core.conditions import conditions_of
    from stages.demonstrate import scripted_episodes
    from stages.probing.calibration import check_calibration

    del rounds
    name, task = arguments.task, TASKS.find(arguments.task)
    shown = settings.of(settings.params.demonstrate, "demonstrate", name)
    if shown.episodes < LEAST:
        raise errors.UserError(f"demonstrate.{name}.episodes: found {shown.episodes}, allowed: at least {LEAST}")
    for key, least in (("pool", 2 * shown.episodes), ("splits", LEAST)):
        if getattr(arguments, key) < least:
            raise errors.UserError(f"--{key}: found {getattr(arguments, key)}, allowed: at least {least}")
    wanted = replace(shown, episodes=arguments.pool)
    spans = conditions_of(settings, name, "demonstrate")["demonstrate"]
    pool = [one for one in scripted_episodes(name, task, settings, spans, wanted) if one.outcome == "success"]
    if len(pool) < 2 * shown.episodes:
        found = f"found {arguments.pool} demonstrations, of which {len(pool)} succeed"
        raise errors.UserError(f"--pool: {found}, allowed: so many that {2 * shown.episodes} do")
    cloning = settings.of(settings.params.policy, "policy", name)
    rows = check_calibration(pool, shown.episodes, arguments.splits, cloning, task.observation, settings.seed)
    print(_write(rows, arguments, "calibration").to_string(index=False, float_format="%.4f"))


def _policy(arguments: Namespace, name: str) -> tuple[Any, Any]:
    """What makes the task's worlds, and the policy of that round."""
    folder = arguments.data / arguments.task
    trained = load_policy(folder / name / "policy.npz", arguments.task, POLICIES)
    return TASKS.find(arguments.task).prepare(folder / "demonstrations"), trained


def _write(rows: list[dict[str, Any]], arguments: Namespace, what: str) -> Any:
    """The rows as a table, which is written and read again: what follows from it follows from the file."""
    import pandas as pd

    table, path = pd.DataFrame([{"task": arguments.task, **row} for row in rows]), arguments.output
    with replacing(path / f"{arguments.task}-{what}.csv") as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    return pd.read_csv(path / f"{arguments.task}-{what}.csv")


QUESTIONS = {"calibration": ask_calibration, "knobs": ask_knobs, "responses": ask_responses}

if __name__ == "__main__":
    errors.run(main)
