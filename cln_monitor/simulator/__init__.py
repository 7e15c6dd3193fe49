"""A simulator of CLN: the REST API of the CloudLinux Network, served from memory over HTTP on loopback.

It is written from the API document only and shares no code with the client of this project, so that each of the two
is a test of the other.
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
    SimulatedGroup,
    SimulatedImunifyKey,
    SimulatedImunifyServer,
    SimulatedIpLicense,
    SimulatedKernelCareKey,
    SimulatedKernelCareServer,
    Steady,
    Stopped,
)
from .request_log import Request
from .server import Served, serve
from .simulator import Simulator

__all__ = [
    "CALLS",
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
    "SimulatedGroup",
    "SimulatedImunifyKey",
    "SimulatedImunifyServer",
    "SimulatedIpLicense",
    "SimulatedKernelCareKey",
    "SimulatedKernelCareServer",
    "Simulator",
    "Steady",
    "Stopped",
    "calls_of",
    "serve",
]
