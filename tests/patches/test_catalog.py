"""A patch is read once, the newest level once an interval, and a failure is a problem and not an answer."""

from __future__ import annotations

import pytest

from cln_monitor.cln import Deadline
from cln_monitor.patches import LivePatch, PatchCatalog, PatchReading, PatchServer
from tests.helpers.clock import FakeClock

from .answering import AnsweringPatchServer

ONE, TWO = "1a" * 20, "2b" * 20
LOADED = {(ONE, 31), (ONE, 33), (TWO, 5), (TWO, 0)}
PATCHES = {
    (ONE, 31): LivePatch(ONE, 31, ("CVE-2026-11111",)),
    (ONE, 33): LivePatch(ONE, 33, ("CVE-2026-11111", "CVE-2026-22222")),
    (TWO, 5): LivePatch(TWO, 5, ()),
}


@pytest.fixture(autouse=True)
def _patches(answering: AnsweringPatchServer) -> None:
    for patch in PATCHES.values():
        answering.says(f"/{patch.kernel_id}/{patch.level}/kpatch.info", f"kpatch-cve: {' '.join(patch.cves)}\n")
    answering.says(f"/{ONE}/latest.v2", "33\n")
    answering.says(f"/{TWO}/latest.v2", "5\n")


@pytest.fixture
def never(clock: FakeClock) -> Deadline:
    """A deadline that never comes."""
    return Deadline.never(clock)


def test_a_patch_is_read_once(
    server: PatchServer, answering: AnsweringPatchServer, clock: FakeClock, never: Deadline
) -> None:
    """A second reading requests neither the patches, nor the newest levels before they are too old."""
    catalog = PatchCatalog(server)
    expected = PatchReading(PATCHES, {ONE: 33, TWO: 5})
    assert catalog.read(LOADED, never, newest_max_age=60) == expected
    assert len(answering.heads) == 5
    clock.advance(59)
    assert catalog.read(LOADED, never, newest_max_age=60) == expected
    assert len(answering.heads) == 5
    clock.advance(1)
    answering.says(f"/{ONE}/latest.v2", "34\n")
    assert catalog.read(LOADED, never, newest_max_age=60).newest == {ONE: 34, TWO: 5}
    assert answering.paths[5:] == [f"/{ONE}/latest.v2", f"/{TWO}/latest.v2"]


