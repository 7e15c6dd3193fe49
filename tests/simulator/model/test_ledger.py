"""The book of names."""

import pytest

from cln_monitor.simulator.model import Ledger


def test_a_key_is_claimed_once_until_it_is_released() -> None:
    """A second claim is an error that names the key; after a release it is free."""
    ledger = Ledger(lambda: 0, seed=1)
    ledger.claim("K")
    with pytest.raises(ValueError, match=r"^adding the key 'K': a key must be a text of its own"):
        ledger.claim("K")
    ledger.release("K")
    assert ledger.claim("K") == "K"


def test_hosts_come_one_after_the_other() -> None:
    """Each call gives the next address with its host name."""
    ledger = Ledger(lambda: 0, seed=1)
    assert ledger.next_host() == ("192.0.2.1", "web1.fra1.example.net")
    assert ledger.next_host() == ("198.51.100.1", "db1.fra1.example.net")
