"""The status of the probes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.probe_grid import cloud_rows, probe_tables
from cln_monitor.probes import Failure, FirstPoll, Part
from cln_monitor.probes.observation import Unavailable
from cln_monitor.probes.status import StatusFlag
from cln_monitor.source_kinds import ACCOUNT, EPORTAL
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import kernelcare, key, status_of

FAILURE = Failure("auth", "no")
NONE = msgspec.structs.replace(kernelcare(), empty=Part("", NOW, None, NOW))
"""What is seen of a product that the account does not have: a list without a key."""


@pytest.mark.parametrize(
    ("arguments", "later", "expected"),
    [
        ({"last_run": None, "last_success": None}, 0, ("waiting", "waiting", "not read yet", "next run is due")),
        (
            {"last_run": None, "last_success": None, "first_poll": FirstPoll(3, 10)},
            0,
            ("waiting", "first poll", "3 of 10 keys read so far", "poll in progress"),
        ),
        (
            {"failure": FAILURE, "last_success": None, "first_poll": FirstPoll(3, 10)},
            60,
            ("critical", "auth", "3 of 10 keys read so far", "poll in progress"),
        ),
        ({"observation": kernelcare(key("a"))}, 60, ("ok", "ok", "read 1m ago", "next run in 14m")),
        ({"observation": NONE}, 60, ("info", "not available", "read 1m ago", "next run in 14m")),
        (
            {"observation": NONE, "failure": Failure("refused", "no")},
            0,
            ("warning", "refused", "read 0s ago", "next run in 15m"),
        ),
        ({"observation": NONE}, 1861, ("warning", "late", "read 31m ago", "next run is due")),
        ({"observation": kernelcare()}, 60, ("ok", "ok", "read 1m ago", "next run in 14m")),
        ({"observation": kernelcare(key("a"))}, 900, ("ok", "ok", "read 15m ago", "next run is due")),
        (
            {"observation": kernelcare(key("a")), "failure": FAILURE},
            0,
            ("critical", "auth", "read 0s ago", "next run in 15m"),
        ),
        ({"failure": FAILURE, "last_success": None}, 0, ("critical", "auth", "never read", "next run in 15m")),
        (
            {"observation": kernelcare(key("a")), "failure": FAILURE, "last_success": None},
            0,
            ("critical", "auth", "never read completely", "next run in 15m"),
        ),
        (
            {"observation": kernelcare(key("a")), "failure": Failure("timeout", "no")},
            0,
            ("warning", "timeout", "read 0s ago", "next run in 15m"),
        ),
        (
            {"observation": msgspec.structs.replace(kernelcare(), expired_parts=("a",))},
            7200,
            ("warning", "too old", "read 2h ago", "next run is due"),
        ),
        ({"observation": kernelcare(key("a"))}, 1860, ("ok", "ok", "read 31m ago", "next run is due")),
        ({"observation": kernelcare(key("a"))}, 1861, ("warning", "late", "read 31m ago", "next run is due")),
    ],
)
def test_cell(arguments: dict[str, Any], later: float, expected: tuple[str, str, str, str]) -> None:
    """A cell has the state, the age of the data, and the time of the next run."""
    (table,) = probe_tables([status_of(**arguments, now=NOW + later)])
    (row,) = table.sources.rows
    (cell,) = row.cells
    assert (cell.state, cell.text, cell.read, cell.due) == expected
    assert (cell.probe, cell.link) == ("kernelcare", "api/v1/observations/acme/kernelcare")


def test_a_part_that_is_not_available() -> None:
    """A probe is not available if all of its parts are."""
    refused = Unavailable("(reseller)", "reseller access", "Reseller not found")
    nothing = msgspec.structs.replace(NONE, probe="patch_status", unavailable=(refused,))
    (table,) = probe_tables([status_of(nothing)])
    (row,) = table.sources.rows
    assert [(cell.state, cell.text) for cell in row.cells] == [("info", "not available")]
    some = msgspec.structs.replace(kernelcare(key("a")), unavailable=(refused,))
    (table,) = probe_tables([status_of(some)])
    (row,) = table.sources.rows
    assert [(cell.state, cell.text) for cell in row.cells] == [("ok", "ok")]


def test_accounts_and_probes() -> None:
    """Each account is a row and each probe a column; disabled probes are empty."""
    targets = [status_of(), status_of(probe="els"), status_of(account="other")]
    (table,) = probe_tables(targets)
    assert (table.kind, table.columns) == (ACCOUNT, ["kernelcare", "els"])
    assert [(row.account, [cell is not None for cell in row.cells]) for row in table.sources.rows] == [
        ("acme", [True, True]),
        ("other", [True, False]),
    ]


def test_an_eportal_has_no_columns_of_an_account() -> None:
    """Accounts and ePortals have tables of their own, so that no probe of the other kind is shown as disabled."""
    targets = [status_of(), status_of(probe="els"), status_of(probe="eportal", account="dc1")]
    accounts, eportals = probe_tables(targets)
    assert (accounts.kind, accounts.columns) == (ACCOUNT, ["kernelcare", "els"])
    assert (eportals.kind, eportals.columns) == (EPORTAL, ["eportal"])
    for table, name in ((accounts, "acme"), (eportals, "dc1")):
        (row,) = table.sources.rows
        assert row.account == name
        assert None not in row.cells
    assert [table.kind for table in probe_tables(targets[2:])] == [EPORTAL]
    assert probe_tables([]) == []


def test_many_accounts() -> None:
    """Too many accounts are sorted by severity and truncated; otherwise they keep their order."""
    targets = [status_of(account=f"a{number}") for number in range(25)]
    bad = status_of(account="bad", failure=FAILURE)
    (table,) = probe_tables([*targets[:24], bad])
    assert table.sources.rows[-1].account == "bad"
    (table,) = probe_tables([*targets, bad])
    accounts = table.sources
    assert (accounts.rows[0].account, len(accounts.rows), accounts.more) == ("bad", 25, 1)


def test_cln_itself() -> None:
    """CLN itself has its flags, bad ones first, and is not an account."""
    flags = [StatusFlag("xmlrpc", True, True), StatusFlag("rhn_overloaded", True, False)]
    target = status_of(observed({"flags": flags}, probe="status", account=""))
    (cloud,) = cloud_rows([status_of(), target])
    assert (cloud.api, cloud.cell.state) == ("cln.example.net", "ok")
    assert cloud.flags == (("rhn_overloaded", "true", False), ("xmlrpc", "true", True))
