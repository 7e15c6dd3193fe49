"""The rows of an ePortal: each field as documented, and values that are missing or cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import UNSET

from cln_monitor.cln import BadAnswerError
from cln_monitor.eportal import EportalClient, EportalServer

from .answering import AnsweringEportal, row


def _read(client: EportalClient, eportal: AnsweringEportal, **fields: Any) -> EportalServer:
    eportal.rows, eportal.outdated = [row(1, **fields)], set()
    return client.servers()[0]


def test_documented_row(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A row as documented is read; its dates without a zone are in UTC."""
    assert _read(client, eportal, tags="blue; canary;") == EportalServer(
        server_id="a1B2c3D4e5F60001",
        key="web",
        feed="main",
        ip="10.0.4.7",
        hostname="app1",
        last_checkin=datetime(2024, 4, 30, 9, 40, 11, tzinfo=UTC).timestamp(),
        registered_at=datetime(2024, 2, 1, 8, 0, 0, 123456, tzinfo=UTC).timestamp(),
        patched_at=datetime(2024, 4, 3, 4, tzinfo=UTC).timestamp(),
        effective_kernel="4.18.0-553.90.1.el8",
        running_kernel="4.18.0-553.el8.x86_64",
        kernel_id="5f0c" * 10,
        patch_level=31,
        patch_type="default",
        kcare_version="3.4-1",
        distro="AlmaLinux 8.10",
        tags=("blue", "canary"),
        is_updated=True,
    )


@pytest.mark.parametrize(
    ("sent", "level"),
    [
        (0, 0),
        ("31", 31),
        (None, None),
        (-1, None),
        ("", None),
        ("latest", None),
        (True, None),
        ([31], None),
        (1.5, None),
    ],
)
def test_patch_level(client: EportalClient, eportal: AnsweringEportal, sent: object, level: int | None) -> None:
    """Level 0 is no patch; a level that is missing or cannot be read is unknown, and never 0."""
    assert _read(client, eportal, patch_level=sent).patch_level == level


@pytest.mark.parametrize(
    ("sent", "kernel_id"),
    [("5F0C" * 10, "5f0c" * 10), (" " + "5f0c" * 10, "5f0c" * 10), ("5f0c" * 9, ""), ("../" * 10, ""), (None, "")],
)
def test_kernel_id(client: EportalClient, eportal: AnsweringEportal, sent: object, kernel_id: str) -> None:
    """A kernel id is 40 hex digits; any other text is unknown, as it becomes a part of a URL."""
    assert _read(client, eportal, kernel_id=sent).kernel_id == kernel_id


@pytest.mark.parametrize(
    ("sent", "last_checkin"),
    [(None, None), ("", None), ("0000-00-00 00:00:00", None), ("1970-01-01 00:00:00", None)],
)
def test_never_checked_in(
    client: EportalClient, eportal: AnsweringEportal, sent: object, last_checkin: float | None
) -> None:
    """A server without a check-in never checked in."""
    assert _read(client, eportal, checkin=sent).last_checkin == last_checkin


def test_no_row_has_check_ins(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A field that no row has was renamed or removed: the check-ins are unknown, and not missing."""
    for row_ in eportal.rows:
        del row_["checkin"]
    assert {server.last_checkin for server in client.servers()} == {UNSET}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"checkin": "soon"}, "checkin is 'soon', not a date"),
        ({"checkin": {}}, "checkin is '{}', not a date"),
        ({"id": None}, "JSON that does not match the ePortal API documentation (Expected `int | str`, got `null` - at"),
        ({"id": " "}, "JSON that does not match the ePortal API documentation (Expected `str` matching regex"),
    ],
)
def test_unreadable(client: EportalClient, eportal: AnsweringEportal, fields: dict[str, Any], problem: str) -> None:
    """A row without an id, or with a check-in that is not a date, fails the list, in the name of the ePortal."""
    with pytest.raises(BadAnswerError) as raised:
        _read(client, eportal, **fields)
    assert raised.value.problem.startswith(f"unexpected response from the ePortal: {problem}")


def test_odd_descriptions(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A description of another type, or with control characters, does not spoil the list."""
    server = _read(
        client, eportal, id=7, hostname="App1.Example.NET.", euname=["x"], tags=5, updated="soon", distro_version=None
    )
    assert server.server_id == "7"
    assert server.hostname == "app1.example.net"
    assert (server.effective_kernel, server.tags, server.patched_at, server.distro) == ("", ("5",), None, "AlmaLinux")


def test_lone_surrogate(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A character that UTF-8 cannot encode is replaced, and does not spoil the list."""
    assert _read(client, eportal, feed="ma\ud800in").feed == "ma?in"
