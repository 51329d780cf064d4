"""Work out in which worlds each task is demonstrated, practised and evaluated: the ranges of all knobs, by condition.

What is common to conditions and the families of knobs that are randomized are spelled out, in a file for each task and
purpose. That of evaluation, which holds the held-out world `real`, is read by `evaluate` alone. The other stages read
these files instead of parameters because DVC would repeat every range in dvc.lock for each of their instances, and
rewrite all of that after each stage.
"""

from stages.core import cli, errors
from stages.core.conditions import PURPOSES, conditions_of, write_conditions
from stages.core.files import replacing
from stages.core.settings import load_settings
from stages.policies import POLICIES
from stages.tasks import TASKS

_FILES = "*/*.json"


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=cli.new_folder(_FILES), required=True, help="folder for <task>/<purpose>.json")
    arguments = parser.parse_args()
    settings = load_settings(arguments.params, TASKS, POLICIES)
    settings.get(settings.params.tasks, "tasks")  # every later stage depends on this one: a wrong name is told here
    with replacing(arguments.output, holds=(_FILES,)) as folder:
        for task in settings.get(settings.params.randomization, "randomization"):
            for purpose in PURPOSES:
                write_conditions(folder / task / f"{purpose}.json", conditions_of(settings, task, purpose))


if __name__ == "__main__":
    errors.run(main)
