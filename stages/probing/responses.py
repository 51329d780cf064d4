"""The same policy in the same worlds, with another response to the alarm each time."""

from typing import Any, get_args

import numpy as np

from stages.comparing.shares import wilson
from stages.core.conditions import conditions_of
from stages.core.episode import Episode
from stages.core.parallel import run_episodes
from stages.core.policy import Response, Trained, policy_controller
from stages.core.settings import Settings
from stages.core.task import Task
from stages.core.worlds import evaluation_plans

Row = dict[str, Any]
TRIED: tuple[Response, ...] = tuple(one for one in get_args(Response) if one != "runaway")  # which only the lab wants


def try_responses(
    name: str, task: type[Task], make: Any, trained: Trained, episodes: int, settings: Settings
) -> list[Row]:
    """One row a response and condition: success with its 95 % Wilson interval, crash, steps, calls of the expert.

    The worlds are those of the evaluation, so many of each condition. `asked` is the mean number of an episode's steps
    in which the expert acted, `asked_share` its share of all steps, `alarmed` the share of episodes with an alarm.
    """
    plans = evaluation_plans(name, task, settings, conditions_of(settings, name, "evaluate"), episodes)
    max_steps = settings.max_steps("evaluate", name)
    rows: list[Row] = []
    for response in TRIED:
        controller = policy_controller(trained, response, task)
        found = run_episodes(make, controller, plans, max_steps, settings.params.compute, f"{name}: {response}")
        for condition in dict.fromkeys(plan.condition for plan in plans):
            mine = [episode for episode in found if episode.plan.condition == condition]
            rows.append({"response": response, "condition": condition, **_figures(mine)})
    return rows


def _figures(episodes: list[Episode]) -> Row:
    count, asked = len(episodes), sum(int(episode.asked.sum()) for episode in episodes)
    succeeded = sum(episode.outcome == "success" for episode in episodes)
    low, high = wilson(succeeded, count)
    return {
        "episodes": count,
        "success": succeeded / count,
        "success_low": low,
        "success_high": high,
        "crash": np.mean([episode.outcome == "crash" for episode in episodes]),
        "timeout": np.mean([episode.outcome == "timeout" for episode in episodes]),
        "alarmed": np.mean([episode.shift.any() for episode in episodes]),
        "steps": np.mean([len(episode) for episode in episodes]),
        "asked": asked / count,
        "asked_share": asked / sum(len(episode) for episode in episodes),
    }