def test_known_patches(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """Patches that were read before a restart are not read again."""
    catalog = PatchCatalog(server, [PATCHES[ONE, 31]])
    catalog.remember([PATCHES[TWO, 5]])
    assert catalog.read(LOADED, never).patches == PATCHES
    assert [path for path in answering.paths if path.endswith("kpatch.info")] == [f"/{ONE}/33/kpatch.info"]


def test_one_unreadable_patch(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A patch that cannot be read is unknown, named, and read again the next time; the others are known."""
    answering.says(f"/{ONE}/33/kpatch.info", "<html>")
    catalog = PatchCatalog(server)
    reading = catalog.read(LOADED, never)
    assert set(reading.patches) == {(ONE, 31), (TWO, 5)}
    assert reading.newest == {ONE: 33, TWO: 5}
    assert len(reading.problems) == 1
    assert reading.problems[0].startswith(f"reading /{ONE[:12]}…/33/kpatch.info at 127.0.0.1:")
    answering.says(f"/{ONE}/33/kpatch.info", "kpatch-cve: N/A\n")
    assert catalog.read(LOADED, never).patches[ONE, 33] == LivePatch(ONE, 33, ())


def test_unknown_patches(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A patch or a kernel that the server does not know is missing, which is no problem of the server."""
    answering.answers.clear()
    assert PatchCatalog(server).read(LOADED, never) == PatchReading({}, {})


def test_unknown_patches_are_not_requested_all_the_time(
    server: PatchServer, answering: AnsweringPatchServer, clock: FakeClock, never: Deadline
) -> None:
    """A patch that the server does not know is requested again after an hour, and its kernel after an interval."""
    known = {path: answer for path, answer in answering.answers.items() if ONE in path}
    answering.answers = dict(known)
    catalog = PatchCatalog(server)
    catalog.read(LOADED, never, newest_max_age=60)
    answering.heads.clear()
    clock.advance(59)
    catalog.read(LOADED, never, newest_max_age=60)
    assert answering.paths == []
    clock.advance(3540)
    catalog.read(LOADED, never, newest_max_age=60)
    assert answering.paths == [f"/{ONE}/latest.v2", f"/{TWO}/latest.v2"]
    answering.says(f"/{TWO}/5/kpatch.info", "kpatch-cve: N/A\n")
    clock.advance(1)
    assert catalog.read(LOADED, never, newest_max_age=60).patches == PATCHES


def test_kernels_that_do_not_exist(server: PatchServer, clock: FakeClock, never: Deadline) -> None:
    """Kernels that exist in one reading only do not fill the memory."""
    catalog = PatchCatalog(server)
    for number in range(4):
        catalog.read({(f"{number:040x}", 1)}, never, newest_max_age=60)
        clock.advance(1800)
    assert (len(catalog._absent), len(catalog._newest)) == (2, 1)


def test_server_errors(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A server that answers each of three requests with an error is down; one that answers others is not."""
    failing = [f"/{ONE}/{level}/kpatch.info" for level in range(1, 7)]
    for path in failing:
        answering.says(path, "oops", status="500 Internal Server Error")
    loaded = {(ONE, level) for level in range(1, 7)}
    reading = PatchCatalog(server).read(loaded | LOADED, never)
    assert (reading.patches, reading.newest, len(reading.problems)) == ({}, {}, 3)
    assert set(answering.paths) == set(failing[:3])
    for path in failing[2::3]:
        answering.says(path, "kpatch-cve: N/A\n")
    reading = PatchCatalog(server).read(loaded | LOADED, never)
    assert (set(reading.patches), len(reading.problems)) == ({(ONE, 3), (ONE, 6), *PATCHES}, 4)


def test_outage(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """While the server is down known patches stay known, the rest is unknown, and one failure is enough."""
    catalog = PatchCatalog(server, [PATCHES[TWO, 5]])
    answering.answers = dict.fromkeys(answering.answers, b"")
    reading = catalog.read(LOADED, never)
    assert (reading.patches, reading.newest) == ({(TWO, 5): PATCHES[TWO, 5]}, {})
    assert len(reading.problems) == 1
    assert set(answering.paths) == {f"/{ONE}/31/kpatch.info"}


def test_another_reading_takes_too_long(server: PatchServer, clock: FakeClock) -> None:
    """A reading waits for another one until its deadline; what is known already stays known."""
    catalog = PatchCatalog(server, [PATCHES[ONE, 31], PATCHES[TWO, 5]])
    with catalog._lock:
        reading = catalog.read(LOADED, Deadline(0, clock))
    assert set(reading.patches) == {(ONE, 31), (TWO, 5)}
    assert reading.newest == {}
    assert reading.problems == ("timed out waiting for another reading of the patch server",)


def test_too_many_patches(
    server: PatchServer, answering: AnsweringPatchServer, never: Deadline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reading sends a limited number of requests, says so, and the next one continues."""
    monkeypatch.setattr("cln_monitor.patches.catalog._MOST_REQUESTS", 2)
    catalog = PatchCatalog(server)
    reading = catalog.read(LOADED, never)
    assert set(reading.patches) == {(ONE, 31), (ONE, 33)}
    assert reading.problems == ("2 requests were sent to the patch server; the next poll continues",)
    assert len(answering.heads) == 2
    reading = catalog.read(LOADED, never, newest_max_age=60)
    assert (reading.patches, reading.newest) == (PATCHES, {ONE: 33})
    assert catalog.read(LOADED, never, newest_max_age=60) == PatchReading(PATCHES, {ONE: 33, TWO: 5})
