"""The tasks, by name; a task's module is imported when it is asked for."""

from collections.abc import Mapping
from importlib import import_module

from stages.core.errors import UserError
from stages.core.task import Task

TASKS: Mapping[str, str] = {
    "distance": "stages.tasks.distance:Distance",
    "kuka_joints": "stages.tasks.kuka_joints:KukaJoints",
    "kuka_reach": "stages.tasks.kuka_reach:KukaReach",
    "kuka_pick_place": "stages.tasks.kuka_pick_place:KukaPickPlace",
}


def find_task(name: str) -> type[Task]:
    """The task of that name; UserError when there is none."""
    if name not in TASKS:
        raise UserError(f"task: found {name}, allowed: {', '.join(TASKS)}")
    module, _, attribute = TASKS[name].partition(":")
    task: type[Task] = getattr(import_module(module), attribute)
    return task
