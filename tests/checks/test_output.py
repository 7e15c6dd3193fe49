"""The output of plugins: valid text within the size that cores read."""

from __future__ import annotations

import pytest

from cln_monitor.checks.output import LARGEST, clean, lay_out, name_worst, render
from cln_monitor.checks.states import State

EMOJI = "🚀" * 400


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a¦b"),
        ("a\nb\r\nc", "a b c"),
        ("\ta\x00b\x7f\x9b31mc ", "a b 31mc"),
        ("a\u2028b\u202eevil\u2069", "a b evil"),
        ("half \ud800 a pair", "half   a pair"),
        ("it's = 'fine' 🚀", "it's = 'fine' 🚀"),
    ],
)
def test_what_a_core_would_misread_is_replaced(text: str, shown: str) -> None:
    """Characters that a core or a terminal would misread are replaced."""
    assert clean(text) == shown


def test_a_long_text_is_cut() -> None:
    """A long text is truncated with an ellipsis."""
    assert clean("x" * 301) == "x" * 299 + "…"
    assert clean("x" * 300) == "x" * 300


def test_the_perfdata_stand_on_the_first_line() -> None:
    """The perfdata are on the first line, as cores may truncate later lines."""
    assert render(State.WARNING, "2 of 3", ["one", "two"], ["a=1", "b=2"]) == "WARNING - 2 of 3 | a=1 b=2\none\ntwo\n"
    assert render(State.OK, "fine") == "OK - fine\n"


@pytest.mark.parametrize("line", ["x" * 100, EMOJI, "a|b\nc"])
def test_all_is_within_what_nagios_reads(line: str) -> None:
    """Output fits into Nagios' limit, omitted lines are counted, and perfdata are complete."""
    output = render(State.CRITICAL, EMOJI * 4, [line] * 5000, ["a=1", "b=2"])
    assert LARGEST - 1300 < len(output.encode()) <= LARGEST
    first, *lines = output.rstrip("\n").split("\n")
    assert first.endswith("… | a=1 b=2")
    assert lines[-1] == f"… and {5000 - len(lines) + 1} more"


def test_what_just_fits_is_not_cut() -> None:
    """Lines that just fit are all shown."""
    lines = [f"{number:099d}" for number in range(79)]
    assert render(State.OK, "fine", lines).endswith(f"{78:099d}\n")
    assert render(State.OK, "fine", [*lines, lines[0]]).endswith("\n… and 1 more\n")


def test_perfdata_without_end() -> None:
    """Of too many metrics the first ones are shown completely."""
    metrics = [f"flag{number}=1;;;0" for number in range(5000)]
    output = render(State.OK, "fine", ["a line"], metrics)
    assert len(output.encode()) <= LARGEST
    shown = output.split("\n")[0].partition(" | ")[2].split(" ")
    assert 400 < len(shown) < 5000
    assert shown == metrics[: len(shown)]


def test_a_secret_goes_before_anything_is_cut_or_replaced() -> None:
    """Secrets are removed before text is truncated or replaced."""
    secret = "s3|cret" * 10
    at_the_cut = "x" * 990 + secret
    output = render(State.OK, at_the_cut, ["y" * 290 + secret], scrub=lambda text: text.replace(secret, "<secret>"))
    assert output == f"OK - {'x' * 990}<secret>\n{'y' * 290}<secret>\n"


def test_a_list_in_words() -> None:
    """The first objects are named, and the others counted."""
    assert name_worst(["a", "b"]) == "a, b"
    assert name_worst(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert name_worst(list("abcdefg"), 6) == "a, b, c, d, e, f and 1 more"


def test_the_parts_of_an_output() -> None:
    """The text has the first line and the long output, without the perfdata."""
    output = lay_out(State.WARNING, "2 of 3", ["one", "two"], ["a=1", "b=2"])
    assert output.text == "WARNING - 2 of 3\none\ntwo"
    assert output.perfdata == "a=1 b=2"
    assert str(output) == render(State.WARNING, "2 of 3", ["one", "two"], ["a=1", "b=2"])
