"""Accounts, their keys and IP licences."""

import pytest

from cln_monitor.simulator import Account, Simulator, Steady


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


def test_an_address_holds_a_licence_of_a_type_once(account: Account) -> None:
    """However the address is spelled; what is no address holds none."""
    assert account.add_ip_license("2001:DB8:0::1", 16).ip == "2001:db8::1"
    account.add_ip_license("2001:db8::1", 1)
    with pytest.raises(ValueError, match=r"^account acme_login: 2001:db8::1 has an IP licence of type 16 already$"):
        account.add_ip_license("2001:db8:0:0::1", 16)
    with pytest.raises(ValueError, match=r"^'web1' does not appear to be an IPv4 or IPv6 address$"):
        account.add_ip_license("web1")
    assert list(account.ip_licenses) == [("2001:db8::1", 16), ("2001:db8::1", 1)]


def test_ip_licences_go_by_type_or_all_of_an_address(account: Account) -> None:
    """Removing what is not there is an error."""
    first, second, third = (account.add_ip_license("192.0.2.1", type_) for type_ in (1, 16, 42))
    other = account.add_ip_license("192.0.2.2")
    assert account.remove_ip_license("192.0.2.1", 16) == [second]
    with pytest.raises(ValueError, match=r"^account acme_login: 192.0.2.1 has no IP licence of type 16$"):
        account.remove_ip_license("192.0.2.1", 16)
    assert account.remove_ip_license("192.0.2.1") == [first, third]
    with pytest.raises(ValueError, match=r"^account acme_login: 192.0.2.1 has no IP licence$"):
        account.remove_ip_license("192.0.2.1")
    assert list(account.ip_licenses.values()) == [other]


def test_what_is_not_given_fits_whether_an_ip_licence_is_used(account: Account) -> None:
    """With a server there is something to tell of it, what is given stays."""
    used, unused = account.add_ip_license("192.0.2.1"), account.add_ip_license("192.0.2.2", registered=False)
    assert used.server_info
    assert unused.server_info is None
    given = account.add_ip_license("192.0.2.3", registered=False, last_checkin=5, server_info="info")
    assert (given.last_checkin(9), given.server_info) == (5, "info")
    model = Steady(seed=1, since=0)
    assert account.add_ip_license("192.0.2.4", last_checkin=model).checkins is model


def test_counts_tell_keys_and_servers_apart(account: Account) -> None:
    """Each kind is counted on its own."""
    for _ in range(3):
        account.add_kernelcare_key("A" * (len(account.kernelcare_keys) + 1)).add_server()
    account.add_imunify_key().add_server()
    account.add_els_key().add_server()
    account.add_els_key()
    account.add_group("G")
    for month in ("2024-03", "2024-03", "2024-04"):
        account.add_awp_entity("example.com", month=month)
    account.add_ip_license("192.0.2.1", 1)
    account.add_ip_license("192.0.2.1", 16)
    account.add_monitoring_key("M" * 16)
    assert account.counts() == {
        "kernelcare_keys": 3,
        "kernelcare_servers": 3,
        "imunify_keys": 1,
        "imunify_servers": 1,
        "els_keys": 2,
        "els_servers": 1,
        "ip_licenses": 2,
        "groups": 1,
        "awp_entities": 3,
        "monitoring_keys": 1,
    }


def test_els_keys_come_and_go_as_others_do(account: Account) -> None:
    """Of any product whose code looks like one."""
    key = account.add_els_key("CELS-1")
    assert (key.code, key.limit, key.note) == ("CELS", 2, "")
    assert account.add_els_key(code="NEWER 9+").key.startswith("NEWER9-")
    with pytest.raises(ValueError, match=r"^key X: code must be 1 to 32 letters, digits, blanks and _ \+ -, not ''$"):
        account.add_els_key("X", code="")
    account.add_kernelcare_key("X")
    assert account.remove_els_key("CELS-1") is key
    with pytest.raises(ValueError, match=r"^account acme_login: it has no ELS key CELS-1$"):
        account.remove_els_key(key)


@pytest.mark.parametrize("name", ["", "G"])
def test_the_name_of_a_group_is_new(account: Account, name: str) -> None:
    """And not empty."""
    group = account.add_group("G", "all")
    with pytest.raises(ValueError, match=r"^account acme_login: adding the group '.*': a name must be new"):
        account.add_group(name)
    assert account.groups == {"G": group}


def test_a_key_that_is_removed_takes_its_servers_out_of_groups(account: Account) -> None:
    """The key that is returned still has them."""
    key, group = account.add_imunify_key("A"), account.add_group("G")
    server = key.add_server()
    group.add_server(server)
    assert list(account.remove_imunify_key("A").servers.values()) == [server]
    assert group.servers == ()


def test_the_ip_licences_of_an_address(account: Account) -> None:
    """Of one type or all."""
    first, second = account.add_ip_license("2001:db8::1", 1), account.add_ip_license("2001:db8::1", 16)
    account.add_ip_license("192.0.2.1", 1)
    assert account.ip_licenses_of("2001:DB8::1") == [first, second]
    assert account.ip_licenses_of("2001:db8::1", 16) == [second]
    assert account.ip_licenses_of("192.0.2.2") == []
