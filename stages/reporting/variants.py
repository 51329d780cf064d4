"""What a study's variants reach, held beside the first of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from stages.reporting.inputs import records
from stages.reporting.wording import listing, percent

Ends = Mapping[str, Mapping[str, dict[str, Any]]]  # variant -> condition -> its row in one round


@dataclass(frozen=True)
class Variants:
    """What each reaches, and which of them differ from the first in the last round."""

    conditions: list[str]
    rows: list[tuple[str, list[tuple[str, float]]]]  # of each variant, by condition: what is told, and the last share
    reference: str
    apart: list[tuple[str, str]]  # variants, and where they are better or worse
    alike: int  # how many others are neither anywhere


def compare_variants(table: pd.DataFrame) -> Variants:
    """Success from the first round to the last, and where intervals of the last lie apart from the first variant's."""
    first, last = _ends(table, "min"), _ends(table, "max")
    conditions = list(dict.fromkeys(str(condition) for condition in table["condition"]))
    rows = [(variant, [_cell(first[variant], last[variant], one) for one in conditions]) for variant in last]
    (reference, shares), *others = last.items()
    told = [(variant, "; ".join(_apart(found, shares))) for variant, found in others]
    apart = [(variant, where) for variant, where in told if where]
    return Variants(conditions, rows, reference, apart, len(others) - len(apart))


def _ends(table: pd.DataFrame, end: Literal["min", "max"]) -> Ends:
    """The first ("min") or the last ("max") round of each variant."""
    rows = table[table["round"] == table.groupby("variant")["round"].transform(end)]
    return {
        str(variant): {str(row["condition"]): row for row in records(group)}
        for variant, group in rows.groupby("variant", sort=False)
    }


def _cell(first: Mapping[str, Any], last: Mapping[str, Any], condition: str) -> tuple[str, float]:
    if condition not in last:
        return "", 0.0
    row, before = last[condition], first.get(condition, last[condition])
    told = percent(row["success"])
    if before["round"] != row["round"]:
        told = f"{percent(before['success']).removesuffix(' %')} \N{RIGHTWARDS ARROW} {told}"
    return told, float(row["success"])


def _apart(rows: Mapping[str, dict[str, Any]], shares: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for way, more, less in (("better", rows, shares), ("worse", shares, rows)):
        found = [
            f"{condition} ({percent(rows[condition]['success'])}, not {percent(shares[condition]['success'])})"
            for condition in rows
            if condition in shares and more[condition]["success_low"] > less[condition]["success_high"]
        ]
        if found:
            yield f"{way} in {listing(found)}"
