"""Whatever goes wrong for the user ends in lines that fit a terminal, and status 2."""

import pytest

from stages.core.errors import UserError, listed, quoted, reason, run


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
