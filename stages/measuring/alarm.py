"""What the alarm of novelty is worth: does it rise where an episode is about to fail, how early, and how often in vain.

An episode is alarmed if novelty was above the threshold in at least one of its steps. All steps that were recorded
count: each observation was seen before the action that followed it, and recording ends with the step that ended the
episode, so no step is looked at after a success or a crash. That an episode is out of time is known at its end alone.
"""

import numpy as np
import pandas as pd

from stages.core.episode import Bools
from stages.measuring.auroc import UNKNOWN, auroc

ALL = "all"  # conditions taken together
START = 1.0  # [s] of an episode that count as its start; the first step always does


def alarm_rows(steps: pd.DataFrame, episodes: pd.DataFrame, period: float, outside: Bools | None) -> pd.DataFrame:
    """One row a condition, in the order in which they were run, and one over all of them.

    Columns: condition; how many episodes failed_alarmed, failed_quiet, succeeded_alarmed and succeeded_quiet; how well
    failure is told by an episode's largest novelty (auroc) and by the largest of its start (start_auroc), each with the
    95 % interval; balanced_accuracy of the alarm; warning [s], median over alarmed failures from the first alarm to the
    end; worlds outside of what was shown (`outside`, (E,)), and how well the first observation's novelty tells them
    (outside_auroc). Empty: what needs episodes of two kinds where there is one.
    """
    judged = judge_episodes(steps, episodes, period).assign(outside=outside)
    groups = [*judged.groupby("condition", sort=False), (ALL, judged)]
    return pd.DataFrame([{"condition": condition, **_row(group)} for condition, group in groups])


def judge_episodes(steps: pd.DataFrame, episodes: pd.DataFrame, period: float) -> pd.DataFrame:
    """One row an episode: condition, failed, alarmed; novelty: largest, start, first; warning [s] (NaN: no alarm)."""
    by_episode = steps.groupby("episode_index")
    opening = steps[(steps["frame_index"] == 0) | (steps["frame_index"] * period < START)]
    alarms = steps[steps["shift"]].groupby("episode_index")["frame_index"].min()
    per_episode = pd.DataFrame(
        {
            "largest": by_episode["novelty"].max(),
            "first": by_episode["novelty"].first(),
            "start": opening.groupby("episode_index")["novelty"].max(),
            "warning": (by_episode.size() - alarms) * period,
        }
    ).loc[episodes["episode_index"]]
    failed = (episodes["outcome"] != "success").to_numpy()
    condition = episodes["condition"].to_numpy()
    return per_episode.assign(condition=condition, failed=failed, alarmed=per_episode["warning"].notna())


def _row(judged: pd.DataFrame) -> dict[str, float]:
    failed, alarmed = judged["failed"].to_numpy(bool), judged["alarmed"].to_numpy(bool)
    largest, start, first = (judged[name].to_numpy(float) for name in ("largest", "start", "first"))
    outside = None if judged["outside"].isna().any() else judged["outside"].to_numpy(bool)
    return {
        "failed_alarmed": int((failed & alarmed).sum()),
        "failed_quiet": int((failed & ~alarmed).sum()),
        "succeeded_alarmed": int((~failed & alarmed).sum()),
        "succeeded_quiet": int((~failed & ~alarmed).sum()),
        **_named("auroc", auroc(largest, failed)),
        **_named("start_auroc", auroc(start, failed)),
        "balanced_accuracy": balanced_accuracy(failed, alarmed),
        "warning": float(judged["warning"][failed & alarmed].median()),
        "outside": np.nan if outside is None else int(outside.sum()),
        **_named("outside_auroc", UNKNOWN if outside is None else auroc(first, outside)),
    }


def _named(name: str, area: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), area, strict=True))


def balanced_accuracy(failed: Bools, alarmed: Bools) -> float:
    """Mean of the share of failures that were alarmed and of successes that were not; NaN where one kind is missing."""
    if failed.all() or not failed.any():
        return np.nan
    return float((alarmed[failed].mean() + (~alarmed[~failed]).mean()) / 2)
