"""What is known about a CVE on a server, and about newer patches."""

from __future__ import annotations

import pytest

from cln_monitor.patches import LivePatch, is_behind, parse_cve, patch_age, patch_rank, reason_unknown, state_of_cve

CVE = "CVE-2026-11111"
WITH_IT = LivePatch("5f0c" * 10, 31, (CVE,))
WITHOUT_IT = LivePatch("5f0c" * 10, 31, ())
UNREAD = LivePatch("5f0c" * 10, 31, (), unread=1)


@pytest.mark.parametrize(
    ("level", "patch", "state"),
    [
        (31, WITH_IT, "fixed"),
        (31, LivePatch("5f0c" * 10, 31, (CVE,), unread=1), "fixed"),
        (31, WITHOUT_IT, "not_fixed"),
        (31, UNREAD, "unknown"),
        (31, None, "unknown"),
        (0, None, "not_fixed"),
        (None, None, "unknown"),
        (None, WITH_IT, "unknown"),
    ],
)
def test_state(level: int | None, patch: LivePatch | None, state: str) -> None:
    """Only a patch that names the CVE fixes it, and only one that was read completely does not; others are unknown."""
    assert state_of_cve(CVE, level, patch) == state


@pytest.mark.parametrize(
    ("level", "newest", "behind"),
    [
        (31, 33, True),
        (33, 33, False),
        (34, 33, False),
        (0, 33, True),
        (0, 0, False),
        (None, 33, None),
        (31, None, None),
    ],
)
def test_behind(level: int | None, newest: int | None, behind: bool | None) -> None:
    """A level below the newest is behind; one above it, of another channel, is not; without both it is unknown."""
    assert is_behind(level, newest) is behind


@pytest.mark.parametrize("text", ["CVE-2026-11111", "cve-2026-11111", " CVE-2026-11111 "])
def test_cve(text: str) -> None:
    """A CVE id is accepted in small letters and with blanks around it."""
    assert parse_cve(text) == CVE


@pytest.mark.parametrize(
    "text", ["", "CVE", "CVE-26-11111", "CVE-2026-111", "CVE-2026-11111x", "2026-11111", "CVE-2026-٣٣٣٣"]
)
def test_no_cve(text: str) -> None:
    """Any other text is not a CVE id."""
    with pytest.raises(ValueError, match="expected a CVE id, for example CVE-2026-12345"):
        parse_cve(text)


@pytest.mark.parametrize(
    ("level", "kernel_id", "patch", "reason"),
    [
        (31, "5f0c" * 10, WITHOUT_IT, ""),
        (0, "", None, ""),
        (None, "5f0c" * 10, None, "the ePortal reports no patch level"),
        (31, "", None, "the ePortal reports no kernel id"),
        (31, "5f0c" * 10, None, "no description of the patch from the patch server"),
        (31, "5f0c" * 10, UNREAD, "the patch has a fix without readable CVEs"),
    ],
)
def test_reason_unknown(level: int | None, kernel_id: str, patch: LivePatch | None, reason: str) -> None:
    """Each cause of an unknown state has a reason, and a known state has none."""
    assert reason_unknown(level, kernel_id, patch) == reason
    assert bool(reason) == (state_of_cve(CVE, level, patch) == "unknown")


@pytest.mark.parametrize(
    ("built_at", "age"), [(None, None), (900.0, 100.0), (1000.0, 0.0), (87400.0, 0.0), (87401.0, None), (4e9, None)]
)
def test_patch_age(built_at: float | None, age: float | None) -> None:
    """A patch built in another time zone is new; one built years ahead has an unknown age, and is not always new."""
    assert patch_age(built_at, 1000.0) == age


def test_patch_rank() -> None:
    """Servers without a patch come first, then the oldest patch; what is unknown comes last."""
    servers = [(None, None), (3, 50.0), (2, 90.0), (0, None), (5, None)]
    assert sorted(servers, key=lambda server: patch_rank(*server)) == [
        *((0, None), (2, 90.0), (3, 50.0)),
        *((None, None), (5, None)),
    ]
