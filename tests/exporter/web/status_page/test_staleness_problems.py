"""The lists of silent servers."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problem import Problem
from cln_monitor.exporter.web.status_page.staleness_problems import check_in_problems
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server, status_of


def with_hosts(status: ProbeStatus, **names: str) -> ProbeStatus:
    """Return ``status`` with host names by server ID."""
    return replace(status, view=msgspec.structs.replace(status.view, host_names=names))


def found(status: ProbeStatus) -> list[Problem]:
    """Return the check-in problems of ``status``."""
    return list(check_in_problems(status, NOW))


def names(status: ProbeStatus) -> list[list[str]]:
    """Return the items in the details of each problem."""
    return [[] if problem.details is None else list(problem.details.items) for problem in found(status)]


def test_each_kind_has_its_servers() -> None:
    """Servers are listed with host name, address, note of the key, and silence."""
    old, again = server("1", 2 * DAY, ip="192.0.2.9"), server("2", HOUR, NOW - DAY, ip="192.0.2.9")
    servers = [
        server("3", 40 * DAY, ip="192.0.2.3"),
        server("4", 3 * DAY, ip="192.0.2.4"),
        server("5", None, NOW - 2 * DAY, ip="192.0.2.5"),
        server("6", None, ip=""),
        server("7", HOUR, ip="192.0.2.7"),
    ]
    off = key("off", server("8", 2 * DAY, ip="192.0.2.8"), enabled=False)
    status = status_of(kernelcare(key("a", old, again, *servers, note="Web"), off))
    assert names(with_hosts(status, **{"4": "web4.example.net"})) == [
        ['web4.example.net (192.0.2.4), key "Web" (a), silent for 3d'],
        ['192.0.2.5, key "Web" (a), registered 2d ago'],
        ['6, key "Web" (a)'],
        ['192.0.2.3, key "Web" (a), silent for 40d'],
        ['192.0.2.9, key "Web" (a), silent for 2d'],
        ["192.0.2.8, key off, silent for 2d"],
    ]
    assert [problem.since for problem in found(status)] == ["for 3d", "for 2d", "", "for 40d", "for 2d", "for 2d"]
    assert [problem.alert for problem in found(status)] == [
        "ClnServerStale",
        "ClnServersNeverCheckedIn",
        "ClnServersNeverCheckedIn",
        "ClnServersGone",
        "ClnServersGone",
        "",
    ]
    assert {problem.details.link for problem in found(status) if problem.details} == {
        "api/v1/observations/acme/kernelcare"
    }


@pytest.mark.parametrize("age", [2 * DAY, 40 * DAY])
def test_the_first_twenty(age: float) -> None:
    """The twenty longest silent servers are listed, the others counted."""
    fleet = [server(str(place), age + place * HOUR, ip=f"10.0.0.{place}") for place in range(30)]
    fresh = [server(f"f{place}", HOUR, ip=f"10.1.0.{place}") for place in range(300)]
    problem = found(status_of(kernelcare(key("a", *fleet, *fresh))))[-1]
    assert problem.details is not None
    assert (len(problem.details.items), problem.details.more) == (20, 10)
    assert problem.details.items[0].startswith("10.0.0.29, ")
    assert problem.since.startswith("the longest for ")


def test_none_crowds_out_another() -> None:
    """Many servers of other kinds do not crowd out newly silent ones."""
    gone = [server(f"g{place}", 90 * DAY + place, ip=f"10.0.0.{place}") for place in range(200)]
    old = [server(f"o{place}", 20 * DAY + place, ip=f"10.1.0.{place}") for place in range(200)]
    again = [server(f"a{place}", HOUR, NOW - DAY, ip=f"10.1.0.{place}") for place in range(200)]
    silent = [server(f"s{place}", 6 * DAY + place, ip=f"10.2.0.{place}") for place in range(200)]
    off = [server(f"d{place}", 15 * DAY + place, ip=f"10.3.0.{place}") for place in range(200)]
    newly = [server(f"n{place}", 2 * DAY + place, ip=f"10.4.0.{place}") for place in range(200)]
    late = [server(f"l{place}", None, NOW - 50 * DAY, ip=f"10.5.0.{place}") for place in range(200)]
    undated = [server(f"u{place}", None, ip=f"10.6.0.{place}") for place in range(200)]
    active = key("a", *gone, *old, *again, *silent, *newly, *late, *undated)
    status = status_of(kernelcare(active, key("off", *off, enabled=False)))
    first = [{name.rpartition(".")[0].rsplit(",", 1)[0][:5] for name in some} for some in names(status)]
    assert first == [{"10.4."}, {"10.2."}, {"10.5."}, {"10.6."}, {"10.0."}, {"10.1."}, {"10.3."}]
    assert {len(some) for some in names(status)} == {20}


def test_a_whole_key() -> None:
    """A silent key lists its own servers only, including gone ones."""
    a = [server("1", 2 * DAY, ip="192.0.2.1"), server("2", 40 * DAY, ip="192.0.2.2")]
    b = [server("3", 9 * DAY, ip="192.0.2.3"), server("4", HOUR, ip="192.0.2.4")]
    assert names(status_of(kernelcare(key("a", *a), key("b", *b))))[0] == [
        "192.0.2.2, key a, silent for 40d",
        "192.0.2.1, key a, silent for 2d",
    ]


def test_licensed_addresses() -> None:
    """Addresses with IP licenses are listed with their licenses instead of a key."""
    assert names(status_of(licensed(("KernelCare", True, 9 * DAY)))) == [["192.0.2.1, KernelCare, silent for 9d"]]


def test_licensed_addresses_have_host_names_by_address() -> None:
    """Addresses with IP licenses get their host names by address."""
    status = with_hosts(status_of(licensed(("KernelCare", True, 9 * DAY))), **{"192.0.2.1": "a.example.net"})
    assert names(status) == [["a.example.net (192.0.2.1), KernelCare, silent for 9d"]]
