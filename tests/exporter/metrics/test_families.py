"""Tests of families and series, whose text is parsed back by the parsers of Prometheus."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.metrics.families import POLLED, POLLED_FROM_EPORTAL, Family, Series, escape, number
from tests.exporter.parsing import parse, parse_openmetrics

from .rendering import new_series, texts_of

FAMILY = Family("cln_test", "A family of the tests.", ("one", "two"))
OTHER = Family("cln_other", "Another.", ("one",))

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any text that UTF-8 can encode; surrogates are replaced when responses are decoded."""


def written(series: Series) -> str:
    """Return the text of ``series`` with the headers of their families."""
    return "".join(family.header.decode() + text.decode() for family, text in texts_of(series).items())


@example_settings(max_examples=200)
@given(TEXTS, TEXTS)
@example("\\n", 'a\\"b')
@example("\n", "\\\\\n")
@example("\r", "\u2028")
@example("}", '",two="')
def test_any_label_is_read_back(one: str, two: str) -> None:
    """Any label value is parsed back by both parsers."""
    series = new_series()
    series.add(FAMILY, (one, two), 1)
    text = written(series)
    assert text.count("\n") == 3
    samples = {("cln_test", frozenset({("one", one), ("two", two)})): 1.0}
    assert parse(text) == parse_openmetrics(text + "# EOF\n") == samples


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (-1, "-1"),
        (True, "1"),
        (1398871560.0, "1398871560"),
        (0.25, "0.25"),
        (1e-07, "1e-07"),
        (1e300, str(int(1e300))),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "nan"),
    ],
    ids=repr,
)
def test_number(value: float, text: str) -> None:
    """Integral values have no decimal point, and infinity is written as Prometheus does."""
    assert number(value) == text


@example_settings(max_examples=100)
@given(st.one_of(st.floats(allow_nan=False), st.integers(-(2**63), 2**63)))
def test_any_number_is_read_back(value: float) -> None:
    """Any number is parsed back without a loss of precision."""
    assert float(number(value)) == float(value)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain é 🚀", "plain é 🚀"),
        ('"', '\\"'),
        ("\\", "\\\\"),
        ("\n", "\\n"),
        ("\\n", "\\\\n"),
        ('a\\"\nb', 'a\\\\\\"\\nb'),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    """Only backslash, quote and newline are escaped."""
    assert escape(text) == escaped


def test_header() -> None:
    """The header of a family is its HELP, then its TYPE."""
    assert FAMILY.header == b"# HELP cln_test A family of the tests.\n# TYPE cln_test gauge\n"


def test_buckets_have_no_type() -> None:
    """A gauge histogram has no TYPE, as no type is valid for it in both formats."""
    assert Family("cln_b_bucket", "B.", ("le",), buckets=True).header == b"# HELP cln_b_bucket B.\n"


def test_series_of_a_family_stay_together() -> None:
    """Series are grouped by family in any order of addition, and a family without series has no text."""
    series = new_series()
    series.add(FAMILY, ("a", "b"), 1)
    series.add(OTHER, ("c",), 2)
    series.add(FAMILY, ("d", "e"), math.inf)
    series.add_lines(Family("cln_none", "None.", ()), [])
    assert texts_of(series) == {
        FAMILY: b'cln_test{one="a",two="b"} 1\ncln_test{one="d",two="e"} +Inf\n',
        OTHER: b'cln_other{one="c"} 2\n',
    }


@pytest.mark.parametrize("values", [("a",), ("a", "b", "c")], ids=["too-few", "too-many"])
def test_a_wrong_number_of_labels_is_refused(values: tuple[str, ...]) -> None:
    """Too few or too many label values are an error."""
    with pytest.raises(ValueError, match="zip"):
        new_series().add(FAMILY, values, 1)


@pytest.mark.parametrize(("limit", "dropped"), [(3, 0), (2, 3), (0, 3)])
def test_drop_over(limit: int, dropped: int) -> None:
    """Over the limit all series of the families are dropped, and otherwise none."""
    series = new_series()
    series.add(OTHER, ("stays",), 1)
    series.add(FAMILY, ("a", "b"), 1)
    series.add(FAMILY, ("c", "d"), 1)
    third = Family("cln_third", "A third.", ("one",))
    series.add(third, ("e",), 1)
    assert series.drop_over(limit, (FAMILY, third)) == dropped
    assert set(texts_of(series)) == {OTHER} if dropped else {OTHER, FAMILY, third}


def test_drop() -> None:
    """All series of the families are dropped, and those without series are no error."""
    series = new_series()
    series.add(OTHER, ("stays",), 1)
    series.add(FAMILY, ("a", "b"), 1)
    series.drop((FAMILY, Family("cln_third", "A third.", ("one",))))
    assert set(texts_of(series)) == {OTHER}


@pytest.mark.parametrize("family", ALL_FAMILIES, ids=lambda family: family.name)
def test_each_family(family: Family) -> None:
    """Each family has the prefix, a HELP on one line that says if it is polled, and a first label account or api.

    A shared family belongs to no account.
    """
    assert family.name.startswith("cln_")
    assert not set("\\\n") & set(family.help)
    assert family.help.endswith(".")
    is_polled = family.help.endswith((POLLED, POLLED_FROM_EPORTAL))
    assert is_polled != family.name.startswith("cln_probe_")
    if family.shared:
        assert not {"account", "api"} & set(family.labels)
    else:
        assert family.labels[0] == ("api" if family.name.startswith(("cln_probe_", "cln_status_")) else "account")
    assert len(set(family.labels)) == len(family.labels)


def test_names_of_families_are_unique() -> None:
    """All families have different names."""
    names = [family.name for family in ALL_FAMILIES]
    assert len(set(names)) == len(names)
