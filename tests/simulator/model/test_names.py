"""Hosts, addresses and keys."""

import re
from ipaddress import ip_address, ip_network
from random import Random

import pytest

from cln_monitor.simulator.model import names

pytestmark = pytest.mark.many_inputs

POOLS = [
    ip_network(pool)
    for pool in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "100.64.0.0/10",
        "2001:db8::/32",
    )
]


def test_hosts_and_addresses_of_a_fleet_are_all_different() -> None:
    """150 000 servers have distinct names and reserved addresses."""
    addresses = {names.address(number) for number in range(150_000)}
    assert len(addresses) == 150_000
    assert len({names.hostname(number) for number in range(150_000)}) == 150_000
    sample = [ip_address(address) for address in list(addresses)[::97]]
    assert {any(address in pool for pool in POOLS) for address in sample} == {True}


def test_a_small_fleet_has_addresses_of_all_documentation_ranges() -> None:
    """Thirty servers use every documentation range, and IPv6."""
    found = {str(pool) for pool in POOLS for number in range(30) if ip_address(names.address(number)) in pool}
    assert found == {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"}


def test_the_last_server_of_the_largest_fleet_has_an_address() -> None:
    """The largest fleet stays within the reserved ranges."""
    addresses = {names.address(number) for number in range(1_249_000, 1_250_000)}
    assert len(addresses) == 1000
    assert all(any(ip_address(address) in pool for pool in POOLS) for address in addresses)


def test_host_names_read_like_host_names() -> None:
    """A host name is a role, a number, a site and a reserved domain."""
    assert names.hostname(0) == "web1.fra1.example.net"
    assert all(
        re.fullmatch(r"[a-z]+\d+\.[a-z]{3}\d\.example\.(net|com|org)", names.hostname(number)) for number in range(500)
    )


def test_keys_and_ids_have_the_forms_of_the_document() -> None:
    """KernelCare: 16 letters and digits; Imunify: IM and the product's letters first; ELS: the product and 24."""
    random = Random(1)
    assert re.fullmatch(r"[A-Za-z0-9]{16}", names.kernelcare_name(random))
    assert re.fullmatch(r"IMUN[A-Z0-9]{16}", names.imunify_key(random, "360_UN"))
    assert re.fullmatch(r"IMAVP[A-Z0-9]{16}", names.imunify_key(random, "AVP"))
    assert re.fullmatch(r"[0-9a-f]{32}", names.imunify_server_id(random))
    assert re.fullmatch(r"CELS-[A-Za-z0-9]{24}", names.els_key(random, "CELS"))
    assert re.fullmatch(r"ELSCELS7SLA-[A-Za-z0-9]{24}", names.els_key(random, "ELS CELS7+SLA"))
    assert re.fullmatch(r"[0-9]{9}", names.els_server_id(random))
