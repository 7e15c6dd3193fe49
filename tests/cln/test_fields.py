"""The values of rows: numbers that may be strings, dates, ids, flags."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import BadAnswer
from cln_monitor.cln.fields import Text, count, date, flag, identity, text

COUNTS: dict[str, tuple[Text, int | None]] = {
    "number": (2, 2),
    "string": ("2", 2),
    "0, which means unlimited": (0, 0),
    "0 as string": ("0", 0),
    "float": (5.0, 5),
    "float as string": ("5.0", 5),
    "blanks": (" 42 ", 42),
    "large": (999_999_999_999, 999_999_999_999),
    "null": (None, None),
    "empty": ("", None),
}
NO_COUNTS: list[Text] = [-1, "-1", 1.5, "1.5", True, False, "many", "1_000", "1e3", "0x10", "٣", "Infinity", "NaN", " "]


@pytest.mark.parametrize(("value", "number"), COUNTS.values(), ids=COUNTS.keys())
def test_count(value: Text, number: int | None) -> None:
    """Numbers are read from numbers and from strings; none is None, not 0, which means unlimited."""
    read = count(value, "limit")
    assert read == number
    assert type(read) is type(number)


@pytest.mark.parametrize("value", NO_COUNTS, ids=map(repr, NO_COUNTS))
def test_no_count(value: Text) -> None:
    """Anything else is a bad answer that names the field and the value."""
    with pytest.raises(BadAnswer) as raised:
        count(value, "limit")
    shown = repr(str(value).strip())
    assert str(raised.value) == f"not an answer of CLN: limit is {shown}, not a number of 0 or more"


@given(st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | st.text())
def test_any_value(value: Text) -> None:
    """Whatever JSON carries there, each reader returns a value or raises BadAnswer."""
    for read in (lambda: count(value, "x"), lambda: date(value, "x"), lambda: identity(value, "x")):
        with contextlib.suppress(BadAnswer):
            read()
    assert flag(value) in {True, False, None}
    assert isinstance(text(value), str)


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (False, False), ("true", True), (" False ", False), ("yes", None), (1, None), (None, None)],
)
def test_flag(value: Text, meant: bool | None) -> None:
    """Booleans and their spellings are flags, anything else is none."""
    assert flag(value) is meant


@pytest.mark.parametrize("value", [None, ""])
def test_no_date_is_none(value: Text) -> None:
    """A date that is null, missing or empty is None."""
    assert date(value, "last_checkin") is None


def test_date() -> None:
    """A date is Unix seconds."""
    assert date("2014-04-30T11:26-0400", "created") == 1398871560


@pytest.mark.parametrize("value", ["04-30T11:26-0400", "soon", 1398871560, 1.5, True])
def test_bad_date(value: Text) -> None:
    """Anything else is a bad answer that names the field and the value."""
    with pytest.raises(BadAnswer) as raised:
        date(value, "created")
    assert str(raised.value) == f"not an answer of CLN: created is {str(value)!r}, not a date"


@pytest.mark.parametrize(("value", "name"), [("s096slnkaAtoiAsd", "s096slnkaAtoiAsd"), (12345, "12345"), (0, "0")])
def test_identity(value: Text, name: str) -> None:
    """An id is a text or a whole number."""
    assert identity(value, "id") == name


@pytest.mark.parametrize("value", [None, "", " ", "\n", True, 1.5])
def test_no_identity(value: Text) -> None:
    """A row without an id is a bad answer."""
    with pytest.raises(BadAnswer) as raised:
        identity(value, "server_id")
    assert str(raised.value) == "not an answer of CLN: a row without server_id"


@pytest.mark.parametrize(("value", "shown"), [(123, "123"), (None, ""), ("321", "321"), ("two\nlines", "two lines")])
def test_text(value: Text, shown: str) -> None:
    """A description may be a number, a string or null."""
    assert text(value) == shown
