"""The addresses of IP licences."""

import pytest

from cln_monitor.simulator.model import canonical


def test_an_address_has_one_spelling() -> None:
    """An address with a zone is none that anybody else could reach."""
    assert canonical("2001:DB8:0::1") == "2001:db8::1"
    with pytest.raises(ValueError, match="with a zone"):
        canonical("fe80::1%eth0")
