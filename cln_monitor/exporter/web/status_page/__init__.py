"""The HTML pages: the status page, which an operator opens first, and the runbook."""

from .assets import POLICY, RUNBOOK_POLICY
from .page import StatusPage
from .runbook import Runbook

__all__ = ["POLICY", "RUNBOOK_POLICY", "Runbook", "StatusPage"]
