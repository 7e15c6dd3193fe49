"""The current problems, the most severe first."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.cln import PatchedHost
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problem import Details, Problem
from cln_monitor.exporter.web.status_page.problems import problems, shortened
from cln_monitor.policy import Severity
from cln_monitor.probes import Failure
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseState
from cln_monitor.probes.patch_status import PatchState
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server, status_of

CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
OLD = NOW - 30 * DAY
TIMEOUT = Failure("timeout", "reading /kcare/key/list.json at h: no whole answer within 15s")


def problem_tuples(*targets: ProbeStatus, now: float = NOW) -> list[tuple[Severity, str, str]]:
    """Return the problems of these targets as tuples."""
    return [(problem.severity, problem.kind, problem.text) for problem in problems(targets, now)]


def test_nothing() -> None:
    """Fresh servers, keys below their limit, and probes that have not run yet are no problem."""
    assert problem_tuples(status_of(kernelcare(key("a", server("1", HOUR), limit=2)))) == []
    assert problem_tuples(status_of(last_run=None, last_success=None)) == []


def test_a_flag_of_cln() -> None:
    """A bad flag is a problem with its value."""
    flags = [StatusFlag("xmlrpc", True, True), StatusFlag("rhn_overloaded", True, False)]
    target = status_of(observed({"flags": flags}, probe="status", account=""))
    text = "CLN at cln.example.net reports: rhn_overloaded is true"
    assert problem_tuples(target) == [(WARNING, "cln", text)]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (89, []),
        (90, [(WARNING, "keys", 'KernelCare key "Web" (a) of acme is nearly full (90/100)')]),
        (100, [(WARNING, "keys", 'KernelCare key "Web" (a) of acme is full (100/100)')]),
    ],
)
def test_keys(used: int, expected: list[tuple[Severity, str, str]]) -> None:
    """Full and nearly full keys are problems; for disabled keys they are informational."""
    servers = [server(str(number), HOUR) for number in range(used)]
    assert problem_tuples(status_of(kernelcare(key("a", *servers, limit=100, note="Web")))) == expected
    off = problem_tuples(status_of(kernelcare(key("a", *servers, limit=100, note="Web", enabled=False))))
    assert off == [(INFO, kind, f"Disabled {text}") for _, kind, text in expected]


def test_a_key_of_one() -> None:
    """A full key with a limit of one is no problem."""
    assert problem_tuples(status_of(kernelcare(key("a", server("1", HOUR), limit=1)))) == []


def test_check_ins() -> None:
    """Silent servers and servers that never checked in are counted over all keys."""
    target = status_of(
        kernelcare(
            key("a", server("1", DAY + 1), server("2", DAY)), key("b", server("3", 9 * DAY), server("4", None, OLD))
        )
    )
    assert problem_tuples(target) == [
        (WARNING, "check-ins", "2 KernelCare servers of acme have not checked in for over 1d"),
        (WARNING, "check-ins", "1 KernelCare server of acme has never checked in"),
    ]
    fresh = kernelcare(key("a", server("1", HOUR), server("2", None, OLD), server("3", None, OLD)))
    assert problem_tuples(status_of(fresh)) == [
        (WARNING, "check-ins", "2 KernelCare servers of acme have never checked in")
    ]
    new = kernelcare(key("a", server("1", HOUR), server("2", None, created=NOW - HOUR)))
    assert problem_tuples(status_of(new)) == []
    undated = kernelcare(key("a", server("1", HOUR), server("2", None, created=None)))
    assert problem_tuples(status_of(undated)) == [
        (INFO, "check-ins", "1 KernelCare server of acme has not checked in yet")
    ]


def test_silence_that_is_critical() -> None:
    """A key without any check-in, and many newly silent servers, are one critical problem each."""
    silent = [server(str(number), 2 * DAY) for number in range(5)]
    fresh = [server(f"f{number}", HOUR) for number in range(45)]
    target = status_of(
        kernelcare(key("a", *silent[:2], note="Web"), key("b", *silent[2:4]), key("c", *silent[4:], *fresh))
    )
    stale = "KernelCare servers of acme have not checked in for over 1d"
    assert problem_tuples(target) == [
        (CRITICAL, "check-ins", 'No server of key "Web" (a) of acme checks in anymore: 2 servers'),
        (CRITICAL, "check-ins", "No server of key b of acme checks in anymore: 2 servers"),
        (WARNING, "check-ins", f"5 {stale}"),
    ]
    target = status_of(kernelcare(key("c", *silent, *fresh[:44])))
    assert problem_tuples(target) == [
        (CRITICAL, "check-ins", "5 of 49 KernelCare servers of acme stopped checking in within the last 4d"),
        (WARNING, "check-ins", f"5 {stale}"),
    ]


def test_silence_worth_a_word() -> None:
    """Servers that are gone, superseded, or on disabled keys are informational."""
    old, again = server("1", 2 * DAY, ip="192.0.2.9"), server("2", HOUR, NOW - DAY, ip="192.0.2.9")
    gone = [server(str(number), 31 * DAY, ip=f"192.0.2.{number}") for number in (3, 4)]
    off = key("off", server("5", 2 * DAY), server("6", None, OLD), enabled=False)
    assert problem_tuples(status_of(kernelcare(key("a", old, again, *gone), off))) == [
        (INFO, "check-ins", "2 KernelCare servers of acme have been silent for over 30d, still billed"),
        (INFO, "check-ins", "1 KernelCare server of acme is superseded by a newer registration"),
        (INFO, "check-ins", "2 KernelCare servers of acme are silent on disabled keys"),
    ]


def patched(*states: PatchState) -> ProbeStatus:
    """Return the patch status of an account."""
    return status_of(observed({f"{state.scope} {state.key}": state for state in states}, probe="patch_status"))


def test_kernels() -> None:
    """Patch states are counted for the whole account if known, else as the sum over keys."""
    of_key = PatchState("key", "a", ok=False, counts={"uptodate": 5, "outofdate": 2, "inactive": 0}, hosts=[])
    other = PatchState("key", "b", ok=False, counts={"uptodate": 1, "unsupported": 1}, hosts=[])
    whole = PatchState("reseller", "", ok=False, counts={"uptodate": 9, "unsupported": 3}, hosts=[])
    two, one = (
        "2 servers of acme have an unpatched kernel",
        "servers of acme have a kernel that KernelCare does not support",
    )
    assert problem_tuples(patched(of_key, other)) == [
        (WARNING, "kernels", two),
        (WARNING, "kernels", "1 server of acme has a kernel that KernelCare does not support"),
    ]
    assert problem_tuples(patched(of_key, other, whole)) == [(WARNING, "kernels", f"3 {one}")]


def test_kernels_without_counts() -> None:
    """A bad patch state without counts is a problem."""
    states = [PatchState("key", "a", ok=False, counts=None, hosts=[]), PatchState("reseller", "", True, None, [])]
    text = "CLN reports that not all kernels of key a of acme are up to date"
    assert problem_tuples(patched(*states)) == [(WARNING, "kernels", text)]


def test_hosts_of_kernels() -> None:
    """Hosts are listed by state without duplicates; up-to-date ones are not."""
    hosts = [PatchedHost(f"h{place}", f"10.0.0.{place}", "outofdate") for place in range(30)]
    odd = [PatchedHost("", "10.1.0.1", "unsupported"), PatchedHost("h", "", "unsupported"), PatchedHost("", "", "odd")]
    counts = {"uptodate": 5, "outofdate": 30, "unsupported": 3, "odd": 1}
    a = PatchState("key", "a", ok=False, counts=counts, hosts=[PatchedHost("fine", "10.2.0.1", "uptodate"), *hosts])
    b = PatchState("key", "b", ok=False, counts=None, hosts=[*hosts[:3], *odd])
    outofdate, unsupported, other = problems([patched(a, b)], NOW)
    assert [problem.alert for problem in (outofdate, unsupported, other)] == [
        "ClnServersOutOfDate",
        "ClnServersUnsupported",
        "",
    ]
    link = "api/v1/observations/acme/patch_status"
    assert outofdate.details == Details([f"h{place} (10.0.0.{place})" for place in range(20)], 10, link)
    assert unsupported.details == Details(["10.1.0.1", "h"], 1, link)
    assert other.text == "KernelCare reports the state odd for 1 server of acme"
    assert other.details == Details(["no name"], 0, link)


@pytest.mark.parametrize(("created", "is_told"), [(7 * DAY, True), (7 * DAY - 1, False)])
def test_licenses(created: float, is_told: bool) -> None:
    """IP licenses unused for long are a problem."""
    target = status_of(licensed(*[("KernelCare", number > 2, HOUR) for number in range(5)], created=created))
    text = "3 IP licenses of acme unused for 7d or longer"
    assert problem_tuples(target) == ([(INFO, "licenses", text)] if is_told else [])


def test_unused_licenses_by_name() -> None:
    """Unused licenses are listed with type and creation date, oldest first; new ones are not."""
    states = [LicenseState(f"10.0.0.{place}", "KernelCare", False, NOW - (8 + place) * DAY) for place in range(30)]
    states += [LicenseState("10.1.0.1", "KernelCare", False, NOW - DAY), LicenseState("10.2.0.1", "5010", False, None)]
    (problem,) = problems([status_of(observed({"licenses": IpLicenseList(states)}, probe="ip_licenses"))], NOW)
    assert problem.details is not None
    assert problem.details.items[:2] == ["10.2.0.1: 5010", "10.0.0.29: KernelCare, since 2024-03-24"]
    assert (len(problem.details.items), problem.details.more) == (20, 11)
    assert problem.alert == "ClnIpLicensesUnused"


def unused(*states: tuple[str, str, float | None]) -> Details:
    """Return the details of unused licenses: address, type, and days since creation of each."""
    licenses = [LicenseState(ip, name, False, age and NOW - age * DAY) for ip, name, age in states]
    (problem,) = problems([status_of(observed({"licenses": IpLicenseList(licenses)}, probe="ip_licenses"))], NOW)
    assert problem.details is not None
    return problem.details


def test_an_address_is_named_once() -> None:
    """Each address is listed once with its unused licenses, and a common date once."""
    imunify = "Imunify360 up to 30 users"
    details = unused(
        ("192.0.2.215", "CloudLinux OS", 40),
        ("192.0.2.216", "CloudLinux OS", 30),
        ("192.0.2.215", imunify, 40),
        ("192.0.2.216", imunify, 20),
        ("192.0.2.217", "CloudLinux OS", 10),
        ("192.0.2.217", "KernelCare", 1),
        ("192.0.2.218", "KernelCare", None),
        ("192.0.2.218", imunify, 9),
    )
    assert details.items == [
        f"192.0.2.218: KernelCare, {imunify} since 2024-04-21",
        f"192.0.2.215: CloudLinux OS, {imunify}, since 2024-03-21",
        f"192.0.2.216: CloudLinux OS since 2024-03-31, {imunify} since 2024-04-10",
        "192.0.2.217: CloudLinux OS, since 2024-04-20",
    ]
    assert details.more == 0


def test_licenses_of_addresses_that_are_left_out() -> None:
    """Licenses of omitted addresses are counted; listed addresses have all of their licenses."""
    many = [(f"10.0.0.{place}", "KernelCare", 100.0 - place) for place in range(30)]
    details = unused(*many, ("10.0.0.0", "CloudLinux OS", 8.0), ("10.0.0.29", "CloudLinux OS", 8.0))
    assert details.items[0] == "10.0.0.0: KernelCare since 2024-01-21, CloudLinux OS since 2024-04-22"
    assert (len(details.items), details.more) == (20, 11)


def test_licenses_without_an_address() -> None:
    """Licenses without an address are one line of limited length."""
    details = unused(*[("", f"license {place:02}", None) for place in range(90)], ("", "license 00", None))
    assert details.items == ["no address: license 00, license 01, license 02, license 03, license 04 and 85 more"]
    assert details.more == 0


def test_licenses_of_which_cln_does_not_tell_whether_they_are_used() -> None:
    """IP licenses with unknown use are informational."""
    target = status_of(licensed(("KernelCare", None, None), ("KernelCare", True, HOUR)))
    assert problem_tuples(target) == [(INFO, "licenses", "CLN does not report whether 1 IP license of acme is used")]
    (problem,) = problems([target], NOW)
    assert problem.details == Details(["192.0.2.1: KernelCare"], 0, "api/v1/observations/acme/ip_licenses")


def test_the_worst_comes_first() -> None:
    """Problems are sorted by severity, then in the order of the page."""
    full = kernelcare(key("a", server("1", 2 * DAY), server("2", HOUR), limit=2))
    flags = observed({"flags": [StatusFlag("xmlrpc", False, False)]}, probe="status", account="")
    unused = licensed(("KernelCare", False, None), created=8 * DAY)
    refused = status_of(probe="els", failure=Failure("auth", "no"))
    found = problem_tuples(
        status_of(unused), status_of(full), status_of(probe="imunify", failure=TIMEOUT), status_of(flags), refused
    )
    assert [(severity, kind) for severity, kind, _ in found] == [
        (CRITICAL, "probes"),
        (WARNING, "cln"),
        (WARNING, "probes"),
        (WARNING, "check-ins"),
        (WARNING, "keys"),
        (INFO, "licenses"),
    ]


def test_many_of_a_kind() -> None:
    """The first problems of a kind are listed, and the others are counted."""
    keys = [key(f"k{number}", server("1", HOUR), server("2", HOUR), limit=2) for number in range(20)]
    found = problems([status_of(kernelcare(*keys))], NOW)
    assert len(found) == 20
    shown = shortened(found)
    assert [problem.text for problem in shown[7:]] == [found[7].text, "and 12 more problems of the keys"]
    assert shortened(found[:8]) == found[:8]
    assert shown[-1] == Problem(WARNING, "keys", "and 12 more problems of the keys")


def test_what_is_kept_of_a_failing_key_is_judged_as_well() -> None:
    """Data of a failing key are still evaluated."""
    observation = msgspec.structs.replace(kernelcare(key("a", server("1", 2 * DAY))))
    kinds = [kind for _, kind, _ in problem_tuples(status_of(observation, failure=TIMEOUT))]
    assert kinds == ["probes", "check-ins"]
