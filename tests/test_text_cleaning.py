"""Remote text is cleaned for display."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import clean_text
from cln_monitor.text_cleaning import are_plain, is_clean, shorten

CLEANED = {
    "a text": ("Some custom key note", "Some custom key note"),
    "nothing": (None, ""),
    "a number": (123, "123"),
    "a fraction": (1.5, "1.5"),
    "a boolean": (True, "True"),
    "other scripts": ("Köln クラウド Серверы 🚀", "Köln クラウド Серверы 🚀"),
    "lines": ("one\r\ntwo\tthree\n", "one two three"),
    "line separators": ("one\u2028two\u2029three\x85four", "one two three four"),
    "terminal escapes": ("\x1b[31mred\x1b[0m", "[31mred [0m"),
    "NUL": ("a\x00b", "a b"),
    "bidirectional overrides": ("abc\u202edcba\u2066x\u2069", "abc dcba x"),
    "a lone surrogate": ("bad \ud800 note", "bad   note"),
    "blanks around": ("  x  ", "x"),
    "nothing but unfit": ("\n\x00\ud800", ""),
    "256 characters": ("x" * 256, "x" * 256),
    "257 characters": ("x" * 257, "x" * 255 + "…"),
}


@pytest.mark.parametrize(("value", "text"), CLEANED.values(), ids=CLEANED.keys())
def test_cleaned(value: object, text: str) -> None:
    """Characters that cannot be shown on one line become spaces, and a long text is truncated."""
    assert clean_text(value) == text


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text(value: str) -> None:
    """Any text becomes one line of at most 256 characters in valid UTF-8."""
    text = clean_text(value)
    assert len(text) <= 256
    assert len(text.splitlines()) <= 1
    assert text == text.strip()
    text.encode()


def test_longest_is_an_argument() -> None:
    """The maximum length is an argument, as errors are truncated later."""
    assert clean_text("x" * 5000, 4096) == "x" * 4095 + "…"
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", True),
        (" K\u00f6ln \U0001f680 ", True),
        ("a\tb", False),
        ("a\u2028", False),
        ("\u202e", False),
        ("\ud800", False),
    ],
)
def test_is_clean(text: str, clean: bool) -> None:
    """A clean text is one line without control characters."""
    assert is_clean(text) is clean


@given(st.lists(st.sampled_from(["a", "192.0.2.1", " a", "", "x" * 256, "x" * 257, "ü", "a\nb", 1, None]), max_size=3))
def test_plain_texts_stay_as_they_are(values: list[object]) -> None:
    """Cleaning does not change a plain text."""
    if are_plain(values):
        assert [clean_text(value) for value in values] == values


def test_most_texts_are_plain() -> None:
    """Usual ids and addresses are plain."""
    assert are_plain(["s096slnkaAtoiAsd", "192.0.2.1", "2001:db8::1"])
    assert not are_plain(["two words"])
