"""The fields of rows: numbers that may be strings, dates, ids, flags."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import BadAnswerError
from cln_monitor.cln.fields import (
    checkin,
    checkins,
    count,
    counts,
    date,
    date_if_readable,
    dates,
    dates_if_readable,
    flag,
    identities,
    identity,
    require_true,
    text,
    texts,
)

COUNTS: dict[str, tuple[object, int | None]] = {
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
NO_COUNTS = [
    *(-1, "-1", 1.5, "1.5", True, False, "many", "1_000", "1e3", "0x10", "٣", "Infinity", "NaN", " "),
    *(2**53 + 1, "9007199254740993", -(2**63), 10**30, 1e300, [], [1], {}, {"limit": 1}),
]


@pytest.mark.parametrize(("value", "number"), COUNTS.values(), ids=COUNTS.keys())
def test_count(value: object, number: int | None) -> None:
    """Numbers are read from numbers and strings; a missing one is None, and not 0, which means unlimited."""
    read = count(value)
    assert read == number
    assert type(read) is type(number)


@pytest.mark.parametrize("value", NO_COUNTS, ids=map(repr, NO_COUNTS))
def test_no_count(value: object) -> None:
    """Any other value is None, and never 0."""
    assert count(value) is None


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | st.text()


@given(SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(), SCALARS, max_size=2))
def test_any_value(value: object) -> None:
    """Each reader returns a value or raises BadAnswerError for any JSON value."""
    for read in (date, identity):
        with contextlib.suppress(BadAnswerError):
            read(value, "x")
    assert type(count(value)) in {int, type(None)}
    assert type(date_if_readable(value)) in {float, type(None)}
    assert flag(value) in {True, False, None}
    assert isinstance(text(value), str)


PLAIN = st.sampled_from(
    [
        "2014-04-30T11:26-0400",
        "0000-00-00",
        "1970-01-01T00:00+0000",
        "1970-01-02T00:01+0000",
        "2014-04-30T11:26:07.5Z",
        "192.0.2.1",
        "web 1",
        " ",
        "",
    ]
)
VALUES = PLAIN | SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(), SCALARS, max_size=2)


@pytest.mark.parametrize(
    ("of_all", "of_each"),
    [
        (texts, text),
        (partial(identities, field="x"), partial(identity, field="x")),
        (partial(dates, field="x"), partial(date, field="x")),
        (partial(checkins, field="x"), partial(checkin, field="x")),
        (dates_if_readable, date_if_readable),
    ],
    ids=["texts", "identities", "dates", "checkins", "dates_if_readable"],
)
@given(values=st.lists(PLAIN) | st.lists(VALUES))
def test_many_values(
    of_all: Callable[[list[object]], object], of_each: Callable[[object], object], values: list[object]
) -> None:
    """Reading a field of all rows gives the same as reading each alone."""
    assert _outcome(lambda: of_all(values)) == _outcome(lambda: list(map(of_each, values)))


def _outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except BadAnswerError as error:
        return str(error)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, True),
        (False, False),
        ("true", True),
        (" False ", False),
        *((odd, None) for odd in ("yes", 1, None, [True])),
    ],
)
def test_flag(value: object, meant: bool | None) -> None:
    """Booleans, also as strings, are flags; any other value is None."""
    assert flag(value) is meant


NEVER = [
    None,
    "",
    "1970-01-01T00:00+0000",
    "1970-01-01",
    "1970-01-01T23:59:59Z",
    "1970-01-02T00:00Z",
    "1970-01-01T00:00-1200",
    "1969-12-31T19:00-0500",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+04:00",
    "1899-12-30 00:00:00",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "0000-00-00T00:00",
    "0000-00-00T00:00:00.000Z",
    "0000-00-00T00:00+0000",
    " 0000-00-00 00:00:00 UTC ",
]


@pytest.mark.parametrize("value", NEVER, ids=repr)
def test_check_in_that_never_was(value: object) -> None:
    """Each representation of "no date" means never checked in."""
    assert checkin(value, "last_checkin") is None
    assert checkins([value, "2014-04-30T11:26-0400"], "last_checkin") == [None, 1398871560]


@pytest.mark.parametrize("value", ["never", "-", "0", 0, 1398871560, "0000-00-01", "0000-01-00", "soon", {}, [], True])
def test_check_in_that_cannot_be_read(value: object) -> None:
    """A check-in that is not a date is a bad answer, and not "never"."""
    with pytest.raises(BadAnswerError, match=r"last_checkin is .*, not a date"):
        checkin(value, "last_checkin")
    with pytest.raises(BadAnswerError, match=r"last_checkin is .*, not a date"):
        checkins(["2014-04-30T11:26-0400", value], "last_checkin")


def test_check_in() -> None:
    """From 1970-01-02 on, a check-in is its Unix seconds."""
    assert checkins(["1970-01-02T00:01Z", "2014-04-30T11:26-0400"], "x") == [86460, 1398871560]


def test_check_ins_share_their_moments() -> None:
    """Check-ins of one minute are one object, in one list and in the next."""
    texts_ = ["2026-01-01T00:00-0400", "2026-01-01T00:01-0400", "2026-01-01T00:00-0400"]
    first, _, third = checkins(texts_, "last_checkin")
    (fourth,) = checkins(["".join(list(texts_[0]))], "last_checkin")
    assert first is third is fourth


@pytest.mark.parametrize("value", [None, ""])
def test_no_date_is_none(value: object) -> None:
    """A date that is null, missing or empty is None."""
    assert date(value, "last_checkin") is None


def test_date() -> None:
    """A date is read as Unix seconds."""
    assert date("2014-04-30T11:26-0400", "last_checkin") == 1398871560
    assert date_if_readable("2014-04-30T11:26-0400") == 1398871560


@pytest.mark.parametrize("value", ["04-30T11:26-0400", "soon", 1398871560, 1.5, True, [], {"a": 1}])
def test_bad_date(value: object) -> None:
    """An invalid date is a bad answer with field and value, or None if no age depends on it."""
    with pytest.raises(BadAnswerError) as raised:
        date(value, "last_checkin")
    assert str(raised.value) == f"unexpected response from CLN: last_checkin is {str(value)!r}, not a date"
    assert date_if_readable(value) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("s096slnkaAtoiAsd", "s096slnkaAtoiAsd"),
        (12345, "12345"),
        (0, "0"),
        (12345.0, "12345"),
        (2**53 + 1, str(2**53 + 1)),
    ],
)
def test_identity(value: object, name: str) -> None:
    """An id is a string or a whole number, in any JSON notation."""
    assert identity(value, "id") == name


@pytest.mark.parametrize("value", [None, "", " ", "\n", True, 1.5, 1e300, float("inf"), [], ["a"], {"a": 1}])
def test_no_identity(value: object) -> None:
    """A row without an id is a bad answer."""
    with pytest.raises(BadAnswerError) as raised:
        identity(value, "server_id")
    assert str(raised.value) == "unexpected response from CLN: a row without server_id"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(123, "123"), (None, ""), ("321", "321"), ("two\nlines", "two lines"), (["x"], ""), ({"x": 1}, "")],
)
def test_text(value: object, shown: str) -> None:
    """A description may be a number, a string or null; a list or an object gives an empty text."""
    assert text(value) == shown


@pytest.mark.parametrize("value", [None, "", {}, True, " "])
def test_identity_that_was_asked_for(value: object) -> None:
    """The id in the request is used if CLN does not repeat it."""
    assert identity(value, "key", "asked for") == "asked for"
    assert identity("told", "key", "asked for") == "told"


def test_counts() -> None:
    """A list of numbers is returned without duplicates; any other value is a bad answer."""
    assert counts([1, "16", 1.0], "data") == [1, 16]
    assert counts([], "data") == []
    values: list[object] = [[None], ["x"], [[1]], {}, None, 1, "1"]
    for value in values:
        with pytest.raises(BadAnswerError, match="data is not a list of numbers"):
            counts(value, "data")


def test_done() -> None:
    """Only true, also as a string, confirms a change."""
    require_true(True)
    require_true("true")
    values: list[object] = [1, "yes", "1", None, [], {}, False]
    for value in values:
        with pytest.raises(BadAnswerError, match="data is neither true nor false"):
            require_true(value)
