"""The addresses of IP licenses."""

import pytest

from cln_monitor.simulator.model import canonical


def test_canonical_address() -> None:
    """Addresses have a canonical form; an address with a zone is an error."""
    assert canonical("2001:DB8:0::1") == "2001:db8::1"
    with pytest.raises(ValueError, match="with a zone"):
        canonical("fe80::1%eth0")
