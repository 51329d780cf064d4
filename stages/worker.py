"""Lend this machine to runs elsewhere: workers that take episodes from Dask's scheduler (`dask scheduler`).

They serve runs of this very code alone (those with `compute.backend: dask` and the same address as `compute.scheduler`)
until they are ended. What is not named here goes to `dask worker`.
"""

import os

from stages.core import cli, errors
from stages.core.cluster import checkout
from stages.core.parallel import count_cores
from stages.core.params import ComputeSettings
from stages.core.validation import MisfitError, fit


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("scheduler", help="its address, such as tcp://host:8786")
    parser.add_argument("--jobs", type=int, default=count_cores(), help="processes (one a core)")
    arguments, others = parser.parse_known_args()
    _check_address(arguments.scheduler)
    if arguments.jobs < 1:
        raise errors.UserError(f"--jobs: found {arguments.jobs}, allowed: at least 1")
    try:
        from distributed.cli.dask_worker import main as work
    except ImportError:
        raise errors.UserError("dask: not installed: pip install distributed") from None
    # A look at what it does, a hundred times a second, would take a tenth of its time.
    os.environ.setdefault("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "False")
    # One episode after another in each: a simulation belongs to a process.
    each = ["--nthreads", "1", "--resources", f"{checkout()}=1", "--no-dashboard"]
    try:
        work([arguments.scheduler, "--nworkers", str(arguments.jobs), *each, *others])
    except (RuntimeError, ValueError) as error:
        problem = f"found {arguments.scheduler} ({errors.reason(error)}), allowed: where a scheduler runs"
        raise errors.UserError(f"scheduler: {problem}") from None


def _check_address(found: str) -> None:
    """UserError unless it is an address that `compute.scheduler` may hold."""
    try:
        named = fit({"scheduler": found}, ComputeSettings).scheduler
    except MisfitError:
        named = ""
    if not named:  # as compute.scheduler may be, where there is none
        raise errors.UserError(f"scheduler: found {found!r}, allowed: such as tcp://host:8786")


if __name__ == "__main__":
    errors.run(main)
