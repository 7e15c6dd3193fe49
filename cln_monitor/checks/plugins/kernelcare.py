"""``check_cln_kernelcare``: the last check-ins of KernelCare servers, and the usage of their keys."""

from __future__ import annotations

from cln_monitor.checks.checkin_rules import SERVER_OPTIONS, make_check
from cln_monitor.checks.registry import Plugin

PLUGIN = Plugin(
    name="check_cln_kernelcare",
    purpose="Check the last check-ins of the KernelCare servers of a CLN account, and the usage of their keys.",
    options=SERVER_OPTIONS,
    check=make_check("kernelcare", "KernelCare"),
)
