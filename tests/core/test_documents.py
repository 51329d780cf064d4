"""YAML as plain data: what is allowed beyond the simplest, and what is not."""

import pytest

from stages.core.documents import parse_yaml
from stages.core.errors import UserError


def test_a_key_that_an_anchor_brings_may_be_there_again() -> None:
    assert parse_yaml("a: &one {b: 1, c: 2}\nd: {<<: *one, b: 3}", "here")["d"] == {"b": 3, "c": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &one {b: 1}\nd: {<<: *one, b: 3, b: 4}", "b is there twice"),
        ("a: 1\nb: 2\na: 3", "a is there twice"),
        ("{1: a, 1.0: b}", "1.0 is there twice"),
        ("a: {1, 2}\nb: !!set {a}", "could not determine a constructor for the tag 'tag:yaml.org,2002:set'"),
        ("{[1]: 2}", "while constructing a mapping"),
        ("a: 1\n b: 2", "mapping values are not allowed in this context at line 2, column 3)"),
    ],
)
def test_what_has_no_single_meaning_is_refused(text: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        parse_yaml(text, "here")
    assert str(error.value).startswith(f"here: not YAML ({told}")


@pytest.mark.parametrize("inner", ["", "1", "a: 1", "&x a"])
def test_lists_may_be_fifty_deep_and_no_deeper(inner: str) -> None:
    within = inner.count(":")  # a mapping counts as well
    assert parse_yaml("[" * (50 - within) + inner + "]" * (50 - within), "here") is not None
    with pytest.raises(UserError, match="more than 50 levels deep"):
        parse_yaml("[" * (51 - within) + (inner or "1") + "]" * (51 - within), "here")
