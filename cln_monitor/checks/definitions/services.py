"""The services that are shipped: a sensible one for each plugin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service of ``plugin``. ``name`` is what Icinga's hosts list it by, ``title`` what people read.

    ``every`` and ``again`` are the minutes between two checks, and until the next one while something is wrong.
    ``nagios`` are arguments, ``icinga`` lines of Icinga's language, beside those that say where to ask.
    """

    plugin: str
    name: str
    title: str
    every: int
    again: int
    nagios: str = ""
    icinga: tuple[str, ...] = ()


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
        nagios="--reseller",
        icinga=(
            "if (!host.vars.cln_patch_status_key) { // it goes without: the servers of a key are counted in both",
            "  vars.cln_patch_status_reseller = true",
            "}",
        ),
    ),
    Service("check_cln_ip_licenses", "ip_licenses", "CLN IP licences", 60, 15),
    Service("check_cln_exporter", "exporter", "CLN exporter", 5, 1),
    Service(
        "register_cln_monitoring_key",
        "monitoring_key",
        "CLN monitoring key",
        1440,
        60,
        nagios="--key-file /etc/cln-monitor/monitoring.key",
    ),
)
"""A service more is a line here; each plugin has one."""
