"""What KernelCare's live patches fix, read from the public patch server, which is sent no credentials."""

from cln_monitor.cve_coverage import (
    CVE_STATES,
    CveState,
    is_behind,
    parse_cve,
    patch_age,
    patch_rank,
    reason_unknown,
    state_of_cve,
)

from .catalog import PatchCatalog, PatchReading
from .live_patch import LivePatch
from .server import PATCHES_URL, PatchServer, patch_settings

__all__ = [
    "CVE_STATES",
    "PATCHES_URL",
    "CveState",
    "LivePatch",
    "PatchCatalog",
    "PatchReading",
    "PatchServer",
    "is_behind",
    "parse_cve",
    "patch_age",
    "patch_rank",
    "patch_settings",
    "reason_unknown",
    "state_of_cve",
]
