"""How the probes stand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.probe_grid import standing_of_accounts, standing_of_clouds
from cln_monitor.probes import Failure, Part
from cln_monitor.probes.observation import Unavailable
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import kernelcare, key, seen

FAILURE = Failure("auth", "no")
NONE = msgspec.structs.replace(kernelcare(), empty=Part("", NOW, None, NOW))
"""What is seen of a product that the account does not have: a list without a key."""


@pytest.mark.parametrize(
    ("arguments", "later", "expected"),
    [
        ({"last_run": None, "last_success": None}, 0, ("waiting", "waiting", "not read yet", "next is due")),
        ({"observation": kernelcare(key("a"))}, 60, ("ok", "ok", "read 1m ago", "next in 14m")),
        ({"observation": NONE}, 60, ("info", "not available", "read 1m ago", "next in 14m")),
        (
            {"observation": NONE, "failure": Failure("refused", "no")},
            0,
            ("warning", "refused", "read 0s ago", "next in 15m"),
        ),
        ({"observation": NONE}, 1861, ("warning", "late", "read 31m ago", "next is due")),
        ({"observation": kernelcare()}, 60, ("ok", "ok", "read 1m ago", "next in 14m")),
        ({"observation": kernelcare(key("a"))}, 900, ("ok", "ok", "read 15m ago", "next is due")),
        (
            {"observation": kernelcare(key("a")), "failure": FAILURE},
            0,
            ("critical", "auth", "read 0s ago", "next in 15m"),
        ),
        ({"failure": FAILURE, "last_success": None}, 0, ("critical", "auth", "never read", "next in 15m")),
        (
            {"observation": kernelcare(key("a")), "failure": FAILURE, "last_success": None},
            0,
            ("critical", "auth", "never read completely", "next in 15m"),
        ),
        (
            {"observation": kernelcare(key("a")), "failure": Failure("timeout", "no")},
            0,
            ("warning", "timeout", "read 0s ago", "next in 15m"),
        ),
        (
            {"observation": msgspec.structs.replace(kernelcare(), expired_parts=("a",))},
            7200,
            ("warning", "too old", "read 2h ago", "next is due"),
        ),
        ({"observation": kernelcare(key("a"))}, 1860, ("ok", "ok", "read 31m ago", "next is due")),
        ({"observation": kernelcare(key("a"))}, 1861, ("warning", "late", "read 31m ago", "next is due")),
    ],
)
def test_cell(arguments: dict[str, Any], later: float, expected: tuple[str, str, str, str]) -> None:
    """The state, in a word, with the age of the data and when the next run is due."""
    ((row,),) = (standing_of_accounts([seen(**arguments, now=NOW + later)], ["kernelcare"]).rows,)
    (cell,) = row.cells
    assert (cell.state, cell.text, cell.read, cell.due) == expected
    assert (cell.probe, cell.link) == ("kernelcare", "api/v1/observations/acme/kernelcare")


def test_a_part_that_is_not_available() -> None:
    """Is none of the probe's data; where there is nothing else, neither is the probe."""
    refused = Unavailable("(reseller)", "reseller access", "Reseller not found")
    nothing = msgspec.structs.replace(NONE, probe="patch_status", unavailable=(refused,))
    (row,) = standing_of_accounts([seen(nothing)], ["patch_status"]).rows
    assert [(cell.state, cell.text) for cell in row.cells] == [("info", "not available")]
    some = msgspec.structs.replace(kernelcare(key("a")), unavailable=(refused,))
    (row,) = standing_of_accounts([seen(some)], ["kernelcare"]).rows
    assert [(cell.state, cell.text) for cell in row.cells] == [("ok", "ok")]


def test_accounts_and_probes() -> None:
    """A row an account, a column a probe, nothing where that is off."""
    targets = [seen(), seen(probe="els"), seen(account="other")]
    rows = standing_of_accounts(targets, ["kernelcare", "els"]).rows
    assert [(row.account, [cell is not None for cell in row.cells]) for row in rows] == [
        ("acme", [True, True]),
        ("other", [True, False]),
    ]


def test_many_accounts() -> None:
    """The worst are named, the rest counted; where all fit they stay in order."""
    targets = [seen(account=f"a{number}") for number in range(25)]
    bad = seen(account="bad", failure=FAILURE)
    assert standing_of_accounts([*targets[:24], bad], ["kernelcare"]).rows[-1].account == "bad"
    accounts = standing_of_accounts([*targets, bad], ["kernelcare"])
    assert (accounts.rows[0].account, len(accounts.rows), accounts.more) == ("bad", 25, 1)


def test_cln_itself() -> None:
    """Its flags, those that are not good first; it is none of the accounts."""
    flags = [StatusFlag("xmlrpc", True, True), StatusFlag("rhn_overloaded", True, False)]
    target = seen(observed({"flags": flags}, probe="status", account=""))
    (cloud,) = standing_of_clouds([seen(), target])
    assert (cloud.api, cloud.cell.state) == ("cln.example.net", "ok")
    assert cloud.flags == (("rhn_overloaded", "true", False), ("xmlrpc", "true", True))
