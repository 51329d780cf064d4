"""Write the page a person would rather look at, and its summary, from what `measure` found and what was recorded."""

from pathlib import Path

from stages.core import cli, errors
from stages.core.files import write_bytes, write_text
from stages.core.seal import check_sums


def main() -> None:
    """Command line of the stage."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("data", type=Path, help="folder that holds <task>/<round>/evaluation and <task>/demonstrations")
    parser.add_argument("--results", type=Path, required=True, help="the full result (.csv)")
    parser.add_argument("--metrics", type=Path, required=True, help="the figures of the last round (.json)")
    parser.add_argument("--plots", type=Path, required=True, help="folder of the plots' data")
    parser.add_argument("--studies", type=Path, help="folder of studies and their tables")
    parser.add_argument("--alarm", type=Path, help="folder of what `python -m stages.alarm` found")
    parser.add_argument("--page", type=cli.new_file(".html"), required=True, help="the page (.html)")
    parser.add_argument("--summary", type=cli.new_file(".md"), required=True, help="the summary (.md)")
    parser.add_argument(
        "--picture", type=cli.new_file(".jpg"), help="an episode before and after the corrections (.jpg)"
    )
    arguments = parser.parse_args()

    # Before pandas and what draws, which take longest to import.
    check_sums(arguments.plots, (arguments.results, arguments.metrics))

    from stages.reporting.changes import read_changes
    from stages.reporting.inputs import read_measured
    from stages.reporting.mosaic import blank, mosaic
    from stages.reporting.page import write_page
    from stages.reporting.sections import make_parts
    from stages.reporting.summary import write_summary

    measured = read_measured(arguments.results, arguments.metrics, arguments.plots)
    changes = read_changes(arguments.data, measured.rounds)

    sections, studies = make_parts(arguments.data, measured, changes, arguments.alarm, arguments.studies)
    page = write_page(sections, measured, changes, studies)
    write_text(arguments.summary, write_summary(measured, changes))
    write_text(arguments.page, page)
    if arguments.picture:
        made = (mosaic(section.films) for section in reversed(sections))
        write_bytes(arguments.picture, next(filter(None, made), None) or blank())


if __name__ == "__main__":
    errors.run(main)
