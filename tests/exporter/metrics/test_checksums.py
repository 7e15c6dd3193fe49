"""The checksum of joined texts."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.exporter.metrics.checksums import combine


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 3000))
def test_combine(first: bytes, second: bytes, times: int) -> None:
    """The checksum of two joined texts follows from their checksums and the size of the second."""
    second *= times
    assert combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)
