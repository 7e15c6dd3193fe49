"""Licences bound to an address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cln_monitor.cln import BadAnswer, IpLicense, LicensedServer, ReadOnlyClient
from cln_monitor.simulator import Fault, Served, Simulator

from .asking import SECRET_KEY, Clients, enveloped
from .samples import MEANT

CREATED = 1398871560.0
ROW = {"ip": "192.0.2.1", "type": 16, "registered": True}


@pytest.fixture
def client(clients: Clients, served: Served) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(served.url)


def answers(simulator: Simulator, body: bytes) -> None:
    """Let the simulator answer each call with ``body``."""
    simulator.faults.add(Fault("answer", body=body))


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_samples(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """The document's samples of licences, and of licences with their servers."""
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
    """Numbers may be strings, what is optional may be missing or odd, and a type nobody named is a number."""
    answers(simulator, enveloped([row, row]))
    assert client.ip_licenses.licenses() == [license_]
    assert client.ip_licenses.servers(["192.0.2.1"]) == [
        LicensedServer(
            license_.ip, license_.type, license_.registered, license_.created, last_checkin=None, server_info=""
        )
    ]


@pytest.mark.parametrize(("type_", "name"), [(1002, "CloudLinux OS Shared Pro"), (16, "KernelCare"), (7215, "7215")])
def test_names_of_types(type_: int, name: str) -> None:
    """A type goes by its name in the document, or by its number."""
    assert IpLicense("192.0.2.1", type_, True, None).name == name


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**ROW, "ip": None}, "a row without ip"),
        ({**ROW, "type": None}, "a row without type"),
        ({**ROW, "type": "KernelCare"}, "a row without type"),
        ({**ROW, "registered": "maybe"}, "registered is 'maybe', not true or false"),
        ({**ROW, "registered": SECRET_KEY}, "registered is '<secret>', not true or false"),
    ],
)
def test_rows_of_another_shape(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], problem: str) -> None:
    """A row that cannot be read says why, names the call, and shows no secret."""
    answers(simulator, enveloped([row]))
    for call, path in (
        (client.ip_licenses.licenses, "/ipl/list.json"),
        (lambda: client.ip_licenses.servers(["192.0.2.1"]), "/ipl/server.json"),
    ):
        with pytest.raises(BadAnswer) as raised:
            call()
        assert str(raised.value) == f"reading {path} at {client.api}: not an answer of CLN: {problem}"


def test_a_hundred_addresses_a_call(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Addresses are asked about a hundred at a time, and each licence is there once."""
    answers(simulator, enveloped([ROW]))
    addresses = [f"192.0.{number // 250}.{number % 250}" for number in range(201)]
    assert len(client.ip_licenses.servers(addresses)) == 1
    asked = [request.query["ip"].split(",") for request in simulator.requests]
    assert [len(some) for some in asked] == [100, 100, 1]
    assert [address for some in asked for address in some] == addresses
    assert client.ip_licenses.servers([]) == []
