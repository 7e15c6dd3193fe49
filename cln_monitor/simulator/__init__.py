"""A simulator of CLN: the REST API of the CloudLinux Network, served from memory over HTTP on loopback.

It also has an ePortal and KernelCare's patch server. It is written from the API documents only and shares no code with
the clients of this project, so that the two are tests of each other.
"""

from .calls import CALLS, calls_of
from .faults import Fault
from .model import (
    REVISIONS,
    Account,
    AwpEntity,
    Cycling,
    Fixed,
    Never,
    SimulatedCheckIns,
    SimulatedElsKey,
    SimulatedElsServer,
    SimulatedEportal,
    SimulatedEportalServer,
    SimulatedFeed,
    SimulatedGroup,
    SimulatedImunifyKey,
    SimulatedImunifyServer,
    SimulatedIpLicense,
    SimulatedKernel,
    SimulatedKernelCareKey,
    SimulatedKernelCareServer,
    SimulatedPatch,
    SimulatedPatchServer,
    Steady,
    Stopped,
)
from .request_log import Request
from .rollout import DEMO_CVES
from .server import Served, serve
from .simulator import Simulator

__all__ = [
    "CALLS",
    "DEMO_CVES",
    "REVISIONS",
    "Account",
    "AwpEntity",
    "Cycling",
    "Fault",
    "Fixed",
    "Never",
    "Request",
    "Served",
    "SimulatedCheckIns",
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
    "Simulator",
    "Steady",
    "Stopped",
    "calls_of",
    "serve",
]
