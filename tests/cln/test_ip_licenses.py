"""Tests of IP licenses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec import UNSET

from cln_monitor.cln import (
    LICENSE_NAMES,
    BadAnswerError,
    InvalidArgumentError,
    IpAvailability,
    IpLicense,
    LicensedServer,
    ReadOnlyClient,
)
from cln_monitor.simulator import Fault, Served, Simulator

from .answering import AnsweringCln, Asked
from .asking import SECRET_KEY, Clients, enveloped
from .samples import MEANT

CREATED = 1398871560.0
ROW = {"ip": "192.0.2.1", "type": 16, "registered": True}


@pytest.fixture
def client(clients: Clients, served: Served) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(served.url)


def answers(simulator: Simulator, body: bytes) -> None:
    """Let the simulator respond to each call with ``body``."""
    simulator.faults.add(Fault("answer", body=body))


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_samples(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """The document's samples of licenses and their servers are decoded."""
    wrap = (lambda sample: enveloped(json.loads(sample))) if enveloping else bytes
    answers(simulator, wrap(MEANT["ipl.list.json"]))
    assert client.ip_licenses.licenses() == [IpLicense("1.1.1.1", 16, False, CREATED)]
    simulator.faults.clear()
    answers(simulator, wrap(MEANT["ipl.server.json"]))
    assert client.ip_licenses.servers(["1.1.1.1"]) == [
        LicensedServer(
            "1.1.1.1",
            1,
            False,
            CREATED,
            last_checkin=CREATED,
            server_info="cloudlinux-release-5 (2.6.18-294.26.1.el5.lve0.8.18)",
        )
    ]


@pytest.mark.parametrize(
    ("row", "license_"),
    [
        ({**ROW, "type": "16", "registered": "true", "created": None}, IpLicense("192.0.2.1", 16, True, None)),
        ({**ROW, "type": 7215, "newer": [1]}, IpLicense("192.0.2.1", 7215, True, None)),
        ({**ROW, "created": "04-30T11:26-0400"}, IpLicense("192.0.2.1", 16, True, None)),
        ({**ROW, "created": {}, "server_info": {"os": 8}}, IpLicense("192.0.2.1", 16, True, None)),
    ],
)
def test_values(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], license_: IpLicense) -> None:
    """Numbers may be strings, optional fields may be missing or odd, and unknown types are numbers."""
    answers(simulator, enveloped([row, row]))
    assert client.ip_licenses.licenses() == [license_]
    assert client.ip_licenses.servers(["192.0.2.1"]) == [
        LicensedServer(
            license_.ip, license_.type, license_.registered, license_.created, last_checkin=UNSET, server_info=""
        )
    ]


@pytest.mark.parametrize(
    ("type_", "name"),
    [(1002, "CloudLinux OS Shared Pro"), (16, "KernelCare"), (5018, "CentOS 7 ELS Complete"), (9999, "9999")],
)
def test_names_of_types(type_: int, name: str) -> None:
    """A type has its documented name, or its number."""
    assert IpLicense("192.0.2.1", type_, True, None).name == name


def test_all_documented_types_have_names() -> None:
    """The 27 types of the document of 2024-10 have names, which differ in letters and digits, as commands take them."""
    assert len(LICENSE_NAMES) == 27
    assert len({re.sub("[^a-z0-9]", "", name.lower()) for name in LICENSE_NAMES.values()}) == 27


@pytest.mark.parametrize("row", [{**ROW, "registered": None}, {key: ROW[key] for key in ROW if key != "registered"}])
def test_use_that_is_not_told(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any]) -> None:
    """A missing ``registered`` is None, and spoils neither the row nor the list."""
    answers(simulator, enveloped([row, {**ROW, "ip": "192.0.2.8", "registered": False}]))
    assert [each.registered for each in client.ip_licenses.licenses()] == [None, False]
    assert client.ip_licenses.servers(["192.0.2.1"])[0].registered is None


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**ROW, "ip": None}, "a row without ip"),
        ({**ROW, "type": None}, "a row without type"),
        ({**ROW, "type": "KernelCare"}, "a row without type"),
        ({**ROW, "registered": "maybe"}, "registered is 'maybe', not true or false"),
        ({**ROW, "registered": 1}, "registered is '1', not true or false"),
        ({**ROW, "registered": ""}, "registered is '', not true or false"),
        ({**ROW, "registered": 0.5}, "registered is '0.5', not true or false"),
        ({**ROW, "registered": SECRET_KEY}, "registered is '<secret>', not true or false"),
    ],
)
def test_rows_of_another_shape(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], problem: str) -> None:
    """The error of an unreadable row names the reason and the call, and shows no secret."""
    answers(simulator, enveloped([row]))
    for call, path in (
        (client.ip_licenses.licenses, "/ipl/list.json"),
        (lambda: client.ip_licenses.servers(["192.0.2.1"]), "/ipl/server.json"),
    ):
        with pytest.raises(BadAnswerError) as raised:
            call()
        assert str(raised.value) == f"reading {path} at {client.api}: unexpected response from CLN: {problem}"


