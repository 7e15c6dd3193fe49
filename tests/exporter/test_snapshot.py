"""What of a target outlives the exporter: the same bytes back, and nothing believed that is not whole and ours."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.snapshot import FORMAT, Snapshot, SnapshotError, decode
from cln_monitor.probes import PROBES, Failure, Missing, Observation, Part
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from tests.helpers.clock import NOW

PROBE = PROBES["kernelcare"]
DAMAGED = "it is damaged"
NO_STATE = "it is damaged, or no state of an exporter"


def saved_at(moment: float = NOW) -> Snapshot[Any]:
    """Return what one key and one failure leave behind."""
    server = KernelCareServer("sérver", "2001:db8::1", created=None, last_checkin=NOW - 60)
    part = Part("WsTs-8c7994d7", moment, KernelCareKeyServers("WsTs-8c7994d7", "🚀\n", True, 4, [server]))
    missing = Missing("Zq7T-00000000", Failure("timeout", "no answer"))
    seen = Observation(
        "kernelcare", "acme", "cln", moment, (part,), (missing,), list_known=False, expired_parts=("IM1S-00000000",)
    )
    return Snapshot("digest", moment, 1.25, None, seen)


def with_body(body: bytes, format_: int = FORMAT) -> bytes:
    """Return a file of that body whose checksum is right."""
    return f"cln-monitor state {format_} {hashlib.sha256(body).hexdigest()}\n".encode() + body


WHOLE = saved_at().encode()


def left_aside(data: bytes, now: float = NOW) -> str:
    """Return why ``data`` are not used."""
    with pytest.raises(SnapshotError) as caught:
        decode(data, PROBE, now)
    return str(caught.value)


def test_the_same_comes_back() -> None:
    """In the same types, with failures, what is lost, and text of any script."""
    back = decode(WHOLE, PROBE, NOW)
    assert back == saved_at()
    assert type(back.observation.parts[0].value.servers[0]) is KernelCareServer


@pytest.mark.parametrize("twentieth", range(20))
def test_cut(twentieth: int) -> None:
    """Wherever the file ends too early."""
    expected = "it is empty" if twentieth == 0 else DAMAGED
    assert left_aside(WHOLE[: len(WHOLE) * twentieth // 20]).startswith(expected)


@given(st.integers(0, 8 * len(WHOLE) - 1))
def test_a_bit_that_is_not_as_it_was(bit: int) -> None:
    """Any one: in the text, in the checksum, in the header."""
    data = bytearray(WHOLE)
    data[bit // 8] ^= 1 << bit % 8
    assert left_aside(bytes(data)).startswith(("it is damaged", "it is of format"))


@given(st.binary(min_size=1, max_size=300))
def test_anything_else(data: bytes) -> None:
    """Is no state; nor is it one with our header and a checksum that is right."""
    assert left_aside(data) == NO_STATE
    assert left_aside(with_body(data)).startswith("another version of the exporter wrote it (")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (with_body(b"x", FORMAT + 1), f"it is of format {FORMAT + 1}, and this exporter writes format {FORMAT}"),
        (with_body(b"x", 0), f"it is of format 0, and this exporter writes format {FORMAT}"),
        (WHOLE + b"\0", DAMAGED),
        (WHOLE * 2, DAMAGED),
        (with_body(b"\x91" * 10_000), "another version of the exporter wrote it ("),
        (
            with_body(msgspec.msgpack.encode({"asks": "x"})),
            "another version of the exporter wrote it (Object missing required field `started_at`)",
        ),
    ],
    ids=["newer", "older", "longer", "twice", "deep", "lacks-a-field"],
)
def test_left_aside(data: bytes, why: str) -> None:
    """With a reason that says what it is."""
    assert left_aside(data).startswith(why)


def test_of_another_probe() -> None:
    """What one probe saw does not fit another."""
    with pytest.raises(SnapshotError, match="another version"):
        decode(WHOLE, PROBES["imunify"], NOW)


@pytest.mark.parametrize("moment", [NOW + 0.5, float("nan"), float("inf"), float("-inf")])
def test_of_the_future(moment: float) -> None:
    """By a clock that was set back nothing can be told to be too old; nor can what has no time."""
    assert left_aside(saved_at(moment).encode()) == "it is of the future; the clock has been set back"
    body = msgspec.structs.replace(saved_at(), last_success=moment)
    assert left_aside(body.encode()) == "it is of the future; the clock has been set back"
