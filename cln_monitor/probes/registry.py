"""The registry of probes; a new probe is one line here, and its name in :mod:`cln_monitor.source_kinds`."""

from __future__ import annotations

from typing import Any

from cln_monitor.source_kinds import ACCOUNT, SourceKind, kind_of

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

ALL_PROBES: dict[str, Probe[Any]] = {
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
        EportalProbe(),
    )
}
"""All probes by name, in display order."""


def probes_of(kind: SourceKind) -> dict[str, Probe[Any]]:
    """Return the probes that read sources of ``kind`` by name, in display order."""
    return {name: probe for name, probe in ALL_PROBES.items() if kind_of(name) is kind}


PROBES = probes_of(ACCOUNT)
"""The probes of CLN by name, in display order."""

WITHOUT_LOGIN = frozenset({"status", "patch_status"})
"""The probes that can read without a login; the patch status is then that of the monitoring keys alone."""