def test_a_hundred_addresses_a_call(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Up to 100 addresses are sent per call, and each license is returned once."""
    answers(simulator, enveloped([ROW]))
    addresses = [f"192.0.{number // 250}.{number % 250}" for number in range(201)]
    assert len(client.ip_licenses.servers(addresses)) == 1
    asked = [request.query["ip"].split(",") for request in simulator.requests]
    assert [len(some) for some in asked] == [100, 100, 1]
    assert [address for some in asked for address in some] == addresses
    assert client.ip_licenses.servers([]) == []


def test_addresses_in_one_spelling(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Given addresses are sent in canonical form, those from a list of CLN unchanged, each once."""
    answers(simulator, enveloped([]))
    listed = [IpLicense(ip, type_, True, None) for ip in ("2001:DB8::3", "odd ip") for type_ in (1, 16)]
    client.ip_licenses.servers(["2001:DB8:0::1", "192.0.2.1", "2001:db8::1", *listed, "192.0.2.1"])
    (request,) = simulator.requests
    assert request.query["ip"] == "2001:db8::1,192.0.2.1,2001:DB8::3,odd ip"


@pytest.mark.parametrize(
    ("addresses", "text"),
    [
        ("192.0.2.1", "addresses: expected a list of strings"),
        (None, "addresses: expected a list of strings"),
        (7, "addresses: expected a list of strings"),
        ([""], "addresses[0]: invalid IP address"),
        (["192.0.2.1", None], "addresses[1]: invalid IP address"),
        (["192.0.2.1,192.0.2.2"], "addresses[0]: invalid IP address"),
        (["fe80::1%eth0"], "addresses[0]: invalid IP address"),
        ([f"192.0.2.{number}" for number in range(200)] + ["192.0.2"], "addresses[200]: invalid IP address"),
        ([IpLicense("", 1, True, None)], "addresses[0]: expected a non-empty string"),
    ],
)
def test_addresses_that_are_none(client: ReadOnlyClient, simulator: Simulator, addresses: Any, text: str) -> None:
    """All addresses are checked before anything is sent, and an invalid one is named by its position."""
    with pytest.raises(InvalidArgumentError) as raised:
        client.ip_licenses.servers(addresses)
    assert str(raised.value).startswith(text)
    assert raised.value.argument == "addresses"
    assert simulator.requests == []


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_samples_about_one_address(clients: Clients, cln: AnsweringCln, enveloping: bool) -> None:
    """The document's samples of available and existing licenses of an address are decoded."""
    wrap = (lambda sample: enveloped(json.loads(sample))) if enveloping else bytes
    licenses = clients.client(cln.url).ip_licenses
    cln.says(wrap(MEANT["ipl.availability.json"]))
    assert licenses.availability("1.1.1.1") == IpAvailability([1, 41, 42, 43, 49], [16])
    for name, types in (("", [1, 16]), (".one", [41]), (".none", [])):
        cln.says(wrap(MEANT[f"ipl.check{name}.json"]))
        assert licenses.check("2001:DB8:0::1") == types
    assert cln.asked[:2] == [
        Asked("GET", "/ipl/availability.json", {"ip": "1.1.1.1"}, with_token=True),
        Asked("GET", "/ipl/check.json", {"ip": "2001:db8::1"}, with_token=True),
    ]


def test_types_of_an_address(clients: Clients, cln: AnsweringCln) -> None:
    """Types may be strings, repeated, or undocumented."""
    licenses = clients.client(cln.url).ip_licenses
    cln.gives(["1", 1, 7215])
    assert licenses.check("192.0.2.1") == [1, 7215]
    cln.gives({"available": ["16"], "owned": [], "newer": None})
    assert licenses.availability("192.0.2.1") == IpAvailability([16], [])


@pytest.mark.parametrize("data", [None, {}, ["KernelCare"], [None], {"available": [1]}, {"available": {}, "owned": []}])
def test_types_that_are_none(clients: Clients, cln: AnsweringCln, data: object) -> None:
    """A value that is not a list of numbers is a bad answer, and not taken for no licenses."""
    licenses = clients.client(cln.url).ip_licenses
    cln.gives(data)
    for call in (licenses.availability, licenses.check):
        with pytest.raises(BadAnswerError):
            call("192.0.2.1")


@pytest.mark.parametrize(
    "ip", ["", "192.0.2", "192.0.2.1/32", " 192.0.2.1", "fe80::1%eth0", "host.example.com", None, 1]
)
def test_address_that_is_none(clients: Clients, cln: AnsweringCln, ip: Any) -> None:
    """An invalid address is refused before anything is sent."""
    licenses = clients.client(cln.url).ip_licenses
    for call in (licenses.availability, licenses.check):
        with pytest.raises(InvalidArgumentError) as raised:
            call(ip)
        assert str(raised.value) == "ip: invalid IP address: use for example 192.0.2.1 or 2001:db8::1"
    assert cln.asked == []
