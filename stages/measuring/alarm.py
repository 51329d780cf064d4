"""What the alarm is worth: does it rise where an episode is about to fail, how early, and how often in vain.

An episode is alarmed if novelty was above the threshold in at least one of its steps. All steps that were recorded
count: each observation was seen before the action that followed it, and recording ends with the step that ended the
episode, so no step is looked at after a success or a crash. That an episode is out of time is known at its end alone.
Likewise it is surprised if surprise was above its own threshold.
"""

import numpy as np
import pandas as pd

from stages.comparing.shares import CONFIDENCE, wilson
from stages.core.episode import Bools
from stages.core.task import Floats

ALL = "all"  # conditions taken together


def alarm_rows(steps: pd.DataFrame, episodes: pd.DataFrame, period: float, surprise: float | None) -> pd.DataFrame:
    """One row a condition, in the order in which they were run, and one over all of them.

    Columns: condition; how many episodes failed_alarmed, failed_quiet, succeeded_alarmed and succeeded_quiet; hits and
    false_alarms, the shares of failures and of successes that were alarmed; balanced_accuracy of the alarm; warning
    [s], median over alarmed failures from the first alarm to the end; surprise_warning, the same of surprise. These
    five have their 95 % intervals (_low, _high). How many of both kinds were surprised, and how many that or alarmed
    (`either`). Empty: what needs episodes of a kind that there is none of, or a threshold of `surprise`.
    """
    judged = judge_episodes(steps, episodes, period, surprise)
    groups = [*judged.groupby("condition", sort=False), (ALL, judged)]
    return pd.DataFrame([{"condition": condition, **_row(group)} for condition, group in groups])


def judge_episodes(steps: pd.DataFrame, episodes: pd.DataFrame, period: float, surprise: float | None) -> pd.DataFrame:
    """One row an episode: condition, failed, alarmed, surprised (NaN: not known), and the warnings [s] (NaN: none)."""
    length = steps.groupby("episode_index").size()

    def warning_of(raised: "pd.Series[bool]") -> "pd.Series[float]":
        first = steps[raised].groupby("episode_index")["frame_index"].min()
        return ((length - first) * period).loc[episodes["episode_index"]]

    warning = warning_of(steps["shift"])
    surprising = warning_of(steps["surprise"] > (np.nan if surprise is None else surprise))
    surprised = np.nan if surprise is None else surprising.notna().astype(float)
    failed = (episodes["outcome"] != "success").to_numpy()
    condition = episodes["condition"].to_numpy()
    told = {"condition": condition, "failed": failed, "alarmed": warning.notna(), "warning": warning}
    return pd.DataFrame({**told, "surprised": surprised, "surprise_warning": surprising})


def _row(judged: pd.DataFrame) -> dict[str, float]:
    failed, alarmed = judged["failed"].to_numpy(bool), judged["alarmed"].to_numpy(bool)
    surprised = judged["surprised"].to_numpy(float)
    either = np.where(np.isnan(surprised), np.nan, np.maximum(surprised, alarmed))
    return {
        "failed_alarmed": int((failed & alarmed).sum()),
        "failed_quiet": int((failed & ~alarmed).sum()),
        "succeeded_alarmed": int((~failed & alarmed).sum()),
        "succeeded_quiet": int((~failed & ~alarmed).sum()),
        **named("hits", share(alarmed[failed])),
        **named("false_alarms", share(alarmed[~failed])),
        **named("balanced_accuracy", balanced_accuracy(failed, alarmed)),
        **named("warning", median(judged["warning"].to_numpy(float)[failed & alarmed])),
        **named("surprise_warning", median(judged["surprise_warning"].to_numpy(float)[failed & (surprised == 1)])),
        "failed_surprised": _count(surprised, failed),
        "succeeded_surprised": _count(surprised, ~failed),
        "failed_either": _count(either, failed),
        "succeeded_either": _count(either, ~failed),
    }


def _count(told: Floats, kind: Bools) -> float:
    """How many of that kind are told (1, or 0); NaN where that is known of none, be they of that kind or not."""
    return np.nan if np.isnan(told).all() else float(told[kind].sum())


def named(name: str, found: tuple[float, float, float]) -> dict[str, float]:
    """A figure and its interval, as columns."""
    return dict(zip(columns_of(name), found, strict=True))


def columns_of(name: str) -> list[str]:
    """The columns of a figure and its interval."""
    return [name, f"{name}_low", f"{name}_high"]


def share(hits: Bools) -> tuple[float, float, float]:
    """How many are true, with the 95 % Wilson interval; NaN of none."""
    return (float(hits.mean()), *wilson(int(hits.sum()), len(hits))) if len(hits) else (np.nan,) * 3


def balanced_accuracy(failed: Bools, alarmed: Bools) -> tuple[float, float, float]:
    """Mean of the share of failures that were alarmed and of successes that were not; NaN where one kind is missing.

    The 95 % interval is that of a sum of two shares whose Wilson intervals are known (Newcombe, Statistics in Medicine
    17, 1998, 873-890, method 10, for the share that is not alarmed in the place of its complement).
    """
    (hit, hit_low, hit_high), (still, still_low, still_high) = share(alarmed[failed]), share(~alarmed[~failed])
    middle = (hit + still) / 2
    below, above = np.hypot(hit - hit_low, still - still_low) / 2, np.hypot(hit_high - hit, still_high - still) / 2
    return middle, float(middle - below), float(middle + above)


def median(values: Floats) -> tuple[float, float, float]:
    """The median with the 95 % interval between two of the values, which holds for any distribution.

    Below 6 values there is none (Thompson, Annals of Mathematical Statistics 7, 1936); NaN of none.
    """
    if not len(values):
        return (np.nan,) * 3
    from scipy.stats import quantile_test

    interval = quantile_test(values).confidence_interval(CONFIDENCE)
    return float(np.median(values)), float(interval.low), float(interval.high)
