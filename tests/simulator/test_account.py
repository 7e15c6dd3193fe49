"""Accounts and their keys."""

import pytest

from cln_monitor.simulator import Account, Simulator


def test_keys_are_unique_in_a_simulator(simulator: Simulator, account: Account) -> None:
    """Another account cannot have a key that is in use, of whatever product."""
    account.add_kernelcare_key("A")
    other = simulator.add_account("other", "s")
    with pytest.raises(ValueError, match="adding the key 'A'"):
        other.add_imunify_key("A")
    assert not other.imunify_keys


def test_a_removed_key_is_gone_and_free(account: Account) -> None:
    """By text or by object, both products; removing what is not there is an error."""
    account.add_kernelcare_key("A")
    imunify = account.add_imunify_key("B")
    account.remove_kernelcare_key("A")
    assert account.remove_imunify_key(imunify) is imunify
    assert (account.kernelcare_keys, account.imunify_keys) == ({}, {})
    with pytest.raises(ValueError, match=r"^account acme_login: it has no KernelCare key A$"):
        account.remove_kernelcare_key("A")
    assert account.add_imunify_key("A").key == "A"


def test_keys_that_are_not_given_are_made_up(account: Account) -> None:
    """Two keys made up differ."""
    assert account.add_kernelcare_key().key != account.add_kernelcare_key().key


def test_counts_tell_keys_and_servers_apart(account: Account) -> None:
    """Each kind is counted on its own."""
    for _ in range(3):
        account.add_kernelcare_key("A" * (len(account.kernelcare_keys) + 1)).add_server()
    account.add_imunify_key().add_server()
    account.add_monitoring_key("M" * 16)
    assert account.counts() == {
        "kernelcare_keys": 3,
        "kernelcare_servers": 3,
        "imunify_keys": 1,
        "imunify_servers": 1,
        "monitoring_keys": 1,
    }
