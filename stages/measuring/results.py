"""Success, errors and shift by condition."""

import pandas as pd

from stages.comparing.shares import wilson


def condition_rows(steps: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """One row a condition, in the order in which they were run.

    Columns: condition, episodes, success with its 95 % Wilson interval, mean steps and error (left to the goal), shift
    (share of steps above the threshold), crash (share of episodes), median error, asked (mean number of an episode's
    steps in which the expert acted in the policy's stead).
    """
    shift = steps.groupby("condition", sort=False)["shift"].mean()
    rows = []
    for condition, group in episodes.groupby("condition", sort=False):
        succeeded = int((group["outcome"] == "success").sum())
        low, high = wilson(succeeded, len(group))
        rows.append(
            {
                "condition": condition,
                "episodes": len(group),
                "success": succeeded / len(group),
                "success_low": low,
                "success_high": high,
                "steps": group["steps"].mean(),
                "error": group["error"].mean(),
                "shift": shift[condition],
                "crash": (group["outcome"] == "crash").mean(),
                "error_median": group["error"].median(),
                "asked": group["asked"].mean(),
            }
        )
    return pd.DataFrame(rows)
