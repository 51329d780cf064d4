"""Which episodes are evidence: one that comes again to the last bit, as nothing in it was random, counts once."""

import pandas as pd

from stages.comparing.evaluations import WORLD
from stages.comparing.pairing import without_copies


def distinct(episodes: pd.DataFrame) -> pd.DataFrame:
    """The episodes without copies of another one of their condition, in their order."""
    conditions = episodes.groupby("condition", sort=False)
    return pd.concat([_once(group) for _, group in conditions], ignore_index=True)


def _once(episodes: pd.DataFrame) -> pd.DataFrame:
    knobs = [name for name in map(str, episodes.columns) if name.startswith(WORLD)]
    worlds = {name.removeprefix(WORLD): episodes[name].to_numpy() for name in knobs}
    return episodes.iloc[without_copies(worlds, episodes[["steps", "error"]].to_numpy(float))]
