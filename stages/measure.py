"""Turn the evaluations of all tasks and rounds into numbers and plot data.

Rounds and tasks are those of params.yaml, not the folders that happen to be there.
"""

from pathlib import Path
import sys

from stages.core import cli, errors
from stages.core.seal import SUMMED
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    parser.add_argument("data", type=Path, help="folder that holds <task>/<round>/evaluation and <task>/demonstrations")
    parser.add_argument("--results", type=cli.new_file(".csv"), required=True, help="the full result (.csv)")
    parser.add_argument(
        "--metrics", type=cli.new_file(".json"), required=True, help="a few figures of the last round (.json)"
    )
    parser.add_argument("--plots", type=cli.new_folder(*SUMMED), required=True, help="folder for the plots' data")
    arguments = parser.parse_args()
    settings = load_settings(arguments.params, TASKS, POLICIES)
    names = settings.get(settings.params.tasks, "tasks")
    rounds = settings.get(settings.params.rounds, "rounds")
    _mention_leftovers(arguments.data, names, [one.name for one in rounds])

    # After the parameters: pandas takes longer to import than all else.
    from stages.measuring.chain import measure_chain

    measure_chain(arguments.data, names, rounds, arguments.results, arguments.metrics, arguments.plots)


def _mention_leftovers(data: Path, names: list[str], rounds: list[str]) -> None:
    """Say which rounds' outputs are not counted: `dvc checkout` removes them."""
    for name in names:
        for folder in sorted((data / name).glob("round_*")):
            if folder.name not in rounds:
                print(
                    f"{folder}: left over from a longer chain, not counted (dvc checkout removes it)", file=sys.stderr
                )


if __name__ == "__main__":
    errors.run(main)
