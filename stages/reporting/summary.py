"""The summary in Markdown: verdicts first, the whole table last."""

from collections.abc import Mapping

import pandas as pd

from stages.core.wording import plural
from stages.reporting.changes import HOW, Changes, step_by_step, total, verdict
from stages.reporting.inputs import Measured, records
from stages.reporting.verdict import judge
from stages.reporting.wording import interval, percent, quantity
from stages.tasks import TASKS

COLUMNS = ("task", "round", "condition", "episodes", "success", "95 % interval", "error", "steps", "above threshold")


def what_was_run(measured: Measured) -> str:
    """One sentence: tasks, rounds, conditions, episodes."""
    results = measured.results
    tasks, rounds = plural(len(measured.tasks), "task"), plural(results["round"].nunique(), "round")
    conditions = plural(len(results[["task", "condition"]].drop_duplicates()), "condition")
    episodes = plural(int(results["episodes"].sum()), "evaluation episode")
    return f"{tasks}, {rounds} of training and evaluation, {conditions} and {episodes} in all."


def cells(results: pd.DataFrame) -> list[tuple[str, ...]]:
    """The rows of the table, as text in the order of COLUMNS."""
    return [
        (
            row["task"],
            str(row["round"]),
            row["condition"],
            f"{row['episodes']:,}",
            percent(row["success"]),
            interval(row["success_low"], row["success_high"]),
            quantity(row["error"], TASKS.find(row["task"]).error_unit),
            f"{row['steps']:.1f}",
            percent(row["shift"]),
        )
        for row in records(results)
    ]


def write_summary(measured: Measured, changes: Mapping[str, Changes]) -> str:
    """The summary's text: verdicts, what was learned at first, and all numbers."""
    results = measured.results
    verdicts = [
        " ".join(filter(None, [f"- **{task}**: {verdict(one)}", step_by_step(one)])) for task, one in changes.items()
    ]
    learned = [f"- **{task}**: {judge(results[results['task'] == task]).text}" for task in measured.tasks]
    table = [COLUMNS, ("---",) * 1 + ("---:", "---") + ("---:",) * 6, *cells(results)]
    lines = [
        *("# Results", ""),
        *(total(changes), "", *verdicts, "", HOW, ""),
        *("## What was learned, and where it failed", ""),
        what_was_run(measured),
        "Intervals are Wilson's at 95 %.",
        *("", *learned, ""),
        *("## All results", ""),
        *(f"| {' | '.join(row)} |" for row in table),
        "",
        "Error: mean over episodes of what is left to the goal (joints: mean joint error). Steps: mean. "
        "Above threshold: share of steps whose novelty was above the shift threshold.",
    ]
    return "\n".join(lines) + "\n"
