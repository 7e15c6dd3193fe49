"""The summary of an observation."""

from __future__ import annotations

import random

import msgspec
import pytest

from cln_monitor import facts, policy
from cln_monitor.cln import ImunifyServer, Limit
from cln_monitor.exporter.web.status_page.check_ins import CheckIns
from cln_monitor.exporter.web.status_page.server_pools import MOST_SERVERS
from cln_monitor.exporter.web.status_page.summary import (
    KeyUse,
    LicenseUse,
    Summary,
    summarize,
)
from cln_monitor.policy import Severity
from cln_monitor.probes import Caution
from cln_monitor.probes.cloudlinux import CloudLinuxKeyState, CloudLinuxProduct, CloudLinuxServerState
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.registrations import find_superseded
from tests.exporter.metrics.rendering import observed
from tests.helpers.alert_rules import thresholds
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server


def test_kernelcare() -> None:
    """The summary of a key has its sorted check-ins, and its servers by length of silence."""
    summary = summarize(
        kernelcare(
            key("a", server("1", 5), server("2", DAY), server("3", None, NOW - 2 * DAY), limit=9, note="Web"),
            key("b", server("4", HOUR), server("5", None)),
        )
    )
    first, second = summary.keys
    assert (first.product, first.key, first.note, first.used, first.limit) == ("KernelCare", "a", "Web", 3, 9)
    assert [(list(check_ins_.times), check_ins_.never) for check_ins_ in summary.check_ins] == [
        ([NOW - DAY, NOW - 5], 1),
        ([NOW - HOUR], 1),
    ]
    assert (first.check_ins, second.check_ins) == summary.check_ins
    assert [(server_.key, server_.server_id) for server_ in summary.longest] == [
        ("a", "3"),
        ("a", "2"),
        ("b", "4"),
        ("a", "1"),
        ("b", "5"),
    ]


def test_the_longest_of_many() -> None:
    """The longest silent servers are those at the start of the sorted list of all."""
    ages: list[float | None] = [*random.Random(1).sample(range(10_000), 500), *[None] * 9]
    servers = [server(str(number), age, NOW - 9000) for number, age in enumerate(ages)]
    summary = summarize(kernelcare(key("a", *servers[::2]), key("b", *servers[1::2])))
    silences = sorted((9000 if age is None else age for age in ages), reverse=True)
    assert [NOW - server_.since for server_ in summary.longest][:MOST_SERVERS] == silences[:MOST_SERVERS]


def test_before() -> None:
    """Check-ins before a moment are counted without those at the moment."""
    (check_ins,) = summarize(kernelcare(key("a", server("1", 10), server("2", 20), server("3", 20)))).check_ins
    assert [check_ins.before(NOW - age) for age in (30, 20, 19, 10, 0)] == [0, 0, 2, 2, 3]
    assert check_ins.total == 3


def test_host_names_tell_what_is_superseded() -> None:
    """Two servers of one address with different host names do not supersede each other."""
    summary = kernelcare(key("a", server("1", 2 * DAY), server("2", HOUR, NOW - DAY)))
    for other, superseded in (("a", 1), ("b", 0), ("", 1)):
        result = summarize(summary, DAY, {"1": "a", "2": other})
        assert len(find_superseded(result.shared, NOW, DAY)) == superseded


def test_imunify() -> None:
    """Imunify keys have product names and the number of servers that CLN reports, but no times of registration."""
    servers = [ImunifyServer("1", "192.0.2.1", None)]
    summary = summarize(observed({"k": ImunifyKeyServers("k", "360_30", 5, 7, servers)}, probe="imunify"))
    ((use,), (silent,)) = summary.keys, summary.longest
    assert (use.product, use.used, use.limit) == ("Imunify360 up to 30 users", 7, 5)
    assert (silent.created, silent.since) == (None, float("inf"))


def test_els() -> None:
    """ELS servers are counted by key, with their check-ins; those of a key that CLN does not list are left out."""
    moments = (NOW - 9 * DAY, NOW, None)
    servers = [ElsServerState("a", str(number), "192.0.2.1", "", moment) for number, moment in enumerate(moments)]
    servers.append(ElsServerState("gone", "9", "192.0.2.9", "", NOW - 9 * DAY))
    keys = [ElsKeyState("a", 5), ElsKeyState("b", None)]
    product = ElsProduct("ELS CELS7+SLA", keys, servers)
    summary = summarize(observed({"ELS CELS7+SLA": product}, probe="els"))
    name = "Extended Support for CentOS 7 Complete"
    in_use, empty = CheckIns([NOW - 9 * DAY, NOW], 1, registered=[]), CheckIns([], 0, registered=[])
    assert summary.keys == (KeyUse(name, "a", "", 3, 5, in_use), KeyUse(name, "b", "", 0, None, empty))
    assert (summary.check_ins, summary.without_check_ins) == ((in_use, empty), 0)
    assert [(server_.key, server_.server_id) for server_ in summary.longest] == [("a", "0"), ("a", "1"), ("a", "2")]


