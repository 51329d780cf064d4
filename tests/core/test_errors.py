"""Whatever goes wrong for the user ends in lines that fit a terminal, and status 2."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from stages.core.errors import UserError, listed, quoted, reason, run
from tests.chain import ROOT

FULL = Path("/dev/full")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (UserError("a: found 1, allowed: 2"), "error: a: found 1, allowed: 2\n"),
        (UserError("a: b\nerror: c: d"), "error: a: b\nerror: c: d\n"),
        (UserError("a: found \x1b[2J\r"), "error: a: found \\x1b[2J\\r\n"),
        (FileNotFoundError(2, "No such file or directory", "x"), "error: x: No such file or directory\n"),
        (MemoryError(), "error: memory: found too little (MemoryError), allowed: fewer or shorter episodes, less in "),
    ],
)
def test_a_message_is_printed_and_the_status_is_2(
    raised: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise raised

    with pytest.raises(SystemExit) as ended:
        run(fail)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_fault_of_the_program_is_told_from_what_a_command_finds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert ended.value.code == 70
    assert capsys.readouterr().err.endswith("ZeroDivisionError: division by zero\n")


def test_what_is_interrupted_ends_with_a_word() -> None:
    program = "import time; from stages.core import errors; print(1, flush=True); errors.run(lambda: time.sleep(60))"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=-1, stdout=-1, text=True) as stage:
        assert stage.stdout is not None
        stage.stdout.readline()
        time.sleep(0.1)
        stage.send_signal(signal.SIGINT)
        _, said = stage.communicate(timeout=30)
    assert (stage.returncode, said) == (130, "interrupted\n")


def test_a_line_is_never_as_long_as_what_a_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise UserError("x" * 100_000)

    with pytest.raises(SystemExit):
        run(fail)
    assert len(capsys.readouterr().err) < 600


def test_words_of_a_file_are_on_one_line() -> None:
    assert quoted("a\nb\u202ec\0ä") == r"a\nb\u202ec\x00ä"
    assert len(listed(["column"] * 1000)) == 121
    assert reason(ValueError("one\ntwo")) == "one"
    assert reason(ValueError()) == "ValueError"


TALKER = "import sys; from stages.core.errors import run; run(lambda: (print('x' * {length}), {then}))"


def talk(length: int, then: str, stdout: Any, unbuffered: str = "") -> tuple[int, str]:
    """Status and complaints of a command that says so much and then does that."""
    command = [sys.executable, "-c", TALKER.format(length=length, then=then)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("length", "then", "unbuffered"),
    [(1, "None", ""), (1, "sys.exit(1)", ""), (100_000, "None", ""), (1, "None", "1")],
)
def test_what_nobody_reads_ends_without_a_word(length: int, then: str, unbuffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    assert talk(length, then, write, unbuffered) == (141, "")
    os.close(write)


def test_another_pipe_that_breaks_is_told() -> None:
    fail = "(_ for _ in ()).throw(BrokenPipeError(32, 'broken'))"
    assert talk(1, fail, subprocess.DEVNULL) == (2, "error: broken\n")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_what_cannot_be_written_is_told() -> None:
    with FULL.open("w") as full:
        assert talk(1, "None", full) == (2, "error: standard output: No space left on device\n")
