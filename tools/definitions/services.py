"""The services that are shipped: a sensible one for each plugin."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "$_HOSTCLN_SOURCE$"
"""The arguments by which a host in Nagios says where its plugins ask."""


@dataclass(frozen=True)
class Service:
    """A service of ``plugin``. ``name`` is what Icinga's hosts list it by, ``title`` what people read.

    ``every`` and ``again`` are the minutes between two checks, and until the next one while something is wrong.
    ``nagios`` are arguments, ``icinga`` more lines in Icinga's language. ``note`` is for who reads the definition.
    ``of_accounts``: each account has one; ``shipped_off``: in Nagios it is there as a comment.
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


SERVICES = (
    Service("check_cln_status", "status", "CLN status", 1, 1),
    Service("check_cln_kernelcare", "kernelcare", "CLN KernelCare servers", 15, 5),
    Service("check_cln_imunify", "imunify", "CLN Imunify servers", 15, 5),
    Service(
        "check_cln_patch_status",
        "patch_status",
        "CLN patch status",
        30,
        5,
        nagios=f"{SOURCE} --reseller",
        icinga=(
            "if (!host.vars.cln_patch_status_key) {",
            "  vars.cln_patch_status_reseller = true",
            "}",
        ),
        note="Of all servers of the account. Of one key: -k KEY in place of --reseller, or its label with an exporter.",
    ),
    Service("check_cln_ip_licenses", "ip_licenses", "CLN IP licences", 60, 15),
    Service("check_cln_els", "els", "CLN ELS keys", 60, 15, shipped_off=True),
    Service("check_cln_awp", "awp", "CLN AccelerateWP", 360, 60, shipped_off=True),
    Service(
        "check_cln_exporter",
        "exporter",
        "CLN exporter",
        5,
        1,
        note="For hosts whose source is an exporter.",
        of_accounts=False,
    ),
    Service(
        "register_cln_monitoring_key",
        "monitoring_key",
        "CLN monitoring key",
        1440,
        60,
        nagios="--key-file /etc/cln-monitor/monitoring.key",
        note="For a core whose own address holds a KernelCare IP licence: keeps the key in that file registered.",
        of_accounts=False,
        shipped_off=True,
    ),
)
"""A service more is a line here; each plugin has one."""
