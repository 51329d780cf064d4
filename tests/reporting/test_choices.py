"""Which episodes, ranges and steps the page shows."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.core import tables
from stages.core.episode import Episode, Plan, Scores
from stages.core.task import NOISE_KNOBS
from stages.reporting.conditions import worlds_of
from stages.reporting.pairs import choose_pair
from stages.reporting.spending import spending_figures
from stages.tasks.distance import Distance


def written(folder: Path, *rows: tuple[str, float, str, float]) -> None:
    """Episodes of one step: condition, start, outcome and error."""
    episodes = []
    for index, (condition, start, outcome, error) in enumerate(rows):
        world = {knob: known.default for knob, known in {**Distance.knobs, **NOISE_KNOBS}.items()}
        plan = Plan(index, condition, index, {**world, "start": start, "action_noise": 0.02})
        no, one = np.array([False]), np.ones((1, 1))
        episodes.append(
            Episode(plan, one, one, one, Scores.unknown(1), no, no, no, np.array([error]), outcome, error, {}, {})
        )
    tables.write_episodes(folder, "distance", Distance, episodes)


def test_the_ranges_that_were_demonstrated_are_those_of_the_scripts(tmp_path: Path) -> None:
    written(
        tmp_path / "demonstrations",
        ("demonstrate", 1.0, "success", 0),
        ("demonstrate", 2.0, "success", 0),
        ("recording", 9.0, "success", 0),
    )
    written(
        tmp_path / "round_0" / "evaluation",
        ("near", 1.0, "success", 0),
        ("near", 2.0, "success", 0),
        ("far", 5.0, "success", 0),
    )
    found = worlds_of(tmp_path, "distance", 0)
    assert found.rows == (
        ("demonstrated", ("1.00 \N{HORIZONTAL ELLIPSIS} 2.00",)),
        ("near", ("1.00 \N{HORIZONTAL ELLIPSIS} 2.00",)),
        ("far", ("5.00",)),
    )


def test_the_episode_that_is_shown_is_a_typical_one_of_those_that_were_mended(tmp_path: Path) -> None:
    errors = [9.0, 1.0, 5.0, 7.0, 3.0]
    first = [("far", 1.0, "crash", error) for error in errors] + [
        ("far", 1.0, "success", 0.0),
        ("near", 1.0, "crash", 2.0),
    ]
    last = [("far", 1.0, "success", 0.0)] * 4 + [
        ("far", 1.0, "crash", 3.0),
        ("far", 1.0, "success", 0.0),
        ("near", 1.0, "success", 0.0),
    ]
    for number, rows in enumerate((first, last)):
        written(tmp_path / f"distance/round_{number}/evaluation", *rows)
    counts = [("far", 6), ("near", 1)]
    results = pd.DataFrame(
        [(n, name, count, 0.5) for n in (0, 1) for name, count in counts],
        columns=["round", "condition", "episodes", "shift"],
    )
    novelty = pd.DataFrame({"round": [0, 1], "threshold": [1.0, 2.0]})
    found = choose_pair(tmp_path, "distance", results, novelty)
    # Of 1, 5, 7 and 9, which were mended, the lower one in the middle; 3 was not.
    assert (found.condition, found.episode) == ("far", errors.index(5.0))
    assert [run.outcome for run in found.runs] == ["crash", "success"]
    assert [run.threshold for run in found.runs] == [1.0, 2.0]
    assert found.why == "of 4 episodes in far that failed at first and succeeded at last, the one of median error"


def test_what_is_spent_is_beyond_a_variants_own_demonstrations() -> None:
    rows = [
        (variant, number, "far", 0.5 + number / 10, known + 20 * number)
        for variant, known in (("few", 30), ("many", 60))
        for number in (0, 1, 2)
    ]
    table = pd.DataFrame(rows, columns=["variant", "round", "condition", "success", "rows"])
    more = table.assign(rows=table["rows"] + 500 * (table["variant"] == "many"))
    drawn = [
        [picture.content for figure in spending_figures(one) for picture in figure.pictures] for one in (table, more)
    ]
    assert drawn[0] == drawn[1]
