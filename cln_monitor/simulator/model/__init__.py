"""The model of a CLN account: its keys, servers, IP licenses, groups and billing, and the check-ins of servers.

It does not depend on the calls that read and change it.
"""

from . import names
from .account import Account
from .awp import AWP_CDN, AWP_PRODUCTS, AwpEntity, is_month, month_of
from .checkins import DAY, HOUR, Cycling, Fixed, Never, SimulatedCheckIns, Steady, Stopped
from .cloudlinux import (
    CLOUDLINUX_PRODUCTS,
    SimulatedCloudLinuxKey,
    SimulatedCloudLinuxServer,
    SubAccountServer,
)
from .els import ELS_CODES, SimulatedElsKey, SimulatedElsServer, is_els_code
from .eportal import SimulatedEportal, SimulatedEportalServer
from .imunify import IMUNIFY_CODES, SimulatedImunifyKey, SimulatedImunifyServer
from .ip_licenses import SimulatedIpLicense, canonical
from .kernelcare import PATCH_STATES, SimulatedKernelCareKey, SimulatedKernelCareServer
from .keys import Key, KeyT, holder
from .ledger import SimulationState
from .patches import SimulatedFeed, SimulatedKernel, SimulatedPatch, SimulatedPatchServer
from .revisions import NEWER, OLDER, REVISIONS
from .servers import SimulatedGroup, SimulatedServer

__all__ = [
    "AWP_CDN",
    "AWP_PRODUCTS",
    "CLOUDLINUX_PRODUCTS",
    "DAY",
    "ELS_CODES",
    "HOUR",
    "IMUNIFY_CODES",
    "NEWER",
    "OLDER",
    "PATCH_STATES",
    "REVISIONS",
    "Account",
    "AwpEntity",
    "Cycling",
    "Fixed",
    "Key",
    "KeyT",
    "Never",
    "SimulatedCheckIns",
    "SimulatedCloudLinuxKey",
    "SimulatedCloudLinuxServer",
    "SimulatedElsKey",
    "SimulatedElsServer",
    "SimulatedEportal",
    "SimulatedEportalServer",
    "SimulatedFeed",
    "SimulatedGroup",
    "SimulatedImunifyKey",
    "SimulatedImunifyServer",
    "SimulatedIpLicense",
    "SimulatedKernel",
    "SimulatedKernelCareKey",
    "SimulatedKernelCareServer",
    "SimulatedPatch",
    "SimulatedPatchServer",
    "SimulatedServer",
    "SimulationState",
    "Steady",
    "Stopped",
    "SubAccountServer",
    "canonical",
    "holder",
    "is_els_code",
    "is_month",
    "month_of",
    "names",
]
