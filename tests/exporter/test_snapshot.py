"""Tests of the snapshot format: a round trip, and the rejection of any damaged or foreign data."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.snapshot import FORMAT, Snapshot, SnapshotError, decode, last_success_of
from cln_monitor.probes import PROBES, Failure, Missing, Observation, Part
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from tests.helpers.clock import NOW

PROBE = PROBES["kernelcare"]
CORRUPT = "corrupt: checksum mismatch"
FOREIGN = "corrupt, or not a state file of cln-exporter"
INCOMPATIBLE = "written by an incompatible version ("


def saved_at(moment: float = NOW) -> Snapshot[Any]:
    """Return a snapshot with one key and one failure."""
    server = KernelCareServer("sérver", "2001:db8::1", created=None, last_checkin=NOW - 60)
    part = Part("WsTs-8c7994d7", moment, KernelCareKeyServers("WsTs-8c7994d7", "🚀\n", True, 4, [server]))
    missing = Missing("Zq7T-00000000", Failure("timeout", "no answer"))
    observation = Observation(
        "kernelcare", "acme", "cln", moment, (part,), (missing,), list_known=False, expired_parts=("IM1S-00000000",)
    )
    return Snapshot("digest", moment, 1.25, None, observation)


def with_body(body: bytes, format_: int = FORMAT) -> bytes:
    """Return a file of ``body`` with a valid checksum."""
    return f"cln-monitor state {format_} {hashlib.sha256(body).hexdigest()}\n".encode() + body


FILE = saved_at().encode()


def rejection(data: bytes, now: float = NOW) -> str:
    """Return the reason for which ``data`` are rejected."""
    with pytest.raises(SnapshotError) as caught:
        decode(data, PROBE, now)
    return str(caught.value)


def test_round_trip() -> None:
    """A snapshot is decoded with the same types, failures, expired parts and Unicode text."""
    back = decode(FILE, PROBE, NOW)
    assert back == saved_at()
    assert type(back.observation.parts[0].value.servers[0]) is KernelCareServer


@pytest.mark.parametrize("twentieth", range(20))
def test_a_truncated_file(twentieth: int) -> None:
    """A file truncated at any position is rejected."""
    expected = "empty file" if twentieth == 0 else "corrupt"
    assert rejection(FILE[: len(FILE) * twentieth // 20]).startswith(expected)


@given(st.integers(0, 8 * len(FILE) - 1))
def test_a_flipped_bit(bit: int) -> None:
    """A flipped bit in the header, the checksum or the body is detected."""
    data = bytearray(FILE)
    data[bit // 8] ^= 1 << bit % 8
    assert rejection(bytes(data)).startswith(("corrupt", "unsupported format"))


@given(st.binary(min_size=1, max_size=300))
def test_random_data(data: bytes) -> None:
    """Random data are rejected, even with a valid header and checksum."""
    assert rejection(data) == FOREIGN
    assert rejection(with_body(data)).startswith(INCOMPATIBLE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (with_body(b"x", FORMAT + 1), f"unsupported format {FORMAT + 1}, this version uses format {FORMAT}"),
        (with_body(b"x", 0), f"unsupported format 0, this version uses format {FORMAT}"),
        (FILE + b"\0", CORRUPT),
        (FILE * 2, CORRUPT),
        (with_body(b"\x91" * 10_000), INCOMPATIBLE),
        (
            with_body(msgspec.msgpack.encode({"asks": "x"})),
            f"{INCOMPATIBLE}Object missing required field `started_at`)",
        ),
    ],
    ids=["newer", "older", "longer", "twice", "deep", "lacks-a-field"],
)
def test_invalid_data(data: bytes, reason: str) -> None:
    """Invalid data are rejected with a reason that names the problem."""
    assert rejection(data).startswith(reason)


def test_of_another_probe() -> None:
    """A snapshot of another probe is rejected."""
    with pytest.raises(SnapshotError, match="incompatible version"):
        decode(FILE, PROBES["imunify"], NOW)


@pytest.mark.parametrize("moment", [NOW + 0.5, float("nan"), float("inf"), float("-inf")])
def test_timestamps_in_the_future(moment: float) -> None:
    """A snapshot with a timestamp that is in the future or not finite is rejected, as it would never expire."""
    assert rejection(saved_at(moment).encode()) == "timestamps in the future; the clock has been set back"
    body = msgspec.structs.replace(saved_at(), last_success=moment)
    assert rejection(body.encode()) == "timestamps in the future; the clock has been set back"


def test_last_success() -> None:
    """The time of the last success is read from a file of any probe; invalid data have none."""
    assert last_success_of(msgspec.structs.replace(saved_at(), last_success=NOW - 5).encode()) == NOW - 5
    assert [last_success_of(data) for data in (FILE, b"", b"x\n", with_body(b"\x91"), with_body(b""))] == [0.0] * 5
