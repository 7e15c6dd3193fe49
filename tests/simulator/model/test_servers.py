"""Servers and the groups they are in."""

import pytest

from cln_monitor.simulator import Account


def test_changes_of_a_group(account: Account) -> None:
    """Adding to a group returns whether it changed; ELS servers are refused."""
    group, server = account.add_group("G"), account.add_kernelcare_key("K").add_server("k1")
    assert [group.add_server(server), group.add_server(server)] == [True, False]
    assert [one.name for one in server.groups] == ["G"]
    assert [group.remove_server(server), group.remove_server(server)] == [True, False]
    assert [one.name for one in server.groups] == []
    with pytest.raises(ValueError, match=r"^group G: only servers of KernelCare and Imunify can be added, not 12345$"):
        group.add_server(account.add_els_key().add_server("12345"))
