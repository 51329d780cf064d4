"""Puts the page together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import re

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from stages.reporting.alarm import Alarm, alarm_basis, judge_alarm
from stages.reporting.changes import HOW, Changes, proven, step_by_step, total, verdict
from stages.reporting.charts import cost_figure, error_figure, novelty_figure, success_figure
from stages.reporting.conditions import Worlds, worlds_of
from stages.reporting.contents import with_contents
from stages.reporting.coverage import coverage_figure
from stages.reporting.explained import Explained, explain_worst
from stages.reporting.film import FILMS
from stages.reporting.inputs import Measured
from stages.reporting.pairs import Pair, choose_pair
from stages.reporting.picture import Figure
from stages.reporting.probes import Probed, read_knobs
from stages.reporting.responses import Responses, read_responses
from stages.reporting.studies import Finding
from stages.reporting.summary import COLUMNS, cells, what_was_run
from stages.reporting.verdict import Verdict, judge
from stages.reporting.wording import percent
from stages.tasks import TASKS


@dataclass(frozen=True)
class Glance:
    """Success by condition and round, as text and as a share."""

    rounds: list[int]
    rows: list[tuple[str, list[tuple[str, float]]]]

    @property
    def columns(self) -> list[str]:
        """What stands above the shares."""
        return [f"round {number}" for number in self.rounds]


@dataclass(frozen=True)
class Section:
    """All that the page says about one task."""

    name: str
    about: str
    verdict: Verdict
    glance: Glance
    worlds: Worlds
    pair: Pair
    films: list[Figure]
    figures: list[Figure]
    alarm: Alarm
    probed: Probed | None
    responses: Responses | None
    change: tuple[str, str]  # from the first round to the last, and step by step
    proven: Mapping[str, str]  # of the conditions that changed: better or worse
    explained: Explained | None


def make_section(data: Path, measured: Measured, name: str, changes: Changes, alarms: Path | None = None) -> Section:
    """The section of a task; `alarms` is the folder of what `python -m stages.alarm` wrote."""
    rows, errors, novelty, alarm, scores = (
        table[table["task"] == name]
        for table in (measured.results, measured.errors, measured.novelty, measured.alarm, measured.scores)
    )
    task = TASKS.find(name)
    pair = choose_pair(data, name, rows, novelty)
    return Section(
        name,
        _about(name),
        judge(rows),
        _glance(measured, name),
        worlds_of(data / name, name, pair.rounds[0]),
        pair,
        FILMS[name](pair) if name in FILMS else [],
        [
            success_figure(rows),
            error_figure(errors, task.error_unit),
            cost_figure(rows),
            coverage_figure(rows, novelty),
            novelty_figure(novelty),
        ],
        judge_alarm(alarm, scores, alarm_basis(data / name / f"round_{alarm['round'].max()}" / "training.json")),
        read_knobs(alarms, name),
        read_responses(alarms, name),
        (verdict(changes), step_by_step(changes)),
        proven(changes),
        explain_worst(data, name, rows),
    )


def _about(name: str) -> str:
    """What the task's module says of itself."""
    from inspect import getmodule

    return ((getattr(getmodule(TASKS.find(name)), "__doc__", None) or "").strip().splitlines() or [""])[0]


def _glance(measured: Measured, name: str) -> Glance:
    rows = measured.results[measured.results["task"] == name]
    rounds = measured.rounds[name]
    table = []
    for condition, group in rows.groupby("condition", sort=False):
        success = dict(zip(group["round"].tolist(), group["success"].tolist(), strict=True))
        table.append((str(condition), [(percent(success[one]), float(success[one])) for one in rounds]))
    return Glance(rounds, table)


def _code(text: str) -> Markup:
    """Words in backticks as code, as Markdown has it in the summary."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped


def write_page(
    sections: list[Section], measured: Measured, changes: Mapping[str, Changes], studies: list[Finding]
) -> str:
    """The whole page: one file, nothing loaded from elsewhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = _code
    page = environment.get_template("page.html").render(
        total=total(changes),
        how=HOW,
        ran=what_was_run(measured),
        sections=sections,
        columns=COLUMNS,
        table=cells(measured.results),
        studies=studies,
    )
    return with_contents(page)
