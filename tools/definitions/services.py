"""The services that are shipped: a sensible one for each plugin."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "$_HOSTCLN_SOURCE$"
"""The arguments by which a host in Nagios says where its plugins ask."""
CALM = f"{SOURCE} --no-match-state ok"
"""The same for a product that an account need not have."""


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


def _calm(name: str) -> tuple[str, ...]:
    """Return the line by which a product that the account does not have is OK, unless the host says otherwise."""
    variable = f"cln_{name}_no_match_state"
    return (f'vars.{variable} = host.vars.{variable} || "ok"',)


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
        note="Of all servers of the account. For one key use -k KEY, or its mask with an exporter, and leave out "
        "--no-match-state.",
    ),
    Service("check_cln_ip_licenses", "ip_licenses", "CLN IP licenses", 60, 15, nagios=CALM, icinga=_calm("ip_licenses")),
    Service("check_cln_els", "els", "CLN ELS keys", 60, 15, nagios=CALM, icinga=_calm("els"), shipped_off=True),
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
