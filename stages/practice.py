"""Let the policy try worlds drawn for practice, new ones each round and never those of evaluation."""

from pathlib import Path

from stages.core import cli, errors, schemas, tables
from stages.core.conditions import find_conditions
from stages.core.parallel import run_episodes
from stages.core.policy import load_policy, policy_controller
from stages.core.settings import load_settings
from stages.core.wording import plural, succeeded
from stages.core.worlds import plan_episodes, with_noise
from stages.policies import POLICIES
from stages.tasks import TASKS


def main() -> None:
    """Command line of the stage."""
    parser = cli.parser(__doc__)
    cli.add_task(parser)
    cli.add_round(parser)
    parser.add_argument("policy", type=Path, help="the policy (.npz)")
    cli.add_conditions(parser)
    parser.add_argument("--demonstrations", type=Path, help="folder of the demonstrations, which kuka_joints follows")
    output = cli.new_folder(schemas.STEPS, schemas.EPISODES)
    parser.add_argument("--output", type=output, required=True, help="folder for steps.parquet and episodes.parquet")
    arguments = parser.parse_args()
    name, settings = arguments.task, load_settings(arguments.params, TASKS, POLICIES)
    task = TASKS.find(name)
    trained = load_policy(arguments.policy, name, POLICIES)
    count, max_steps = settings.episodes("practice", name), settings.max_steps("practice", name)
    knobs = with_noise(task.knobs, settings.noise(name, "observation"), settings.noise(name, "action"))
    names = ("practice", name, f"round_{cli.round_number(arguments.round)}")
    spans = find_conditions(arguments.conditions, settings, name, task, "practice")
    plans = plan_episodes(knobs, spans["practice"], count, "practice", settings.seed, *names)
    controller = policy_controller(trained, settings.response(name), task)
    make = task.prepare(arguments.demonstrations, max_steps)
    label = f"{name}: practice {arguments.round}"
    episodes = run_episodes(make, controller, plans, max_steps, settings.params.compute, label)
    tables.write_episodes(arguments.output, name, task, episodes)
    alarmed = plural(sum(bool(one.shift.any()) for one in episodes), "alarm")
    print(f"{name} {arguments.round}: {plural(len(episodes), 'episode')}; success: {succeeded(episodes)}; {alarmed}")


if __name__ == "__main__":
    errors.run(main)
