"""The table of a study: what each variant reached, and what is known of how that differs from another's."""

from collections.abc import Iterator, Mapping
import io

import pandas as pd

from stages.comparing.revisions import Revision
from stages.comparing.variants import Held, compare_variants
from stages.core.cli import round_number
from stages.core.errors import UserError

_KEY = ["variant", "round", "condition"]


def study_table(experiments: Mapping[str, str], task: str, against: Mapping[str, str]) -> pd.DataFrame:
    """The task's rows of the variants' results, and beside them how those that are held `against` another one differ.

    `experiments` are their names, by variant. UserError where one is missing, or did not run the task.
    """
    revisions = {variant: Revision(name) for variant, name in experiments.items()}
    results = pd.concat([_results(one, task).assign(variant=variant) for variant, one in revisions.items()])
    rows = [row for number in _rounds(revisions) for row in _differences(revisions, task, number, against)]
    columns = [*_KEY, "against", "pairs", "difference", "difference_low", "difference_high", "p_adjusted", "verdict"]
    table = results.merge(pd.DataFrame(rows, columns=columns), how="left", on=_KEY).astype({"pairs": "Int64"})
    return table[["variant", *(column for column in table.columns if column != "variant")]]


def _results(revision: Revision, task: str) -> pd.DataFrame:
    results = pd.read_csv(io.BytesIO(revision.results()))
    if task not in set(results["task"]):
        allowed = ", ".join(dict.fromkeys(results["task"]))
        raise UserError(f"task: found {task}, allowed: {allowed} ({revision.name})")
    return results[results["task"] == task]


def _rounds(revisions: Mapping[str, Revision]) -> list[int]:
    """Those that all have."""
    each = [{round_number(name) for name in one.chain().rounds} for one in revisions.values()]
    return sorted(set.intersection(*each))


def _differences(
    revisions: Mapping[str, Revision], task: str, number: int, against: Mapping[str, str]
) -> Iterator[tuple[object, ...]]:
    wanted = {*against, *against.values()}
    evaluations = {one: revisions[one].evaluation(task, f"round_{number}") for one in revisions if one in wanted}
    for held in compare_variants(evaluations, against):
        yield held.variant, number, held.comparison.condition, held.against, *_figures(held)


def _figures(held: Held) -> tuple[object, ...]:
    one = held.comparison
    return one.pairs, one.difference, one.low, one.high, one.p_adjusted, one.verdict
