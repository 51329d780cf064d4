"""What the alarm was worth in a task: what it is, tables, and a sentence that follows from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.core.errors import UserError
from stages.core.seal import read_sealed
from stages.core.wording import plural
from stages.measuring.alarm import ALL
from stages.reporting.inputs import records
from stages.reporting.scores import SCORED, score_cells, score_verdict
from stages.reporting.wording import interval, listing, percent, seconds

Row = dict[str, Any]

COLUMNS = (
    *("round", "condition", "failed: alarmed", "succeeded: alarmed", "balanced accuracy"),
    *("AUROC for failure", "median warning", "failed: surprised", "succeeded: surprised"),
)


@dataclass(frozen=True)
class Alarm:
    """Rows of text in the order of their columns, all conditions together and one by one, and verdicts."""

    basis: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    detail: list[tuple[str, ...]]  # condition by condition
    verdict: str
    scored: tuple[str, ...]
    scores: list[tuple[str, ...]]
    score_verdict: str


def judge_alarm(alarm: pd.DataFrame, scores: pd.DataFrame, basis: str = "") -> Alarm:
    """The rows of alarm.csv and scores.csv of one task."""
    together = alarm["condition"] == ALL
    rows, detail = records(alarm[together]), records(alarm[~together])
    return Alarm(
        basis,
        COLUMNS,
        [_cells(row) for row in rows],
        [_cells(row) for row in detail],
        _verdict(rows),
        SCORED,
        score_cells(scores[scores["condition"] == ALL]),
        score_verdict(scores[scores["condition"] == ALL]),
    )


def alarm_basis(path: Path) -> str:
    """What the alarm of a round goes by, from its training.json; UserError where that is not whole."""
    try:
        figures = read_sealed(path)
        alarm, threshold = figures["alarm"], float(figures["threshold"])
        features = [f"{name} {_scale(one)}" for name, one in alarm["features"].items()]
        lead = f"The alarm goes by the {alarm['score']}, in the features {listing(features)}, and rises above "
        if not alarm["calibrated"]:
            return f"{lead}{threshold:.3g}, a number that was set."
        asked, rate = 100 * alarm["false_alarms_asked"], 100 * alarm["false_alarms"]
        return (
            f"{lead}{threshold:.3g}: calibrated on {plural(alarm['episodes'], 'demonstration')}, of whose kind "
            f"{'at most' if alarm['proven'] else 'about'} {rate:.3g} % then alarm (asked for: {asked:.3g} %)."
            f"{_surprise_basis(figures['surprise'])}"
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: not the whole figures of a training") from None


def _surprise_basis(surprise: dict[str, Any] | None) -> str:
    if surprise is None:
        return ""
    rate = 100 * surprise["false_alarms"]
    return f" More than {surprise['threshold']:.3g} spreads are a surprise, which about {rate:.3g} % of them hold."


def _scale(feature: dict[str, Any]) -> str:
    squashed = ", asinh" if feature["squash"] == "asinh" else ""
    return f"(in units of {feature['scale']:g}{squashed})"


def _cells(row: Row) -> tuple[str, ...]:
    failed, succeeded = _counts(row, "failed", "hits"), _counts(row, "succeeded", "false_alarms")
    told = (failed, succeeded, _span(row, "balanced_accuracy"), _area(row, "auroc"), _time(row["warning"]))
    return (str(row["round"]), row["condition"], *told, *(_surprised(row, kind) for kind in ("failed", "succeeded")))


def _counts(row: Row, kind: str, share: str) -> str:
    alarmed, quiet = row[f"{kind}_alarmed"], row[f"{kind}_quiet"]
    if not alarmed + quiet:
        return "\N{EN DASH}"
    return f"{alarmed:,} of {alarmed + quiet:,} ({interval(row[f'{share}_low'], row[f'{share}_high'])})"


def _surprised(row: Row, kind: str) -> str:
    every = row[f"{kind}_alarmed"] + row[f"{kind}_quiet"]
    surprised = row[f"{kind}_surprised"]
    return "\N{EN DASH}" if pd.isna(surprised) or not every else f"{surprised:,.0f} of {every:,}"


def _span(row: Row, name: str) -> str:
    if pd.isna(row[name]):
        return "\N{EN DASH}"
    return f"{percent(row[name])} ({interval(row[f'{name}_low'], row[f'{name}_high'])})"


def _area(row: Row, name: str) -> str:
    if pd.isna(row[name]):
        return "\N{EN DASH}"
    return f"{row[name]:.2f} ({row[f'{name}_low']:.2f}\N{EN DASH}{row[f'{name}_high']:.2f})"


def _time(value: float) -> str:
    return "\N{EN DASH}" if pd.isna(value) else seconds(value)


def _verdict(rows: list[Row]) -> str:
    """The first round and the last, in words; no judgement where the alarm made the failures itself."""
    if any(row["replaced"] for row in rows):
        return (
            "Here the alarm has a say: where it rises, the policy no longer acts by itself. So these failures follow "
            "from the alarm, and how well it foretells failure cannot be read from them."
        )
    ends = [rows[0], rows[-1]] if len(rows) > 1 else rows
    verdict = f"The alarm rose {'; '.join(_told(row) for row in ends)}."
    if any(pd.isna(row["failed_either"]) for row in ends):
        return verdict
    return f"{verdict} The policy was surprised {'; '.join(_told_surprised(row) for row in ends)}."


def _told(row: Row) -> str:
    lead = f" ({_ahead(row['warning'])})" if row["failed_alarmed"] else ""
    return _told_counts(row, row["failed_alarmed"], row["succeeded_alarmed"], lead)


def _told_surprised(row: Row) -> str:
    lead = f"{_ahead(row['surprise_warning'])}; " if row["failed_surprised"] else ""
    either = f" ({lead}alarmed or surprised: {row['failed_either']:,.0f})"
    return _told_counts(row, int(row["failed_surprised"]), int(row["succeeded_surprised"]), either)


def _ahead(warning: float) -> str:
    return f"typically {seconds(warning)} before the end"


def _told_counts(row: Row, of_failed: int, of_succeeded: int, aside: str) -> str:
    """In how many episodes of either kind; what is said `aside` is of those that failed."""
    failed = row["failed_alarmed"] + row["failed_quiet"]
    succeeded = row["succeeded_alarmed"] + row["succeeded_quiet"]
    parts = [f"in {of_failed:,} of {plural(failed, 'episode')} that failed{aside}"] if failed else []
    others = f"{succeeded:,}" if failed else plural(succeeded, "episode")
    parts += [f"in {of_succeeded:,} of {others} that succeeded"] if succeeded else []
    return f"in round {row['round']} {listing(parts)}{'' if failed else ' (none failed)'}"
