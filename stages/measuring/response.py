"""Whether the alarm had a say: a response may have replaced the policy's action where it rose."""

import numpy as np
import pandas as pd

from stages.core.task import Task


def replaced(steps: pd.DataFrame, task: type[Task]) -> bool:
    """Whether in every alarmed step, one or more, the controller held, ran away or asked the expert instead of acting.

    Then failure follows from the alarm, and that the alarm tells failures says nothing about novelty.
    """
    alarmed = steps[steps["shift"]]
    observations = alarmed[[f"observation.{channel.name}" for channel in task.observation]].to_numpy(float)
    actions = alarmed[[f"action.{channel.name}" for channel in task.action]].to_numpy(float)
    responses = (task.hold, task.runaway, task.expert)
    return len(alarmed) > 0 and any(np.array_equal(actions, respond(observations)) for respond in responses)
