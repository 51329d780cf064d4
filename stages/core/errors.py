"""The one error that is meant for the user."""

from collections.abc import Callable, Iterable
import os
import select
import sys

_LONGEST = 120  # characters of a file's own words in a message
LONGEST_LINE = 500  # characters of a line of it, whatever it is made of
_UNREAD = 128 + 13  # exit status, as of what SIGPIPE ended
_INTERRUPTED = 128 + 2  # likewise of SIGINT
_OUR_FAULT = 70  # as in sysexits.h; Python's own is 1, by which some commands tell what they found


class UserError(Exception):
    """Something the user gave is wrong: says where, what was found and what is allowed, one line each."""


def quoted(words: object, longest: int = _LONGEST) -> str:
    """What a file says, fit for a message: on one line, and not too long."""
    line = str(words)
    line = line if len(line) <= longest else f"{line[:longest]}…"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)


def listed(words: Iterable[object]) -> str:
    """Several such words."""
    return quoted(", ".join(map(str, words)))


def reason(error: BaseException) -> str:
    """The first line of what a library says."""
    return quoted((str(error).strip() or type(error).__name__).splitlines()[0])


def run(main: Callable[[], None]) -> None:
    """Run a command; what the user got wrong becomes a message and exit status 2, without a traceback.

    Where it is interrupted it says so, and no more; where nobody reads on what it says (`| head`), not even that. What
    is nobody's fault but ours has its traceback, and a status of its own.
    """
    try:
        _run(main)
    finally:
        _say_all()


def _run(main: Callable[[], None]) -> None:
    try:
        main()
    except UserError as error:
        _end(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except MemoryError as error:
        _end(f"memory: found too little ({reason(error)}), allowed: fewer or shorter episodes, less in lockstep")
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _unread():
            sys.exit(_UNREAD)
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or error}")
    except Exception:
        import traceback

        traceback.print_exc()
        sys.exit(_OUR_FAULT)


def _say_all() -> None:
    """Write what is left to be said: of a failure the interpreter, as it ends, would only complain."""
    try:
        print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else it would try again
        if isinstance(error, BrokenPipeError):
            sys.exit(_UNREAD)
        _end(f"standard output: {error.strerror}")


def _unread() -> bool:
    """Whether standard output is a pipe that nobody reads any more; there are others that may break."""
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)  # of errors it tells unasked
    return bool(asked.poll(0))


def _end(message: str) -> None:
    for line in f"error: {message}".split("\n"):
        print(quoted(line, LONGEST_LINE), file=sys.stderr)
    sys.exit(2)
