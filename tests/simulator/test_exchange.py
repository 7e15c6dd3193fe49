"""Which clients accept gzip."""

import pytest

from cln_monitor.simulator.exchange import accepts_gzip


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, deflate", False),
    ],
)
def test_accept_encoding_is_read_as_http_has_it(header: str, accepted: bool) -> None:
    """A weight of 0 in Accept-Encoding refuses gzip."""
    assert accepts_gzip(header) is accepted
