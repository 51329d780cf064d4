"""Figures over time and over episodes, thin enough to plot."""

import numpy as np
import pandas as pd

_POINTS = 60  # of a curve over time
_LEVELS = {"low": 0.05, "middle": 0.5, "high": 0.95}


def error_curves(steps: pd.DataFrame, episodes: pd.DataFrame, period: float) -> pd.DataFrame:
    """What was left to the goal over time, as quantiles over a condition's episodes.

    Columns: condition, timestamp [s], low, middle, high. An episode that has ended keeps its last error: otherwise the
    curve would show those that are still at it, not all.
    """
    parts = []
    wide = steps.set_index(["frame_index", "episode_index"])["error"].unstack().ffill()  # noqa: PD010  # no aggregation
    frames = np.unique(np.linspace(0, len(wide) - 1, _POINTS).round().astype(int))
    for condition, group in episodes.groupby("condition", sort=False):
        quantiles = wide.iloc[frames][group["episode_index"]].quantile(list(_LEVELS.values()), axis=1).T
        quantiles.columns = pd.Index(_LEVELS)
        parts.append(quantiles.assign(condition=condition, timestamp=(frames + 1) * period))
    return pd.concat(parts)[["condition", "timestamp", *_LEVELS]]


def novelty_quantiles(steps: pd.DataFrame, episodes: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The largest novelty of an episode over the threshold, as quantiles over episodes that succeeded and that failed.

    Columns: condition, outcome (success or failure), low, middle, high (shares of the threshold: above 1 the alarm
    rises), episodes, threshold.
    """
    largest = steps.groupby("episode_index")["novelty"].max() / threshold
    outcome = np.where(episodes["outcome"] == "success", "success", "failure")
    table = episodes[["condition"]].assign(outcome=outcome, largest=largest[episodes["episode_index"]].to_numpy())
    grouped = table.groupby(["condition", "outcome"], sort=False)["largest"]
    quantiles = pd.DataFrame({name: grouped.quantile(level) for name, level in _LEVELS.items()})
    return quantiles.assign(episodes=grouped.size(), threshold=threshold).reset_index()
