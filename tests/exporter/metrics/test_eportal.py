"""Tests of the metrics of ePortals and of CVE coverage."""

from __future__ import annotations

from msgspec.structs import replace

from cln_monitor.exporter.metrics.eportal import render
from cln_monitor.patches import LivePatch
from cln_monitor.probes import EportalFleet, EportalServerState, EportalSettings
from tests.helpers.clock import NOW

from .rendering import observed, text_of

HOUR = 3600
KERNEL, OTHER = "1a" * 20, "2b" * 20
ONE = EportalServerState(
    "id1",
    "k1",
    "main",
    "10.0.4.7",
    'app"1"',
    NOW - HOUR,
    NOW - 5 * HOUR,
    "4.18.0-553.90.1.el8",
    "4.18.0-553.el8",
    KERNEL,
    31,
    "3.4-1",
    "AlmaLinux 8.10",
    is_updated=True,
)
TWO = EportalServerState("id2", "k1", "main", "10.0.4.8", "app1", NOW - 60 * HOUR, kernel_id=KERNEL, patch_level=30)
THREE = EportalServerState("id3", "k2", "late", "10.0.4.9", "app3", None, kernel_id=OTHER, patch_level=0)
FOUR = EportalServerState("id4", "k2", "late", "10.0.4.10", "app4")
FLEET = EportalFleet(
    [ONE, replace(TWO, is_updated=False), replace(THREE, is_updated=False), replace(FOUR, is_updated=True)],
    [LivePatch(KERNEL, 31, ("CVE-2026-11111",), built_at=NOW - 48 * HOUR), LivePatch(KERNEL, 30, ())],
    {KERNEL: 31},
    ["CVE-2026-11111", "CVE-2026-22222"],
)


def _text(fleet: EportalFleet = FLEET, settings: EportalSettings | None = None) -> str:
    return text_of(render, observed({"servers": fleet}, account="dc1", probe="eportal"), settings or EportalSettings())


def test_all_series() -> None:
    """Each server has the series of what is known about it; states, patches and CVEs are counted."""
    server = 'account="dc1",key="k1",feed="main",server_id="id1",hostname="app\\"1\\"",ip="10.0.4.7"'
    kernels = f'effective_kernel="4.18.0-553.90.1.el8",running_kernel="4.18.0-553.el8",kernel_id="{KERNEL}"'
    two = 'account="dc1",key="k1",feed="main",server_id="id2",hostname="app1",ip="10.0.4.8"'
    three = 'account="dc1",key="k2",feed="late",server_id="id3",hostname="app3",ip="10.0.4.9"'
    four = 'account="dc1",key="k2",feed="late",server_id="id4",hostname="app4",ip="10.0.4.10"'
    no_kernels = 'effective_kernel="",running_kernel=""'
    assert sorted(_text().splitlines()) == sorted(
        f"""\
cln_eportal_servers{{account="dc1",state="total"}} 4
cln_eportal_servers{{account="dc1",state="updated"}} 2
cln_eportal_servers{{account="dc1",state="outdated"}} 2
cln_eportal_servers{{account="dc1",state="silent"}} 1
cln_eportal_patch_servers{{account="dc1",feed="late",kernel_id="",patch_level=""}} 1
cln_eportal_patch_servers{{account="dc1",feed="late",kernel_id="{OTHER}",patch_level="0"}} 1
cln_eportal_patch_servers{{account="dc1",feed="main",kernel_id="{KERNEL}",patch_level="30"}} 1
cln_eportal_patch_servers{{account="dc1",feed="main",kernel_id="{KERNEL}",patch_level="31"}} 1
cln_patch_built_timestamp_seconds{{kernel_id="{KERNEL}",patch_level="31"}} {int(NOW - 48 * HOUR)}
cln_cve_servers{{account="dc1",cve="CVE-2026-11111",state="fixed"}} 1
cln_cve_servers{{account="dc1",cve="CVE-2026-11111",state="not_fixed"}} 2
cln_cve_servers{{account="dc1",cve="CVE-2026-11111",state="unknown"}} 1
cln_cve_servers{{account="dc1",cve="CVE-2026-22222",state="fixed"}} 0
cln_cve_servers{{account="dc1",cve="CVE-2026-22222",state="not_fixed"}} 3
cln_cve_servers{{account="dc1",cve="CVE-2026-22222",state="unknown"}} 1
cln_eportal_server_info{{{server},{kernels},patch_level="31",kcare_version="3.4-1",distro="AlmaLinux 8.10"}} 1
cln_eportal_server_last_checkin_timestamp_seconds{{{server}}} {int(NOW - HOUR)}
cln_eportal_server_patched_timestamp_seconds{{{server}}} {int(NOW - 5 * HOUR)}
cln_eportal_server_patch_level{{{server}}} 31
cln_eportal_server_patch_built_timestamp_seconds{{{server}}} {int(NOW - 48 * HOUR)}
cln_eportal_server_info{{{two},{no_kernels},kernel_id="{KERNEL}",patch_level="30",kcare_version="",distro=""}} 1
cln_eportal_server_last_checkin_timestamp_seconds{{{two}}} {int(NOW - 60 * HOUR)}
cln_eportal_server_patch_level{{{two}}} 30
cln_eportal_server_outdated{{{two}}} 1
cln_eportal_server_info{{{three},{no_kernels},kernel_id="{OTHER}",patch_level="0",kcare_version="",distro=""}} 1
cln_eportal_server_patch_level{{{three}}} 0
cln_eportal_server_outdated{{{three}}} 1
cln_eportal_server_info{{{four},{no_kernels},kernel_id="",patch_level="",kcare_version="",distro=""}} 1
""".splitlines()
    )


def test_patches_are_unknown() -> None:
    """Without the patch server no CVE is fixed, and only a server without a patch is known not to have a fix."""
    text = _text(replace(FLEET, patches=[], newest={}))
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-11111",state="fixed"} 0\n' in text
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-11111",state="not_fixed"} 1\n' in text
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-11111",state="unknown"} 3\n' in text
    assert "patch_built" not in text
    assert text.count("cln_eportal_server_patch_level{") == 3


def test_not_judged() -> None:
    """If the ePortal has not judged some servers, how many are up to date is absent and not 0."""
    text = _text(replace(FLEET, servers=[replace(ONE, is_updated=None), replace(TWO, is_updated=False)]))
    assert 'state="updated"' not in text
    assert 'cln_eportal_servers{account="dc1",state="outdated"} 1\n' in text
    text = _text(replace(FLEET, servers=[replace(ONE, is_updated=None)]))
    assert 'state="outdated"' not in text
    assert 'cln_eportal_servers{account="dc1",state="total"} 1\n' in text


def test_empty() -> None:
    """An ePortal without servers has zeros."""
    text = _text(EportalFleet([], cves=["CVE-2026-11111"]))
    assert 'cln_eportal_servers{account="dc1",state="total"} 0\n' in text
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-11111",state="not_fixed"} 0\n' in text


def test_without_server_series() -> None:
    """Without per-server series, a histogram has the ages of the check-ins."""
    text = _text(settings=EportalSettings(server_series=False))
    assert "cln_eportal_server_info" not in text
    assert 'cln_eportal_server_checkin_age_seconds_bucket{account="dc1",le="3600"} 1\n' in text
    assert 'cln_eportal_server_checkin_age_seconds_bucket{account="dc1",le="+Inf"} 2\n' in text
    assert 'cln_eportal_servers{account="dc1",state="total"} 4\n' in text
