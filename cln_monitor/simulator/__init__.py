"""CLN in a box: the REST API of the CloudLinux Network, served from memory over HTTP on loopback.

It is written from the API document alone and shares no code with the client of this project, so that the
two check each other.
"""

from .account import Account
from .awp import AwpEntity
from .checkins import CheckIns, Cycling, Fixed, Never, Steady, Stopped
from .els import ElsKey, ElsServer
from .faults import Fault
from .groups import Group
from .imunify import ImunifyKey, ImunifyServer
from .ip_licenses import IpLicense
from .kernelcare import KernelCareKey, KernelCareServer
from .replay import Replay
from .request_log import Request
from .routes import CALLS
from .server import Served
from .simulator import Simulator

__all__ = [
    "CALLS",
    "Account",
    "AwpEntity",
    "CheckIns",
    "Cycling",
    "ElsKey",
    "ElsServer",
    "Fault",
    "Fixed",
    "Group",
    "ImunifyKey",
    "ImunifyServer",
    "IpLicense",
    "KernelCareKey",
    "KernelCareServer",
    "Never",
    "Replay",
    "Request",
    "Served",
    "Simulator",
    "Steady",
    "Stopped",
]
