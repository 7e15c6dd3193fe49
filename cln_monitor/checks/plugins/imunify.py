"""``check_cln_imunify``: do the Imunify servers check in, and which key is about to run full?"""

from __future__ import annotations

from cln_monitor.checks.checkin_rules import SERVER_OPTIONS, make_check
from cln_monitor.checks.registry import Plugin

PROGRAM = Plugin(
    name="check_cln_imunify",
    purpose="Checks the Imunify servers of a CLN account: their last check-ins, and how full their keys are.",
    options=SERVER_OPTIONS,
    check=make_check("imunify", "Imunify"),
)
