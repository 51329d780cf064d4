"""What a study's variants reach, and which of them are better or worse than another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd

from stages.comparing.wording import points
from stages.reporting.inputs import records
from stages.reporting.wording import listing, percent

Ends = Mapping[str, Mapping[str, dict[str, Any]]]  # variant -> condition -> its row in one round


class Standing(NamedTuple):
    """A variant, and where it is better or worse than the one it is held against, round by round."""

    variant: str
    against: str
    where: str  # empty: nowhere


@dataclass(frozen=True)
class Variants:
    """What each reaches, and how those that are held against another stand."""

    conditions: list[str]
    rows: list[tuple[str, list[tuple[str, float]]]]  # of each variant, by condition: what is told, and the last share
    reference: str | None  # that all of `standings` are held against, if it is one
    standings: list[Standing]

    @property
    def apart(self) -> list[Standing]:
        """Those that are better or worse somewhere."""
        return [one for one in self.standings if one.where]


def read_variants(table: pd.DataFrame) -> Variants:
    """Success from the first round to the last, and the verdicts of all rounds."""
    first, last = _ends(table, "min"), _ends(table, "max")
    conditions = list(dict.fromkeys(str(condition) for condition in table["condition"]))
    rows = [(variant, [_cell(first[variant], last[variant], one) for one in conditions]) for variant in last]
    held = table[table["against"].notna()]
    standings = [_standing(str(one), group) for one, group in held.groupby("variant", sort=False)]
    references = {one.against for one in standings}
    return Variants(conditions, rows, references.pop() if len(references) == 1 else None, standings)


def differing(table: pd.DataFrame) -> str:
    """The standings as text, a line each."""
    found = read_variants(table)
    told = [f"{one.variant}, held against {one.against}: {one.where}" for one in found.apart]
    same = len(found.standings) - len(told)
    if same:
        told.append(f"of {same} held against another there is no evidence of a difference")
    return "\n".join(told)


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


def _standing(variant: str, held: pd.DataFrame) -> Standing:
    by_round = {int(str(number)): " and ".join(_where(records(rows))) for number, rows in held.groupby("round")}
    several = len(by_round) > 1
    where = "; ".join(f"in round {number} {told}" if several else told for number, told in by_round.items() if told)
    return Standing(variant, str(held["against"].iloc[0]), where)


def _where(rows: list[dict[str, Any]]) -> Iterator[str]:
    for verdict in ("better", "worse"):
        found = [f"{row['condition']} ({_difference(row)})" for row in rows if row["verdict"] == verdict]
        if found:
            yield f"{verdict} in {listing(found)}"


def _difference(row: Mapping[str, Any]) -> str:
    """`64.0 points, 48.6 to 76.5`, of better as of worse."""
    sign = 1 if row["verdict"] == "better" else -1
    low, high = sorted(sign * row[end] for end in ("difference_low", "difference_high"))
    return f"{points(sign * row['difference'])} points, {points(low)} to {points(high)}"
