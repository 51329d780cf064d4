"""What is added to YAML is all that changes in it."""

import pytest
import yaml

from stages.core.blocks import with_copy, with_item, with_value
from stages.core.errors import UserError

TEXT = """\
# what this is
tasks: [reach, push] # run

noise: # [m]
  reach: {high: 1.0}
  push:
    low: 0.0 # least

    # said of high
    high: 2.0
    names:
    - a
    - b
  # said of lift
  lift: 3

# said of what follows
rest:
- one # first
- 'two'
"""


def lines_added(text: str) -> list[str]:
    """What is new, if what was there is still there, in its order."""
    added, known = [], iter(TEXT.splitlines())
    wanted = next(known, None)
    for line in text.splitlines():
        if line == wanted:
            wanted = next(known, None)
        else:
            added.append(line)
    assert wanted is None
    return added


def test_an_entry_is_copied_with_what_is_said_in_it() -> None:
    text = with_copy(TEXT, "file", ["noise"], "push", "pull")
    assert lines_added(text) == [line.replace("push", "pull") for line in TEXT.splitlines()[5:13]]
    assert yaml.safe_load(text)["noise"]["pull"] == {"low": 0.0, "high": 2.0, "names": ["a", "b"]}


@pytest.mark.parametrize(("name", "line"), [("reach", "  pull: {high: 1.0}"), ("lift", "  pull: 3")])
def test_an_entry_of_one_line_is_copied(name: str, line: str) -> None:
    assert lines_added(with_copy(TEXT, "file", ["noise"], name, "pull")) == [line]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("push", 5, "  push: 5"),
        ("lift", [], "  lift: []"),
        ("push.names", {}, "    names: {}"),
        ("push.low", 7, "    low: 7"),
    ],
)
def test_a_value_is_replaced_on_a_line_of_its_own(
    path: str, value: int | list[int] | dict[str, int], line: str
) -> None:
    text = with_value(TEXT, "file", ["noise", *path.split(".")], value)
    kept, found = TEXT.splitlines(), text.splitlines()
    assert [one for one in found if one not in kept] == [line]
    wanted = yaml.safe_load(TEXT)
    *above, last = ["noise", *path.split(".")]
    inner = wanted
    for name in above:
        inner = inner[name]
    inner[last] = value
    assert yaml.safe_load(text) == wanted


def test_items_are_added_where_they_are_to_be() -> None:
    assert lines_added(with_item(TEXT, "file", ["rest"], "three")) == ["- three"]
    for after, wanted in ((None, ["one", "two", "three"]), ("one", ["one", "three", "two"])):
        assert yaml.safe_load(with_item(TEXT, "file", ["rest"], "three", after))["rest"] == wanted


def test_a_list_on_one_line_stays_on_it() -> None:
    text = with_item(TEXT, "file", ["tasks"], "lift", after="reach")
    assert text == TEXT.replace("[reach, push]", "[reach, lift, push]")


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [
        (["noise"], "pull", "file: noise: found reach, push, lift, allowed: pull among them"),
        (["nothing"], "pull", "file: at its top: found tasks, noise, rest, allowed: nothing among them"),
        (["rest"], "one", "file: rest: found nothing, allowed: one among them"),
    ],
)
def test_what_is_not_there_is_told(path: list[str], name: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}$"):
        with_copy(TEXT, "file", path, name, "copy")
    with pytest.raises(UserError, match=r"^file: noise: found nothing, allowed: a list among them$"):
        with_item(TEXT, "file", ["noise"], "item")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ends_of_lines_stay_and_the_last_needs_none(end: str) -> None:
    text = TEXT.replace("\n", end)
    assert with_item(text, "file", ["rest"], "three").splitlines(keepends=True)[-2:] == [
        f"- 'two'{end}",
        f"- three{end}",
    ]
    assert with_item(TEXT.rstrip(), "file", ["rest"], "three").endswith("- 'two'\n- three\n")
    copied = with_copy("all:\n  a: 1", "file", ["all"], "a", "b")
    assert copied == "all:\n  a: 1\n  b: 1\n"
    assert with_copy(text, "file", ["noise"], "push", "pull").count(end) == len(TEXT.splitlines()) + 8


def test_what_is_there_already_is_not_replaced() -> None:
    with pytest.raises(UserError, match=r"^file: noise: found lift already, allowed: another name$"):
        with_copy(TEXT, "file", ["noise"], "push", "lift")


@pytest.mark.parametrize("text", ["all: {a: 1, b: 2}\n", "all:\n  'a': 1\n  b: 2\n", "all:\n  ? a\n  : 1\n"])
def test_a_form_in_which_lines_are_no_entries_is_refused_or_kept_right(text: str) -> None:
    try:
        added = with_copy(text, "file", ["all"], "a", "c")
    except UserError as error:
        assert "cannot be added to" in str(error)
    else:
        assert yaml.safe_load(added)["all"] == {**yaml.safe_load(text)["all"], "c": 1}
