"""Tests of the registry of renderers, and of the series of a target."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cln_monitor.cln import ImunifyServer, KernelCareServer, PatchedHost
from cln_monitor.exporter.metrics import ALL_FAMILIES, RENDERERS
from cln_monitor.exporter.metrics.imunify import SERVER_INFO as IMUNIFY_HOSTS
from cln_monitor.exporter.metrics.ip_licenses import CHECKIN_AGE as LICENSES_AGE
from cln_monitor.exporter.metrics.ip_licenses import HOST_INFO as LICENSE_HOSTS
from cln_monitor.exporter.metrics.kernelcare import CHECKIN_AGE, CREATED, KEY_SERVERS, KEY_SUPERSEDED, LAST_CHECKIN
from cln_monitor.exporter.metrics.kernelcare import SERVER_INFO as HOSTS
from cln_monitor.exporter.metrics.patch_status import HOST
from cln_monitor.exporter.metrics.patch_status import SERVERS as SERVERS_BY_STATE
from cln_monitor.exporter.metrics.probe import DROPPED, INTERVAL, STALE_AFTER
from cln_monitor.exporter.metrics.probe import FAMILIES as PROBE_FAMILIES
from cln_monitor.probes import (
    ALL_PROBES,
    CheckinSettings,
    FirstPoll,
    ImunifyKeyServers,
    IpLicenseList,
    IpLicensesSettings,
)
from cln_monitor.probes.ip_licenses import LicenseCheckin, LicenseState
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.probes.patch_status import PatchState, PatchStatusSettings
from tests.helpers.clock import NOW

from .rendering import observed, rendered, viewed

SERVERS = [KernelCareServer(str(number), "192.0.2.1", NOW, NOW) for number in range(3)]
OBSERVATION = observed({"k": KernelCareKeyServers("k", note="", enabled=True, limit=5, servers=SERVERS)})


def test_each_probe_has_a_renderer() -> None:
    """Each probe has a renderer, and each renderer a probe."""
    assert set(RENDERERS) == set(ALL_PROBES)


def test_all_families_are_exposed() -> None:
    """All families of the renderers and of the probes themselves are listed once."""
    listed = [family for renderer in RENDERERS.values() for family in renderer.families] + list(PROBE_FAMILIES)
    assert sorted(family.name for family in ALL_FAMILIES) == sorted(family.name for family in listed)
    assert len(set(ALL_FAMILIES)) == len(ALL_FAMILIES)


def test_per_server_families() -> None:
    """Families with per-server labels are listed as per-server, and probes with check-ins have some."""
    for name, renderer in RENDERERS.items():
        assert set(renderer.per_server) <= set(renderer.families)
        assert renderer.per_server or not issubclass(ALL_PROBES[name].settings, CheckinSettings)
        assert {family for family in renderer.families if {"server_id", "host"} & set(family.labels)} <= set(
            renderer.per_server
        )


def dropped(texts: object) -> bytes:
    """Return the value of the metric of dropped series."""
    assert isinstance(texts, dict)
    value: bytes = texts[DROPPED].split()[-1]
    return value


def test_without_data() -> None:
    """Without data there are only series of the probe itself."""
    assert set(rendered(viewed(), CheckinSettings(), 100)) == {INTERVAL, DROPPED, STALE_AFTER}


def test_host_names() -> None:
    """Servers with a known host name have it as a label, in per-server series like others."""
    report = replace(viewed(OBSERVATION), host_names={"1": 'web"1', "9": "gone"})
    line = 'cln_kernelcare_server_info{account="acme",key="k",server_id="1",ip="192.0.2.1",hostname="web\\"1"} 1\n'
    assert rendered(report, CheckinSettings(), 7)[HOSTS].decode() == line
    limited = rendered(report, CheckinSettings(), 6)
    assert (limited.get(HOSTS), limited.get(CREATED), dropped(limited)) == (None, None, b"7")
    assert HOSTS not in rendered(report, CheckinSettings(server_series=False))
    key = ImunifyKeyServers("k", "360_30", 5, 3, [ImunifyServer("2", "192.0.2.1", NOW)])
    imunify = observed({"k": key}, probe="imunify")
    assert rendered(replace(viewed(imunify), host_names={"2": "mail"}), CheckinSettings())[IMUNIFY_HOSTS] == (
        b'cln_imunify_server_info{account="acme",key="k",server_id="2",ip="192.0.2.1",hostname="mail"} 1\n'
    )
    licenses = IpLicenseList([LicenseState("192.0.2.1", "CL", registered=True, created=NOW)])
    named = replace(viewed(observed({"licenses": licenses}, probe="ip_licenses")), host_names={"192.0.2.1": "web"})
    assert rendered(named, IpLicensesSettings())[LICENSE_HOSTS] == (
        b'cln_ip_license_host_info{account="acme",ip="192.0.2.1",hostname="web"} 1\n'
    )
    assert LICENSE_HOSTS not in rendered(named, IpLicensesSettings(server_series=False))


def test_families_of_all_parts() -> None:
    """Families that need all parts are left out in a first poll, in which all others are rendered."""
    licenses = IpLicenseList([LicenseState("192.0.2.1", "CL", registered=True, created=NOW)])
    checkins = IpLicenseList([], [LicenseCheckin("192.0.2.1", "CL", NOW)])
    for observation, settings in (
        (OBSERVATION, CheckinSettings()),
        (
            observed({"licenses": licenses, "check-ins 1": checkins}, probe="ip_licenses"),
            IpLicensesSettings(server_series=False),
        ),
    ):
        renderer = RENDERERS[observation.probe]
        assert set(renderer.of_all_parts) <= set(renderer.families)
        whole = rendered(viewed(observation, last_run=NOW), settings, 100)
        first = rendered(viewed(observation, first_poll=FirstPoll(1, 2)), settings, 100)
        left_out = {KEY_SUPERSEDED} if observation is OBSERVATION else {LICENSES_AGE}
        assert set(whole) - set(first) - set(PROBE_FAMILIES) == left_out


@pytest.mark.parametrize(("limit", "count"), [(6, b"0"), (5, b"6"), (0, b"6")])
def test_too_many_per_server_series(limit: int, count: bytes) -> None:
    """Over the limit all per-server series are left out and counted, and a histogram of ages replaces them."""
    texts = rendered(viewed(OBSERVATION), CheckinSettings(), limit)
    assert dropped(texts) == count
    assert ({LAST_CHECKIN, CREATED} & set(texts) == set()) == (CHECKIN_AGE in texts) == (count == b"6")
    assert b'checkin="fresh"} 3' in texts[KEY_SERVERS]


def test_too_many_hosts() -> None:
    """Over the limit the series of hosts are left out without a replacement."""
    hosts = [PatchedHost(f"web{number}", "192.0.2.1", "outofdate") for number in range(3)]
    state = PatchState("key", "k", ok=False, counts={"outofdate": 3}, hosts=hosts)
    texts = rendered(viewed(observed({"k": state}, probe="patch_status")), PatchStatusSettings(), 2)
    assert dropped(texts) == b"3"
    assert HOST not in texts
    assert texts[SERVERS_BY_STATE].endswith(b" 3\n")


def test_disabled_series_are_not_dropped() -> None:
    """Per-server series that are disabled do not count as dropped."""
    assert dropped(rendered(viewed(OBSERVATION), CheckinSettings(server_series=False), 0)) == b"0"
