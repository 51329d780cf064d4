"""Let the policy act in every held-out condition, on the same worlds in every round and every experiment."""

from pathlib import Path

from stages.core import cli, errors, schemas, tables
from stages.core.conditions import find_conditions
from stages.core.parallel import run_episodes
from stages.core.policy import load_policy, policy_controller
from stages.core.settings import load_settings
from stages.core.wording import plural, succeeded
from stages.core.worlds import evaluation_plans
from stages.policies import POLICIES
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    parser.add_argument("policy", type=Path, help="the policy (.npz)")
    cli.add_conditions(parser)
    parser.add_argument("--demonstrations", type=Path, help="folder of the demonstrations, which kuka_joints follows")
    output = cli.new_folder(schemas.STEPS, schemas.EPISODES)
    parser.add_argument("--output", type=output, required=True, help="folder for steps.parquet and episodes.parquet")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task = TASKS.find(name)
    trained = load_policy(arguments.policy, name, POLICIES)
    count, max_steps = settings.episodes("evaluate", name), settings.max_steps("evaluate", name)
    conditions = find_conditions(arguments.conditions, settings, name, task, "evaluate")
    plans = evaluation_plans(name, task, settings, conditions, count)
    make = task.prepare(arguments.demonstrations, max_steps)
    controller = policy_controller(trained, settings.response(name), task)
    label = f"{name}: evaluate {arguments.policy.parent.name}"
    episodes = run_episodes(make, controller, plans, max_steps, settings.params.compute, label)
    tables.write_episodes(arguments.output, name, task, episodes)
    print(f"{name} {arguments.policy.parent.name}: {plural(len(episodes), 'episode')}; success: {succeeded(episodes)}")


if __name__ == "__main__":
    errors.run(main)
