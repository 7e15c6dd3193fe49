"""CLN in a box: the REST API of the CloudLinux Network, served from memory over HTTP on loopback.

It is written from the API document alone and shares no code with the client of this project, so that the
two check each other.
"""

from .account import Account
from .checkins import CheckIns, Cycling, Fixed, Never, Steady, Stopped
from .faults import Fault
from .imunify import ImunifyKey, ImunifyServer
from .ip_licenses import IpLicense
from .kernelcare import KernelCareKey, KernelCareServer
from .request_log import Request
from .server import Served
from .simulator import Simulator

__all__ = [
    "Account",
    "CheckIns",
    "Cycling",
    "Fault",
    "Fixed",
    "ImunifyKey",
    "ImunifyServer",
    "IpLicense",
    "KernelCareKey",
    "KernelCareServer",
    "Never",
    "Request",
    "Served",
    "Simulator",
    "Steady",
    "Stopped",
]
