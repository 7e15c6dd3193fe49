"""The line for Nagios has the whole output, or as much as fits into the buffer of a pipe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.feed.sinks.nagios_command import command, problem_of_names
from tests.feed.sinks.external_command import PIPE_BUF, Submitted, parse
from tests.feed.sinks.results import FIRST, LONG, NINE_KB, PERFDATA, result

NOW = 1_764_000_000.75


def test_the_whole_output() -> None:
    """A short result arrives with backslashes, semicolons and line ends, its perfdata on the first line."""
    first, rest = LONG.split("\n", 1)
    assert parse(command(result(), NOW)) == Submitted(
        1_764_000_000, "acme", "kernelcare", 1, f"{first} | {PERFDATA}\n{rest}"
    )
    assert command(result(output="OK - fine\n", perfdata="", state=0), NOW).endswith(b";kernelcare;0;OK - fine\n")


def test_a_long_output_is_cut_after_a_line() -> None:
    """Of 9 KB the first lines are kept, with all perfdata, and the number of lines that are left out."""
    read = parse(line := command(result(output=NINE_KB), NOW))
    assert len(line) > PIPE_BUF - 60
    assert read.perfdata == PERFDATA
    *kept, last = read.text.split("\n")
    total = NINE_KB.count("\n") + 1
    assert kept == NINE_KB.split("\n")[: len(kept)]
    assert last == f"… and {total - len(kept)} more"


def test_lines_that_the_plugin_left_out_are_counted() -> None:
    """The plugin's own number of lines that are left out is added."""
    read = parse(command(result(output=f"{NINE_KB}\n… and 1000 more"), NOW))
    *kept, last = read.text.split("\n")
    assert last == f"… and {NINE_KB.count(chr(10)) + 1 - len(kept) + 1000} more"


def test_a_long_first_line_leaves_room_for_perfdata() -> None:
    """A first line that is too long is cut for the perfdata."""
    read = parse(command(result(output="WARNING - " + "中文\\" * 1000), NOW))
    assert read.perfdata == PERFDATA
    assert read.text.startswith("WARNING - 中文\\中文")
    assert read.text.endswith("…")


def test_too_many_perfdata() -> None:
    """Of perfdata that do not fit the first items are kept, whole, beside the text."""
    items = [f"'server {number}'={number}s;10;20" for number in range(500)]
    read = parse(command(result(output=FIRST, perfdata=" ".join(items)), NOW))
    assert read.text == FIRST
    kept = read.perfdata.split(" '")
    assert 50 < len(kept) < 500
    assert read.perfdata == " ".join(items[: len(kept)])


def test_a_bar_begins_no_perfdata() -> None:
    """A bar in the output, which would begin perfdata, is replaced as the plugins do it."""
    read = parse(command(result(output="OK - a | b=1\nc | d=2", perfdata="e=3"), NOW))
    assert (read.text, read.perfdata) == ("OK - a ¦ b=1\nc ¦ d=2", "e=3")


texts = st.text(st.characters(exclude_characters="|\r\0", exclude_categories=["Cs"]), max_size=3000)


@given(output=texts, perfdata=st.lists(st.integers(0, 10**9), max_size=400))
def test_any_text(output: str, perfdata: list[int]) -> None:
    """Any text gives one line that fits, begins like the text, and has whole perfdata."""
    items = [f"a{number}={value}" for number, value in enumerate(perfdata)]
    read = parse(command(result(output=output, perfdata=" ".join(items)), NOW))
    assert read.perfdata.split() == items[: len(read.perfdata.split())]
    first = output.partition("\n")[0]
    written = read.output.split("\n")[0].partition(" | ")[0]
    assert written == first or (written.endswith("…") and first.startswith(written[:-1]))


@pytest.mark.parametrize("name", ["", "a;b", "a\nb", "a\rb", "a\0b", "é" * 600])
def test_names(name: str) -> None:
    """Names that a line cannot have are reported, for the host and the service."""
    assert problem_of_names(name, "kernelcare")
    assert problem_of_names("acme", name)
    assert not problem_of_names("acme host", "CLN: Über 'x' !|")
