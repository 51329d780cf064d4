"""The one error that is meant for the user."""

from collections.abc import Callable
import sys


class UserError(Exception):
    """Something the user gave is wrong: says where, what was found and what is allowed, one line each."""


def run(main: Callable[[], None]) -> None:
    """Run a command; what the user got wrong becomes a message and exit status 2, without a traceback."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)
