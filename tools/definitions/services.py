"""The shipped services: one for each plugin."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "$_HOSTCLN_SOURCE$"
"""The arguments with the data source of a host in Nagios."""
CALM = f"{SOURCE} --no-match-state ok"
"""The same arguments for a product that is optional for an account."""


@dataclass(frozen=True)
class Service:
    """A service of ``plugin``; ``name`` is its name in ``cln_checks`` of Icinga hosts, ``title`` its display name.

    ``every`` and ``again`` are the check and retry intervals in minutes. ``nagios`` are arguments, ``icinga`` are
    additional lines in Icinga's language. ``note`` is a comment in the definition. ``of_accounts`` is whether each
    account has the service; ``shipped_off`` is whether it is commented out for Nagios.
    """

    plugin: str
    name: str
    title: str
    every: int
    again: int
    nagios: str = SOURCE
    icinga: tuple[str, ...] = ()
    note: str = ""
    of_accounts: bool = True
    shipped_off: bool = False


def _calm(name: str) -> tuple[str, ...]:
    """Return the line that makes a product that the account does not have OK, unless the host sets another state."""
    variable = f"cln_{name}_no_match_state"
    return (f'vars.{variable} = host.vars.{variable} || "ok"',)


_OF_EPORTAL = "For a host that is an ePortal, with the name of the ePortal as its account."

SERVICES = (
    Service("check_cln_status", "status", "CLN status", 1, 1),
    Service(
        "check_cln_kernelcare", "kernelcare", "CLN KernelCare servers", 15, 5, nagios=CALM, icinga=_calm("kernelcare")
    ),
    Service("check_cln_imunify", "imunify", "CLN Imunify servers", 15, 5, nagios=CALM, icinga=_calm("imunify")),
    Service(
        "check_cln_patch_status",
        "patch_status",
        "CLN patch status",
        30,
        5,
        nagios=CALM,
        icinga=("if (!host.vars.cln_patch_status_key) {", *(f"  {line}" for line in _calm("patch_status")), "}"),
        note="Checks all servers of the account. For one key use -k KEY, or its mask with an exporter, and omit "
        "--no-match-state.",
    ),
    Service(
        "check_cln_ip_licenses", "ip_licenses", "CLN IP licenses", 60, 15, nagios=CALM, icinga=_calm("ip_licenses")
    ),
    Service("check_cln_els", "els", "CLN ELS keys", 60, 15, nagios=CALM, icinga=_calm("els"), shipped_off=True),
    Service("check_cln_awp", "awp", "CLN AccelerateWP", 360, 60, shipped_off=True),
    Service(
        "check_cln_cloudlinux",
        "cloudlinux",
        "CLN CloudLinux OS keys",
        60,
        15,
        nagios=CALM,
        icinga=_calm("cloudlinux"),
        shipped_off=True,
    ),
    Service(
        "check_cln_eportal",
        "eportal",
        "ePortal servers",
        15,
        5,
        note=_OF_EPORTAL,
        of_accounts=False,
        shipped_off=True,
    ),
    Service(
        "check_cln_cve",
        "cve",
        "ePortal CVEs",
        15,
        5,
        note=f"{_OF_EPORTAL} Without --cve it checks patches.cves.",
        of_accounts=False,
        shipped_off=True,
    ),
    Service(
        "check_cln_exporter",
        "exporter",
        "CLN exporter",
        5,
        1,
        note="For hosts that use an exporter.",
        of_accounts=False,
    ),
    Service(
        "register_cln_monitoring_key",
        "monitoring_key",
        "CLN monitoring key",
        1440,
        60,
        nagios="--key-file /etc/cln-monitor/monitoring.key",
        note="For a monitoring server whose own address has a KernelCare IP license: keeps the key in the file "
        "registered.",
        of_accounts=False,
        shipped_off=True,
    ),
)
"""The services; a new one is one line here, and each plugin has one."""
