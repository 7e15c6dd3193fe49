"""``check_cln_imunify``: the last check-ins of Imunify servers, and the usage of their keys."""

from __future__ import annotations

from cln_monitor.checks.checkin_rules import SERVER_OPTIONS, make_check
from cln_monitor.checks.registry import Plugin

PLUGIN = Plugin(
    name="check_cln_imunify",
    purpose="Check the last check-ins of the Imunify servers of a CLN account, and the usage of their keys.",
    options=SERVER_OPTIONS,
    check=make_check("imunify", "Imunify"),
)
