"""Tables for people and JSON for scripts, for any text of CLN."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from cln_monitor.cli.output import Output
from cln_monitor.cli.output_fields import Fields, Format
from cln_monitor.masking import mask_key

from .account import CREATED, IMUNIFY_KEY, KEY, OTHER_KEY, Cln
from .inside import ask, ask_json
from .processes import on_a_terminal

_NOTE = "[red]x[/red]| [31mé クラウド"


def test_hostile_note(cln: Cln) -> None:
    """Markup in a note is shown literally, and control characters are removed."""
    table = ask(cln, "kernelcare", "keys", "list").out
    assert _NOTE in table
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", table)
    assert ask_json(cln, "kernelcare", "keys", "list")[0]["note"] == _NOTE


def test_a_row_a_line(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped rows are not folded, even for a narrow terminal."""
    for columns in ("20", "1", "x"):
        monkeypatch.setenv("COLUMNS", columns)
        lines = ask(cln, "kernelcare", "keys", "list").out.splitlines()
        assert [line.split()[0] for line in lines[2:]] == [KEY, OTHER_KEY]


def lines_on_a_terminal(cln: Cln, columns: int, *arguments: str) -> list[str]:
    """Return the output of a command on a terminal with ``columns`` columns, without colors."""
    shown = on_a_terminal("-C", str(cln.config), *arguments, COLUMNS=str(columns), NO_COLOR="1").err
    after_the_bar = re.split("querying CLN[^\r\n]*", shown)[-1]
    return re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", after_the_bar).strip("\r\n").splitlines()


@pytest.mark.processes
def test_keys_and_addresses_are_never_cut(cln: Cln) -> None:
    """A terminal of any width shows keys in full, in a table or with a line per field."""
    key = "K" * 40
    cln.account.add_kernelcare_key(key, note=" ".join(["word"] * 20), created=CREATED)
    # 40 of the key, 13 of the mask, 7 of "enabled", 4 of "used", 9 of "unlimited", 10 of the date, 12 of the note at
    # least, and three between each.
    for columns in (200, 120, 113):
        table = lines_on_a_terminal(cln, columns, "kernelcare", "keys", "list")
        assert table[0].split() == ["key", "mask", "enabled", "used", "limit", "note", "created"]
        assert max(map(cell_len, table)) <= columns
        (row,) = (line for line in table if key in line)
        assert row.endswith("   2014-04-30")
        assert " ".join(table).count("word") == 20
    for columns in (112, 60, 46, 20):
        blocks = "\n".join(lines_on_a_terminal(cln, columns, "kernelcare", "keys", "list")).split("\n\n")
        assert len(blocks) == 3
        lines = blocks[2].splitlines()
        mask = f"mask     {mask_key(key)}"
        assert lines[:5] == [f"key      {key}", mask, "enabled  yes", "used     0", "limit    2"]
        assert lines[-1] == "created  2014-04-30"
        assert " ".join(lines).count("word") == 20
        assert max(map(cell_len, lines)) <= max(
            columns, 9 + len(key)
        )  # what is longer is for the terminal to go on with


@pytest.mark.processes
def test_one_thing_on_a_narrow_terminal(cln: Cln) -> None:
    """A key is shown in one line, and a list of hosts is folded between hosts."""
    shown = lines_on_a_terminal(cln, 20, "imunify", "keys", "update", IMUNIFY_KEY, "--limit", "9", "--yes")
    mask = f"mask     {mask_key(IMUNIFY_KEY)}"
    assert shown[-7:-2] == [f"key      {IMUNIFY_KEY}", mask, "code     360_250", "limit    9", "servers  1"]
    assert [line.strip() for line in shown[-2:]] == ["note", "type"]
    for number in range(20):
        cln.account.kernelcare_keys[KEY].add_server(ip=f"192.0.2.{number + 100}", patch_state="outofdate")
    shown = lines_on_a_terminal(cln, 60, "kernelcare", "patch-status", "--key", KEY)
    assert max(map(cell_len, shown)) <= 60
    assert all(f"192.0.2.{number + 100} outofdate" in " ".join(" ".join(shown).split()) for number in range(20))


@pytest.mark.processes
def test_a_narrow_terminal(cln: Cln) -> None:
    """On a narrow terminal, descriptions are folded and not cut."""
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
    """A check-in is shown by its age."""
    output = Output(Format.TABLE, lambda: 1_000_000_000.0 + seconds)
    output.fields = Fields(("last_checkin",), listed=True)
    output.rows([{"last_checkin": 1_000_000_000.0}, {"last_checkin": None}], "none")
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[2:]] == [f"{text} ago", "never"]
