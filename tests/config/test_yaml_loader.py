"""The strict YAML of a configuration, and the errors in it."""

from __future__ import annotations

import pytest

from cln_monitor.config.yaml_loader import YamlError, read_document

pytestmark = pytest.mark.many_inputs


def test_plain_values() -> None:
    """Plain values are read, and strings that look like other types stay strings."""
    text = "a: {b: [1, 2.5, true, null, x, '1']}\nc: 1:30\n"
    assert read_document(text) == {"a": {"b": [1, 2.5, True, None, "x", "1"]}, "c": "1:30"}
    assert read_document("") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "line 1, column 5: expected the node content, but found '<stream end>'; check for an unclosed"),
        ("a: 1\na: 2", "line 1, column 1: duplicate key a (2 times)"),
        ("a: !s3cret x", "line 1, column 4: quote a value that begins with !, & or *"),
        ("a: 2024-02-30", "line 1, column 4: looks like a number or a date but is not a valid one; put it in quotes"),
        ("a: \x00", "invalid YAML: contains a non-printable character"),
        ("[" * 5000, "invalid YAML: nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, problem: str) -> None:
    """An error has line and column, and says what to do."""
    with pytest.raises(YamlError) as caught:
        read_document(text)
    assert str(caught.value).startswith(problem)
    assert str(caught.value.problem) == str(caught.value)
