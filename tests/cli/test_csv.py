"""CSV output conforms to RFC 4180 and is safe in spreadsheets."""

from __future__ import annotations

import csv
import io
import subprocess

import pytest

from cln_monitor.cli.csv_text import csv_text
from tests.helpers.running import PATIENCE

from .account import KEY, MONTH, Cln
from .commands import ALL_READS, Read, typed, without_ages
from .inside import ask
from .processes import CLNTOOL


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the records of CSV ``text`` as dictionaries."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("command", ALL_READS, ids=typed)
def test_what_reads(command: Read, cln: Cln) -> None:
    """Each command that reads prints a header and a CRLF-terminated record for each row of its JSON."""
    outcome = ask(cln, *command.arguments, "-o", "csv")
    assert outcome.code == 0
    shown = command.shown if isinstance(command.shown, list) else [command.shown]
    assert len(rows_of(outcome.out)) == len(shown)
    lines = outcome.out.split("\r\n")
    assert lines.pop() == ""
    assert len(lines) == 1 + len(shown)
    if shown:
        assert lines[0].split(",") == list(shown[0])


def test_values_are_those_of_json(cln: Cln) -> None:
    """Values are those of the JSON output; null is empty."""
    (first, *_) = rows_of(ask(cln, "servers", "list", "-o", "csv").out)
    assert first["key"] == KEY
    assert (first["last_checkin"], first["age_seconds"], first["superseded"]) == ("", "", "false")
    rows = without_ages(ask(cln, "servers", "list", "-o", "json").json)
    assert [row["last_checkin"] or "" for row in rows] == [
        row["last_checkin"] for row in rows_of(ask(cln, "servers", "list", "-o", "csv").out)
    ]


@pytest.mark.parametrize(
    "note",
    [
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@x",
        '=1,"2"',
        "＝1",
        'say "hi"',
        "a,b;c",
        "{{ x }}",
        "\u202egnp.exe",
        "クラウド",
        "x" * 4096,
        "two\nlines",
    ],
)
def test_texts_of_others(note: str, cln: Cln) -> None:
    """A note remains one cell of one record and does not start like a formula."""
    cln.account.kernelcare_keys[KEY].note = note
    (row, _) = rows_of(ask(cln, "keys", "list", "--product", "kernelcare", "-o", "csv").out)
    shown = ask(cln, "keys", "list", "--product", "kernelcare", "-o", "json").json[0]["note"]
    assert row["note"].removeprefix("'") == shown
    assert row["note"][:1] not in tuple("=+-@＝")
    assert row["used"] == "2"


def test_rfc_4180() -> None:
    """Quotes are doubled, and fields with commas, quotes or line breaks are quoted."""
    text = csv_text(
        ["a", "b", "c"], [{"a": 'x "y"', "b": "1,2", "c": "1\r\n2"}, {"a": None, "b": True, "c": ["p", "q"]}]
    )
    assert text == 'a,b,c\r\n"x ""y""","1,2","1\r\n2"\r\n,true,p; q\r\n'


def test_a_change(cln: Cln) -> None:
    """The output of a change, or of its dry run, is a record."""
    outcome = ask(cln, "kernelcare", "servers", "remove", "fresh", "--dry-run", "-o", "csv")
    (row,) = rows_of(outcome.out)
    assert (row["dry_run"], row["path"]) == ("true", "/kcare/srv/remove.json")
    assert row["arguments"] == '{"server_id": "fresh"}'
    (row,) = rows_of(ask(cln, "kernelcare", "servers", "remove", "fresh", "--yes", "-o", "csv").out)
    assert row == {"done": "true", "server_id": "fresh", "key": KEY}


def test_an_empty_list(cln: Cln) -> None:
    """An empty list is a header only."""
    outcome = ask(cln, "awp", "usage", "--month", MONTH.replace("2023", "2022"), "-o", "csv")
    assert (outcome.code, outcome.out) == (0, "product,primary_domain,username,cdn_limit_type\r\n")


@pytest.mark.processes
def test_a_reader_that_closes_the_pipe(cln: Cln) -> None:
    """A reader that closes the pipe after one line causes no error."""
    for number in range(3000):
        cln.account.kernelcare_keys[KEY].add_server(f"more-{number}", ip="192.0.2.9")
    shell = " ".join(f"'{word}'" for word in CLNTOOL)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shell} -C {cln.config} servers list -o csv | head -1"],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("product,account,id,ip,")
