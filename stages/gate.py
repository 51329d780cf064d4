"""Fail (exit status 1) when the workspace's last round is worse than a baseline's in some condition.

It tests for non-inferiority, with a margin, in pairs of episodes of the same world.

A condition fails when it is proven worse than the baseline (exact one-sided paired test at --level, Holm-adjusted over
all conditions) and a worsening of --margin is not ruled out (Tango's score test at --level). Status 0: no condition
fails; it says which are cleared of the margin (as are those in which the same policy did the same, to the last bit) and
for which there are too few episodes to tell. Status 2: something is missing, such as a condition or a world of the
baseline that the workspace was not evaluated in (--allow-missing lets it pass). What the workspace has beyond the
baseline is left out.

--sequential does not rest at the episodes there are: it runs further worlds, batch by batch, under the policy of either
side (with the code and parameters of the workspace), until each condition is settled, be it as worse or as cleared of
the margin, by a test that holds its level whenever one stops (--minutes, --worlds). What is settled misses no world.

--power FOLDER simulates instead how often that happens, by the number of episodes (power.csv, power.svg), by how many
fewer --sequential settles it (sequential.csv), and how far a budget of pairs gets it (budget.csv).
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from stages.comparing.levels import check_level
from stages.core import cli, errors
from stages.core.files import check_writable, write_bytes, write_text

if TYPE_CHECKING:
    from stages.comparing.coverage import Coverage
    from stages.comparing.pairing import Pairs
    from stages.comparing.sources import Side

_POWER = ("power.csv", "power.svg", "sequential.csv", "budget.csv")  # what --power writes
_MOST_WORLDS = 100_000  # a condition: all are planned before the first runs
_LEAST_MARGIN = 0.01  # that --power simulates: half of it takes four times the pairs, and their memory
_OF_EPISODES = ("params", "data", "task", "sequential", "minutes", "worlds", "allow_missing", "json")  # not of --power


def main() -> None:
    """Command line."""
    parser = _parser()
    arguments = parser.parse_args()
    _check(parser, arguments)
    if arguments.power is not None:
        write_power(arguments.power, arguments.runs, arguments.margin, arguments.level)
    else:
        sys.exit(run_gate(arguments))


def _check(parser: ArgumentParser, arguments: Namespace) -> None:
    """UserError for a value that is not allowed, and for an option that would do nothing."""
    if not 0 < arguments.margin < 1:
        raise errors.UserError(f"--margin: found {arguments.margin}, allowed: more than 0 and less than 1")
    check_level(arguments.level, 0.5)
    if arguments.minutes is not None and not (arguments.sequential and arguments.minutes >= 0):
        raise errors.UserError(f"--minutes: found {arguments.minutes}, allowed: 0 or more, and with --sequential")
    for name in ("worlds", "runs"):
        if getattr(arguments, name) < 1:
            raise errors.UserError(f"--{name}: found {getattr(arguments, name)}, allowed: at least 1")
    if arguments.worlds > _MOST_WORLDS:
        raise errors.UserError(f"--worlds: found {arguments.worlds}, allowed: at most {_MOST_WORLDS:,}")
    if arguments.power is not None:
        cli.refuse(parser, arguments, _OF_EPISODES, "with --power")
        for name in _POWER:
            check_writable(arguments.power / name)
    else:
        cli.refuse(parser, arguments, ["runs"], "without --power")
        cli.refuse(parser, arguments, [] if arguments.sequential else ["worlds"], "without --sequential")


def _parser() -> ArgumentParser:
    parser = cli.parser(__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--baseline", help="revision, experiment or folder of data that the workspace is held against")
    action.add_argument("--power", type=Path, metavar="FOLDER", help="simulate; write tables and a chart")
    parser.add_argument("--margin", type=float, default=0.05, help="smallest worsening that matters, a share (0.05)")
    parser.add_argument("--level", type=float, default=0.01, help="how often to fail where nothing is worse (0.01)")
    parser.add_argument("--sequential", action="store_true", help="run further worlds until all is settled")
    parser.add_argument("--minutes", type=float, help="with --sequential: stop after so many (when all is settled)")
    parser.add_argument("--worlds", type=int, default=2000, help="with --sequential: most worlds a condition (2,000)")
    parser.add_argument("--task", help="this task only")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data of the workspace (data)")
    parser.add_argument("--allow-missing", action="store_true", help="pass although worlds of the baseline are missing")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    parser.add_argument("--runs", type=int, default=10_000, help="uses of the gate to simulate a setting (10,000)")
    return parser


def run_gate(arguments: Namespace) -> int:
    """Judge, print the judgements, and return the exit status."""
    from stages.compare import pair_sides
    from stages.comparing.coverage import cover, unchanged
    from stages.comparing.sources import Workspace, data_folder, find_side

    workspace = Workspace(arguments.data, arguments.params)
    baseline = find_side(arguments.baseline, workspace, None, arguments.task)
    now = data_folder("workspace", workspace, None, arguments.task)
    paired = pair_sides(baseline, now)
    same = {(one.task, one.condition): one for one in unchanged(baseline, now, paired)}
    coverage = replace(cover(baseline, now, paired), unchanged=list(same.values()))
    paired = [one for one in paired if (one.task, one.condition) not in same]
    if arguments.sequential:
        failed, coverage = _sequential(arguments, baseline, now, paired, coverage)
    else:
        failed = _fixed(arguments, paired, coverage)
    if not coverage.whole and not failed and not arguments.allow_missing:
        raise errors.UserError("\nerror: ".join(coverage.complaints(arguments.baseline)))
    return int(failed)


def _fixed(arguments: Namespace, paired: list["Pairs"], coverage: "Coverage") -> bool:
    """Judge the pairs there are and print it; whether the gate fails."""
    from stages.comparing import decision_report
    from stages.comparing.decision import judge

    judgements = judge(paired, arguments.margin, arguments.level)
    told = decision_report.document if arguments.json else decision_report.text
    asked = decision_report.Asked(arguments.baseline, arguments.margin, arguments.level)
    print(told(asked, judgements, coverage))
    return any(one.state == "failed" for one in judgements)


def _sequential(
    arguments: Namespace, baseline: "Side", now: "Side", paired: list["Pairs"], coverage: "Coverage"
) -> tuple[bool, "Coverage"]:
    """Run further pairs until all is settled and print it; whether the gate fails, and what is covered then."""
    import tempfile
    from time import monotonic

    from stages.comparing import trial_report
    from stages.comparing.further import Contest
    from stages.comparing.power import CAUGHT
    from stages.comparing.trial import Rule, run_trials
    from stages.core.settings import load_settings
    from stages.policies import POLICIES
    from stages.tasks import TASKS

    settings = load_settings(arguments.params, TASKS, POLICIES)
    end = None if arguments.minutes is None else monotonic() + 60 * arguments.minutes
    rule = Rule(arguments.margin, arguments.level, round(1 - CAUGHT, 9))
    with tempfile.TemporaryDirectory() as scratch:
        contests = {}
        for task in dict.fromkeys(one.task for one in paired):
            policies = (baseline.policy(task, Path(scratch)), now.policy(task, Path(scratch)))
            contests[task] = Contest(task, settings, arguments.data / task / "demonstrations", policies)
        answers = run_trials(paired, contests, rule, arguments.worlds, lambda: end is not None and monotonic() > end)
    told = trial_report.document if arguments.json else trial_report.text
    settled = [(one.task, one.condition) for one in answers if one.state != "open"]
    covered = coverage.but([*settled, *((one.task, one.condition) for one in coverage.unchanged)])
    print(told(arguments.baseline, answers, rule, covered))
    return any(one.state == "failed" for one in answers), covered


def write_power(folder: Path, runs: int, margin: float, level: float) -> None:
    """Simulate the gate, write the tables and the chart, and say how many episodes it needs."""
    from tqdm import tqdm

    from stages.comparing import power, sequential_power
    from stages.comparing.trial import Rule
    from stages.reporting import power as power_report

    most = min(power.SUCCESS) / max(sequential_power.LOSSES)
    if not _LEAST_MARGIN <= margin <= most:
        raise errors.UserError(
            f"--margin: found {margin}, allowed with --power: {_LEAST_MARGIN:g} (less takes ever more pairs) "
            f"to {most:g} (or more would be lost than succeeds)"
        )
    wanted = power.settings(worsenings=sorted({*power.WORSENINGS, margin}))
    simulated = power.simulate(wanted, runs, margin, level)
    powers = list(tqdm(simulated, total=len(wanted), desc="gate: power", mininterval=1, leave=False))
    rule = Rule(margin, level, round(1 - power.CAUGHT, 9))
    found = list(tqdm(sequential_power.courses(runs, rule), desc="gate: sequential", mininterval=1, leave=False))
    within = list(sequential_power.budgets(max(1, runs // 5), rule))
    # Only now: the files are of one run, or of another.
    table, chart, sequential, budget = (folder / name for name in _POWER)
    write_text(table, power_report.csv(powers))
    write_bytes(chart, power_report.svg(powers, *power.PLOTTED, margin))
    write_text(sequential, sequential_power.csv(found))
    write_text(budget, sequential_power.csv(within, sequential_power.BUDGET_COLUMNS))
    print(power_report.sentences(powers, margin, level))
    print(sequential_power.sentences(found, rule))


if __name__ == "__main__":
    errors.run(main)
