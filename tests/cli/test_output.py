"""Tables for people, JSON for scripts, whatever the texts of CLN are."""

from __future__ import annotations

import re

import pytest

from cln_monitor.cli.fields import Fields
from cln_monitor.cli.output import Format, Output

from .account import KEY, OTHER_KEY, Cln
from .inside import ask, ask_json
from .processes import on_a_terminal

_NOTE = "[red]x[/red]| [31mé クラウド"


def test_hostile_note(cln: Cln) -> None:
    """Markup stays what it is, and what would steer a terminal is gone."""
    table = ask(cln, "kernelcare", "keys", "list").out
    assert _NOTE in table
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", table)
    assert ask_json(cln, "kernelcare", "keys", "list")[0]["note"] == _NOTE


def test_a_row_a_line(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped rows are not folded, however narrow the terminal says it is."""
    for columns in ("20", "1", "x"):
        monkeypatch.setenv("COLUMNS", columns)
        lines = ask(cln, "kernelcare", "keys", "list").out.splitlines()
        assert [line.split()[0] for line in lines[2:]] == [KEY, OTHER_KEY]


def test_a_narrow_terminal(cln: Cln) -> None:
    """There rows are folded, and nothing is cut."""
    shown = on_a_terminal("-C", str(cln.config), "groups", "list", COLUMNS="20", NO_COLOR="1").err
    assert "\x1b[3" not in shown
    shown = re.sub("\x1b\\[[0-9;]*m", "", shown)
    words = " ".join(shown.split())
    assert words.endswith("web all that must be up")
    assert max(map(len, shown.splitlines())) <= 20


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (-5.0, "0s"), (119.0, "119s"), (120.0, "2m"), (7199.0, "119m"), (7200.0, "2h"), (172800.0, "2d")],
)
def test_age(seconds: float, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A check-in is told by its age."""
    output = Output(Format.TABLE, lambda: 1_000_000_000.0 + seconds)
    output.fields = Fields(("last_checkin",), listed=True)
    output.rows([{"last_checkin": 1_000_000_000.0}, {"last_checkin": None}], "none")
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[2:]] == [f"{text} ago", "never"]
