"""The tasks, by name."""

from stages.core.registry import Registry
from stages.core.task import Task

TASKS: Registry[Task] = Registry(
    "task",
    {
        "distance": "stages.tasks.distance:Distance",
        "kuka_joints": "stages.tasks.kuka_joints:KukaJoints",
        "kuka_reach": "stages.tasks.kuka_reach:KukaReach",
        "kuka_reach_camera": "stages.tasks.kuka_reach_camera:KukaReachCamera",
        "kuka_pick_place": "stages.tasks.kuka_pick_place:KukaPickPlace",
    },
)
