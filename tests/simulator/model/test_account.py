"""Accounts, their keys and IP licenses."""

import pytest

from cln_monitor.simulator import Account, Simulator, Steady


def test_keys_are_unique_in_a_simulator(simulator: Simulator, account: Account) -> None:
    """No two accounts or products of a simulator can have the same key."""
    account.add_kernelcare_key("A")
    other = simulator.add_account("other", "s")
    with pytest.raises(ValueError, match="cannot add the key 'A'"):
        other.add_imunify_key("A")
    assert not other.imunify_keys


def test_a_removed_key_can_be_added_again(account: Account) -> None:
    """A removed key can be added again; removing an unknown one is an error."""
    account.add_kernelcare_key("A")
    imunify = account.add_imunify_key("B")
    account.remove_kernelcare_key("A")
    assert account.remove_imunify_key(imunify) is imunify
    assert (account.kernelcare_keys, account.imunify_keys) == ({}, {})
    with pytest.raises(ValueError, match=r"^account acme_login: unknown KernelCare key A$"):
        account.remove_kernelcare_key("A")
    assert account.add_imunify_key("A").key == "A"


def test_generated_keys_differ(account: Account) -> None:
    """Generated keys differ."""
    assert account.add_kernelcare_key().key != account.add_kernelcare_key().key


def test_an_address_holds_a_license_of_a_type_once(account: Account) -> None:
    """An address has one license per type, in any notation of the address."""
    assert account.add_ip_license("2001:DB8:0::1", 16).ip == "2001:db8::1"
    account.add_ip_license("2001:db8::1", 1)
    with pytest.raises(ValueError, match=r"^account acme_login: 2001:db8::1 already has an IP license of type 16$"):
        account.add_ip_license("2001:db8:0:0::1", 16)
    with pytest.raises(ValueError, match=r"^'web1' does not appear to be an IPv4 or IPv6 address$"):
        account.add_ip_license("web1")
    assert list(account.ip_licenses) == [("2001:db8::1", 16), ("2001:db8::1", 1)]


def test_ip_licenses_are_removed_by_type_or_address(account: Account) -> None:
    """IP licenses are removed by type or address; unknown ones are an error."""
    first, second, third = (account.add_ip_license("192.0.2.1", type_) for type_ in (1, 16, 42))
    other = account.add_ip_license("192.0.2.2")
    assert account.remove_ip_license("192.0.2.1", 16) == [second]
    with pytest.raises(ValueError, match=r"^account acme_login: 192.0.2.1 has no IP license of type 16$"):
        account.remove_ip_license("192.0.2.1", 16)
    assert account.remove_ip_license("192.0.2.1") == [first, third]
    with pytest.raises(ValueError, match=r"^account acme_login: 192.0.2.1 has no IP license$"):
        account.remove_ip_license("192.0.2.1")
    assert list(account.ip_licenses.values()) == [other]


def test_defaults_of_an_ip_license(account: Account) -> None:
    """The defaults of a license depend on whether it is used."""
    used, unused = account.add_ip_license("192.0.2.1"), account.add_ip_license("192.0.2.2", registered=False)
    assert used.server_info
    assert unused.server_info is None
    explicit = account.add_ip_license("192.0.2.3", registered=False, last_checkin=5, server_info="info")
    assert (explicit.last_checkin(9), explicit.server_info) == (5, "info")
    model = Steady(seed=1, since=0)
    assert account.add_ip_license("192.0.2.4", last_checkin=model).checkins is model


def test_counts_by_kind(account: Account) -> None:
    """Objects are counted by kind."""
    for _ in range(3):
        account.add_kernelcare_key("A" * (len(account.kernelcare_keys) + 1)).add_server()
    account.add_imunify_key().add_server()
    account.add_els_key().add_server()
    account.add_els_key()
    account.add_cloudlinux_key(product_type="CL").add_server()
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
        "cloudlinux_keys": 1,
        "cloudlinux_servers": 1,
        "ip_licenses": 2,
        "groups": 1,
        "awp_entities": 3,
        "monitoring_keys": 1,
    }


def test_els_keys_are_added_and_removed(account: Account) -> None:
    """ELS keys of any well-formed product code can be added and removed."""
    key = account.add_els_key("CELS-1")
    assert (key.code, key.limit, key.note) == ("CELS", 2, "")
    assert account.add_els_key(code="NEWER 9+").key.startswith("NEWER9-")
    with pytest.raises(ValueError, match=r"^key X: code must be 1 to 32 letters, digits, blanks and _ \+ -, not ''$"):
        account.add_els_key("X", code="")
    account.add_kernelcare_key("X")
    assert account.remove_els_key("CELS-1") is key
    with pytest.raises(ValueError, match=r"^account acme_login: unknown ELS key CELS-1$"):
        account.remove_els_key(key)


@pytest.mark.parametrize("name", ["", "G"])
def test_the_name_of_a_group_is_new(account: Account, name: str) -> None:
    """An empty or existing group name is an error."""
    group = account.add_group("G", "all")
    with pytest.raises(ValueError, match=r"^account acme_login: cannot add the group '.*': use a new name"):
        account.add_group(name)
    assert account.groups == {"G": group}


def test_a_key_that_is_removed_takes_its_servers_out_of_groups(account: Account) -> None:
    """Servers of a removed key leave their groups."""
    key, group = account.add_imunify_key("A"), account.add_group("G")
    server = key.add_server()
    group.add_server(server)
    assert list(account.remove_imunify_key("A").servers.values()) == [server]
    assert group.servers == ()


def test_the_ip_licenses_of_an_address(account: Account) -> None:
    """The licenses of an address are returned by type or all."""
    first, second = account.add_ip_license("2001:db8::1", 1), account.add_ip_license("2001:db8::1", 16)
    account.add_ip_license("192.0.2.1", 1)
    assert account.ip_licenses_of("2001:DB8::1") == [first, second]
    assert account.ip_licenses_of("2001:db8::1", 16) == [second]
    assert account.ip_licenses_of("192.0.2.2") == []
