"""The probes: one module per probe, each of which turns API calls into an immutable observation."""

from .awp import AwpMonth, AwpSettings
from .caution import Caution, is_address, phrases_of
from .checkins import count_checkins
from .cloudlinux import CloudLinuxProduct, CloudLinuxSettings
from .els import ElsProduct, ElsServerState, ElsSettings
from .eportal import EportalFleet, EportalServerState, EportalSettings
from .groups import GroupsSettings, GroupState
from .host_names import HOST_NAME_SOURCES, NAMED_PROBES, HostIndex
from .imunify import ImunifyKeyServers
from .ip_licenses import LICENSE_LIST, IpLicenseList, IpLicensesSettings
from .kernelcare import KernelCareKeyServers, shared_registrations
from .observation import Failure, Gap, Missing, Observation, Part, Unavailable
from .patch_status import PatchState, PatchStatusSettings
from .probe import Plan, Probe, ProbeContext
from .product_lists import BY_PRODUCT
from .product_names import PRODUCT_NAMES, product_name, product_title
from .progress import FirstPoll, Progress
from .registry import ALL_PROBES, PROBES, WITHOUT_LOGIN, probes_of
from .report import FORMAT, Ages, ProbeReport
from .reuse import ReusingProbe
from .runner import Run, run_probe
from .settings import CheckinSettings, DefaultList, Duration, ProbeSettings, stale_after_of
from .shard import WHOLE, Shard
from .status import StatusFlag, StatusSettings

__all__ = [
    "ALL_PROBES",
    "BY_PRODUCT",
    "FORMAT",
    "HOST_NAME_SOURCES",
    "LICENSE_LIST",
    "NAMED_PROBES",
    "PROBES",
    "PRODUCT_NAMES",
    "WHOLE",
    "WITHOUT_LOGIN",
    "Ages",
    "AwpMonth",
    "AwpSettings",
    "Caution",
    "CheckinSettings",
    "CloudLinuxProduct",
    "CloudLinuxSettings",
    "DefaultList",
    "Duration",
    "ElsProduct",
    "ElsServerState",
    "ElsSettings",
    "EportalFleet",
    "EportalServerState",
    "EportalSettings",
    "Failure",
    "FirstPoll",
    "Gap",
    "GroupState",
    "GroupsSettings",
    "HostIndex",
    "ImunifyKeyServers",
    "IpLicenseList",
    "IpLicensesSettings",
    "KernelCareKeyServers",
    "Missing",
    "Observation",
    "Part",
    "PatchState",
    "PatchStatusSettings",
    "Plan",
    "Probe",
    "ProbeContext",
    "ProbeReport",
    "ProbeSettings",
    "Progress",
    "ReusingProbe",
    "Run",
    "Shard",
    "StatusFlag",
    "StatusSettings",
    "Unavailable",
    "count_checkins",
    "is_address",
    "phrases_of",
    "probes_of",
    "product_name",
    "product_title",
    "run_probe",
    "shared_registrations",
    "stale_after_of",
]