def test_cloudlinux() -> None:
    """CloudLinux OS keys have their number of servers, which do not check in."""
    servers = [CloudLinuxServerState("a", str(number), "192.0.2.1", "") for number in range(3)]
    servers.append(CloudLinuxServerState("gone", "9", "192.0.2.9", ""))
    keys = [CloudLinuxKeyState("a", 5, "web farm"), CloudLinuxKeyState("b", None)]
    parts = {"CLP": CloudLinuxProduct("CLP", keys, servers), "NEW": CloudLinuxProduct("NEW", keys[1:], [])}
    summary = summarize(observed(parts, probe="cloudlinux"))
    assert summary.keys == (
        KeyUse("CloudLinux OS Shared Pro", "a", "web farm", 3, 5),
        KeyUse("CloudLinux OS Shared Pro", "b", "", 0, None),
        KeyUse("CloudLinux OS NEW", "b", "", 0, None),
    )
    assert (summary.check_ins, summary.longest) == ((), ())


def test_els_without_check_ins() -> None:
    """Servers of an ELS product whose check-ins CLN never reported are counted as such."""
    products = {
        code: ElsProduct(code, [ElsKeyState(code, 5)], [ElsServerState(code, "1", "192.0.2.1", "")])
        for code in ("CELS", "OELS")
    }
    observation = observed(products, probe="els")
    untold = (Caution(facts.CHECKIN_NOT_TOLD, ("lastCheckin of 1 server of CELS",)),)
    parts = (msgspec.structs.replace(observation.parts[0], cautions=untold), observation.parts[1])
    summary = summarize(msgspec.structs.replace(observation, parts=parts))
    assert (summary.without_check_ins, [check_ins.unknown for check_ins in summary.check_ins]) == (1, [1, 1])


def test_ip_licenses() -> None:
    """IP licenses are counted by type; only those in use have an age."""
    summary = summarize(licensed(("KernelCare", True, HOUR), ("KernelCare", True, None), ("KernelCare", False, None)))
    assert summary.licenses == (LicenseUse("KernelCare", 2, 1, 0, (NOW - DAY,)),)
    assert [(server_.key, server_.ip, server_.since) for server_ in summary.longest] == [
        ("KernelCare", "192.0.2.2", NOW - DAY),
        ("KernelCare", "192.0.2.1", NOW - HOUR),
    ]
    unused = summarize(licensed(("KernelCare", False, None)))
    assert (unused.check_ins, unused.longest) == ((), ())


def test_licenses_of_which_cln_does_not_tell_whether_they_are_used() -> None:
    """IP licenses with unknown use are neither used nor unused, but have an age if they checked in."""
    summary = summarize(licensed(("KernelCare", None, HOUR), ("KernelCare", None, None)))
    assert summary.licenses == (LicenseUse("KernelCare", 0, 0, 2),)
    assert [server_.ip for server_ in summary.longest] == ["192.0.2.1"]


def test_check_ins_of_licenses_that_could_not_be_read() -> None:
    """Unreadable check-ins of IP licenses do not count as missing."""
    observation = licensed(("KernelCare", True, HOUR))
    summary = summarize(msgspec.structs.replace(observation, parts=observation.parts[:1]))
    assert (summary.licenses, summary.check_ins) == ((LicenseUse("KernelCare", 1, 0, 0),), ())


@pytest.mark.parametrize("probe", ["status", "patch_status", "groups", "awp"])
def test_others(probe: str) -> None:
    """Other probes have an empty summary."""
    assert summarize(observed({}, probe=probe)) == Summary()


@pytest.mark.parametrize(
    ("used", "limit", "is_full", "severity"),
    [
        (89, 100, False, None),
        (90, 100, False, Severity.WARNING),
        (100, 100, True, Severity.WARNING),
        (101, 100, True, Severity.WARNING),
        (5, 0, False, None),
        (5, None, False, None),
        (5, "many", False, None),
        (0, 2, False, None),
        (1, 1, True, None),
        (2, 2, True, Severity.WARNING),
    ],
)
def test_fullness(used: int, limit: Limit, is_full: bool, severity: Severity | None) -> None:
    """A key is nearly full from 90% on, unless it is unlimited or has a limit of one."""
    use = KeyUse("KernelCare", "a", "", used, limit)
    assert (use.is_full, use.severity) == (is_full, severity)
    assert KeyUse("KernelCare", "a", "", used, limit, enabled=False).severity == (
        None if severity is None else Severity.INFO
    )


def test_the_alerts_call_the_same_keys_full() -> None:
    """The page and the alerts agree on full keys."""
    found = thresholds()
    assert found["nearly_full"] == {policy.NEARLY_FULL / 100}
    assert found["least_limit"] == {policy.LEAST_LIMIT}
