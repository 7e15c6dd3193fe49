"""The current problems on the overview: one case per row of the policy, and one just below its threshold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.dashboard_cases import (
    DAY,
    HEALTHY,
    HOUR,
    IMUNIFY,
    KERNELCARE,
    NOW,
    Samples,
    Series,
    check,
    info,
    license_of,
    row,
    silent,
    use,
)

pytestmark = pytest.mark.needs_server("prometheus")


TROUBLES: dict[str, tuple[Series, Samples]] = {
    "nothing": ({}, {}),
    "an exporter that is down": (
        {'up{job="cln",instance="1"}': "0"},
        {row(1, "Exporter is down", "exporter", "exporter", account=""): 1},
    ),
    "the credentials": (
        {
            'cln_probe_success{api="c",account="a",probe="kernelcare"}': "0",
            'cln_probe_failures_total{api="c",account="a",probe="kernelcare",reason="auth"}': "0+1x10",
        },
        {row(1, "CLN refuses the credentials", "kernelcare", "exporter"): 1},
    ),
    "a flag, at one of two exporters": (
        {'cln_status_ok{api="c",flag="xmlrpc",instance="2"}': "0"},
        {row(2, "CLN reports a problem of its own", "xmlrpc", "exporter", account=""): 1},
    ),
    "a probe, at one of two exporters": (
        {'cln_probe_success{api="c",account="a",probe="kernelcare",instance="2"}': "0"},
        {row(2, "Probe is failing", "kernelcare", "exporter"): 1},
    ),
    "a probe in its first poll": (
        {
            'cln_probe_success{api="c",account="a",probe="kernelcare"}': "0",
            'cln_probe_first_poll_ratio{api="c",account="a",probe="kernelcare"}': "0.5",
        },
        {},
    ),
    "a probe that does not run": (
        {'cln_probe_last_run_timestamp_seconds{api="c",account="a",probe="kernelcare"}': f"{NOW - 181}"},
        {row(2, "Probe is late", "kernelcare", "exporter"): 1},
    ),
    "a probe that just runs": (
        {'cln_probe_last_run_timestamp_seconds{api="c",account="a",probe="kernelcare"}': f"{NOW - 180}"},
        {},
    ),
    "the configuration": (
        {"cln_exporter_config_last_reload_successful": "0"},
        {row(2, "Configuration not loaded", "exporter", "exporter", account=""): 1},
    ),
    "TLS, state, clock and series": (
        {
            "cln_exporter_tls_verification_disabled": "1",
            "cln_exporter_state_write_failures_total": "0+1x10",
            'cln_api_clock_skew_seconds{api="c"}': "-301",
            'cln_probe_server_series_dropped{api="c",account="a",probe="kernelcare"}': "7",
        },
        {
            row(2, "TLS verification is disabled", "exporter", "exporter", account=""): 1,
            row(2, "State could not be written", "exporter", "exporter", account=""): 1,
            row(2, "CLN's clock differs", "exporter", "exporter", account=""): 1,
            row(2, "Per-server series are dropped", "kernelcare", "exporter"): 7,
        },
    ),
    "odd answers": (
        {
            'cln_probe_cautions{api="c",account="a",probe="kernelcare",fact="servers_gone"}': "1",
            'cln_probe_cautions{api="c",account="a",probe="kernelcare",fact="checkin_ahead"}': "2",
            'cln_probe_cautions{api="c",account="a",probe="kernelcare",fact="limit_not_told"}': "3",
        },
        {
            row(1, "No servers are listed anymore", "kernelcare", "exporter"): 1,
            row(2, "Responses have unexpected data", "kernelcare", "exporter"): 2,
            row(3, "CLN returns incomplete data", "kernelcare", "exporter"): 3,
        },
    ),
    "a key that is nearly full": (
        {'cln_kernelcare_key_servers{account="a",key="k",checkin="fresh"}': "90"},
        {row(2, "Keys are nearly full", "kernelcare", "licenses"): 1},
    ),
    "a key that is full": (
        {'cln_kernelcare_key_servers_limit{account="a",key="k"}': "89"},
        {row(2, "Keys are full", "kernelcare", "licenses"): 1},
    ),
    "keys of one server, without a limit, and empty": (
        use("kernelcare", 1, 1)
        | use("imunify", 1, 1)
        | use("imunify", 9, "+Inf", "v")
        | use("els", 0, 2, product="p")
        | use("cloudlinux", 1, 1, product="p"),
        {},
    ),
    "keys of two servers": (
        use("kernelcare", 2, 2)
        | use("imunify", 2, 2)
        | use("els", 2, 2, product="p")
        | use("cloudlinux", 2, 2, product="p"),
        {row(2, "Keys are full", family, "licenses"): 1 for family in ("kernelcare", "imunify", "els", "cloudlinux")},
    ),
    "a key of CloudLinux OS that is nearly full": (
        use("cloudlinux", 9, 10, product="p"),
        {row(2, "Keys are nearly full", "cloudlinux", "licenses"): 1},
    ),
    "a key of Imunify that is full by what is reported": (
        use("imunify", 1, 2) | {'cln_imunify_key_servers_reported{account="a",key="u"}': "2"},
        {row(2, "Keys are full", "imunify", "licenses"): 1},
    ),
    "a disabled key that is full": (
        use("kernelcare", 2, 2) | info("u", enabled=False),
        {row(3, "Disabled keys are full or nearly full", "kernelcare", "licenses"): 1},
    ),
    "an ePortal": (
        {
            'cln_eportal_servers{account="e",state="outdated"}': "3",
            'cln_eportal_servers{account="e",state="silent"}': "2",
            'cln_cve_servers{account="e",cve="one",state="not_fixed"}': "5",
            'cln_cve_servers{account="e",cve="one",state="unknown"}': "7",
            'cln_cve_servers{account="e",cve="two",state="not_fixed"}': "0",
            'cln_cve_servers{account="e",cve="two",state="unknown"}': "9",
        },
        {
            row(2, "CVEs are not fixed by live patches", "eportal", "patches", account="e"): 1,
            row(2, "Fixes of CVEs are unknown", "eportal", "patches", account="e"): 1,
            row(2, "Live patches are out of date", "eportal", "patches", account="e"): 3,
            row(2, "Servers are silent", "eportal", "patches", account="e"): 2,
        },
    ),
    "an ePortal that is up to date": (
        {
            'cln_eportal_servers{account="e",state="outdated"}': "0",
            'cln_eportal_servers{account="e",state="silent"}': "0",
            'cln_cve_servers{account="e",cve="one",state="not_fixed"}': "0",
            'cln_cve_servers{account="e",cve="one",state="unknown"}': "0",
        },
        {},
    ),
    "IP licenses": (
        license_of("i", "l", 0, created=7 * DAY)
        | {'cln_ip_licenses{account="a",license="l",registered="unknown"}': "2"},
        {
            row(3, "IP licenses are unused", "ip_license", "licenses"): 1,
            row(3, "Use of IP licenses is unknown", "ip_license", "licenses"): 2,
        },
    ),
    "an IP license that is new": (license_of("i", "l", 0, created=7 * DAY - 60), {}),
    "IP licenses without series of each": (
        {'cln_ip_licenses{account="a",license="l",registered="false"}': "4"},
        {row(3, "IP licenses are unused", "ip_license", "licenses"): 4},
    ),
    "AccelerateWP": (
        {'cln_awp_billable{account="a",product="p",cdn_limit="",period="current"}': "31"},
        {row(3, "AccelerateWP bill jumped", "p", "licenses"): 11},
    ),
    "AccelerateWP of few": (
        {
            'cln_awp_billable{account="a",product="p",cdn_limit="",period="current"}': "14",
            'cln_awp_billable{account="a",product="p",cdn_limit="",period="previous"}': "5",
        },
        {},
    ),
    "servers just fresh": (silent(KERNELCARE, DAY) | silent(IMUNIFY, DAY) | license_of("i", "l", 1, 3 * DAY), {}),
    "servers just silent": (
        silent(KERNELCARE, DAY + 1, 30 * DAY)
        | silent(IMUNIFY, DAY + 1, HOUR)
        | license_of("i", "l", 1, 3 * DAY + 1)
        | silent(KERNELCARE, HOUR, name="f"),
        {
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 2,
            row(2, "Servers are silent", "imunify", "imunify"): 1,
            row(2, "Servers are silent", "ip_license", "licenses"): 1,
        },
    ),
    "servers just gone": (
        silent(KERNELCARE, 30 * DAY + 1) | silent(IMUNIFY, 31 * DAY) | license_of("i", "l", 1, 31 * DAY),
        {
            row(3, "Gone servers to remove", "kernelcare", "kernelcare"): 1,
            row(3, "Gone servers to remove", "imunify", "imunify"): 1,
            row(3, "Gone servers to remove", "ip_license", "licenses"): 1,
        },
    ),
    "an address with several licenses is one server": (
        license_of("i", "l", 1, 4 * DAY) | license_of("i", "m", 1, HOUR) | license_of("i", "n", 0, 90 * DAY),
        {
            row(2, "Servers are silent", "ip_license", "licenses"): 1,
            row(3, "IP licenses are unused", "ip_license", "licenses"): 1,
        },
    ),
    "servers of a disabled key": (
        silent(KERNELCARE, 2 * DAY, 40 * DAY) | info("k", enabled=False),
        {row(3, "Silent on disabled keys", "kernelcare", "kernelcare"): 2},
    ),
    "a key that fell silent": (
        silent(KERNELCARE, DAY + 1, 9 * DAY) | silent(IMUNIFY, 4 * DAY, 9 * DAY) | use("imunify", 2, "+Inf", "k"),
        {
            row(1, "Keys without any check-in", "kernelcare", "kernelcare"): 1,
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 2,
            row(1, "Keys without any check-in", "imunify", "imunify"): 1,
            row(2, "Servers are silent", "imunify", "imunify"): 2,
        },
    ),
    "a key that fell silent a while ago": (
        silent(KERNELCARE, 4 * DAY + 1, 9 * DAY) | silent(IMUNIFY, 2 * DAY) | use("imunify", 1, "+Inf", "k"),
        {
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 2,
            row(2, "Servers are silent", "imunify", "imunify"): 1,
        },
    ),
    "a key of one server, as the other is superseded": (
        silent(KERNELCARE, 2 * DAY, key="l")
        | use("kernelcare", 2, "+Inf", "l")
        | {'cln_kernelcare_key_servers_superseded{account="a",key="l"}': "1"},
        {row(2, "Servers are silent", "kernelcare", "kernelcare"): 1},
    ),
    "many servers that fell silent": (
        silent(IMUNIFY, *[2 * DAY] * 5, HOUR) | use("imunify", 49, "+Inf", "k"),
        {
            row(1, "Many servers stopped checking in", "imunify", "imunify"): 5,
            row(2, "Servers are silent", "imunify", "imunify"): 5,
        },
    ),
    "not so many": (
        silent(IMUNIFY, *[2 * DAY] * 5, HOUR) | use("imunify", 50, "+Inf", "k"),
        {row(2, "Servers are silent", "imunify", "imunify"): 5},
    ),
    "26 of a large fleet": (
        silent(KERNELCARE, *[2 * DAY] * 26, HOUR) | use("kernelcare", 9999, "+Inf", "k"),
        {
            row(1, "Many servers stopped checking in", "kernelcare", "kernelcare"): 26,
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 26,
        },
    ),
    "26 dead registrations and a 27th": (
        silent(KERNELCARE, *[90 * DAY] * 26, HOUR, 2 * DAY) | use("kernelcare", 28, "+Inf", "k"),
        {
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 1,
            row(3, "Gone servers to remove", "kernelcare", "kernelcare"): 26,
        },
    ),
    "servers never checked in": (
        {
            f'{KERNELCARE}_created_timestamp_seconds{{account="a",key="k",server_id="n",ip="n"}}': f"{NOW - DAY - 1}",
            f'{KERNELCARE}_created_timestamp_seconds{{account="a",key="k",server_id="o",ip="o"}}': f"{NOW - DAY}",
            'cln_imunify_key_servers{account="a",key="i",checkin="never"}': "2",
        }
        | license_of("i", "l", 1, created=2 * DAY)
        | license_of("j", "l", 1, created=HOUR),
        {
            row(2, "Servers never checked in", "kernelcare", "kernelcare"): 1,
            row(3, "Servers never checked in", "imunify", "imunify"): 2,
            row(2, "Servers never checked in", "ip_license", "licenses"): 1,
        },
    ),
    "servers without series of each": (
        {
            'cln_kernelcare_key_servers{account="a",key="k",checkin="stale"}': "5",
            'cln_kernelcare_key_servers{account="a",key="k",checkin="never"}': "1",
            f'{KERNELCARE}_checkin_age_seconds_bucket{{account="a",key="k",le="2592000"}}': "92",
            f'{KERNELCARE}_checkin_age_seconds_bucket{{account="a",key="k",le="+Inf"}}': "94",
            'cln_kernelcare_key_servers_superseded{account="a",key="k"}': "3",
        },
        {
            row(2, "Keys are nearly full", "kernelcare", "licenses"): 1,
            row(2, "Servers are silent", "kernelcare", "kernelcare"): 3,
            row(2, "Servers never checked in", "kernelcare", "kernelcare"): 1,
            row(3, "Gone servers to remove", "kernelcare", "kernelcare"): 2,
            row(3, "Superseded servers to remove", "kernelcare", "kernelcare"): 3,
        },
    ),
    "two accounts with the same key": (
        silent(KERNELCARE, 2 * DAY, HOUR)
        | silent(KERNELCARE, 2 * DAY, HOUR, account="b")
        | info("k", enabled=False)
        | {'cln_probe_stale_after_seconds{api="c",account="b",probe="kernelcare"}': f"{DAY}"},
        {
            row(3, "Silent on disabled keys", "kernelcare", "kernelcare"): 1,
            row(2, "Servers are silent", "kernelcare", "kernelcare", account="b"): 1,
        },
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_problems_on_the_overview(tmp_path: Path, name: str) -> None:
    """A healthy account has no rows, and each problem has one."""
    trouble, rows = TROUBLES[name]
    check(tmp_path, "What is wrong now", HEALTHY | trouble, rows, of="sum without (order) (%s)")
