"""The registries of probes; a new probe is one line here."""

from __future__ import annotations

from typing import Any

from .awp import AwpProbe
from .cloudlinux import CloudLinuxProbe
from .els import ElsProbe
from .eportal import EportalProbe
from .groups import GroupsProbe
from .imunify import ImunifyProbe
from .ip_licenses import IpLicensesProbe
from .kernelcare import KernelCareProbe
from .patch_status import PatchStatusProbe
from .probe import Probe
from .status import StatusProbe

PROBES: dict[str, Probe[Any]] = {
    probe.name: probe
    for probe in (
        StatusProbe(),
        KernelCareProbe(),
        ImunifyProbe(),
        PatchStatusProbe(),
        IpLicensesProbe(),
        ElsProbe(),
        GroupsProbe(),
        AwpProbe(),
        CloudLinuxProbe(),
    )
}
"""The probes of CLN by name, in display order."""

EPORTAL_PROBES: dict[str, Probe[Any]] = {"eportal": EportalProbe()}
"""The probes of ePortals by name."""

ALL_PROBES: dict[str, Probe[Any]] = PROBES | EPORTAL_PROBES
"""All probes by name, in display order."""

WITHOUT_LOGIN = frozenset({"status", "patch_status"})
"""The probes that can read without a login; the patch status is then that of the monitoring keys alone."""
