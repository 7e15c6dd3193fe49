"""The CLN REST API as a library: it knows nothing of monitoring.

``Client(login, secret_key)`` has every call of the API document, ``ReadOnlyClient`` those that change nothing.
"""

from cln_monitor.masking import mask_key

from .arguments import BadArgument, is_monitoring_key
from .awp import AWP_PRODUCTS, AwpUsage
from .caller import Credentials
from .client import Client, ReadOnlyClient
from .clock import Clock, Deadline, SystemClock
from .els import ELS_CODES, ElsKey, ElsServer
from .errors import (
    REASONS,
    AuthorizationFailed,
    BadAnswer,
    ClnError,
    NotDone,
    RateLimited,
    Refused,
    TimedOut,
    Unreachable,
)
from .groups import Group, GroupServer
from .imunify import IMUNIFY_CODES, ConvertedServer, ImunifyKey, ImunifyServer
from .ip_licenses import IMUNIFY_LICENSES, LICENSE_NAMES, MOST_ADDRESSES, IpAvailability, IpLicense, LicensedServer
from .kernelcare import KernelCareKey, KernelCareServer
from .limits import Limits
from .memory import Memory
from .monitoring_key import MonitoringKeys
from .patch_status import STATES, PatchedHost, PatchStatus, ServersNotFound
from .redact import PLACEHOLDER, Redactor, Secret, login_of
from .removed import RemovedServer
from .rows import LastCheckin, Limit, Server
from .secret_text import problem_of_secret, suspicion_of_secret
from .status import ServiceStatus
from .text import clean_text
from .threads import ThreadError, Threads, start_thread
from .transport import Exchange, Transport, TransportSettings

__all__ = [
    "AWP_PRODUCTS",
    "ELS_CODES",
    "IMUNIFY_CODES",
    "IMUNIFY_LICENSES",
    "LICENSE_NAMES",
    "MOST_ADDRESSES",
    "PLACEHOLDER",
    "REASONS",
    "STATES",
    "AuthorizationFailed",
    "AwpUsage",
    "BadAnswer",
    "BadArgument",
    "Client",
    "ClnError",
    "Clock",
    "ConvertedServer",
    "Credentials",
    "Deadline",
    "ElsKey",
    "ElsServer",
    "Exchange",
    "Group",
    "GroupServer",
    "ImunifyKey",
    "ImunifyServer",
    "IpAvailability",
    "IpLicense",
    "KernelCareKey",
    "KernelCareServer",
    "LastCheckin",
    "LicensedServer",
    "Limit",
    "Limits",
    "Memory",
    "MonitoringKeys",
    "NotDone",
    "PatchStatus",
    "PatchedHost",
    "RateLimited",
    "ReadOnlyClient",
    "Redactor",
    "Refused",
    "RemovedServer",
    "Secret",
    "Server",
    "ServersNotFound",
    "ServiceStatus",
    "SystemClock",
    "ThreadError",
    "Threads",
    "TimedOut",
    "Transport",
    "TransportSettings",
    "Unreachable",
    "clean_text",
    "is_monitoring_key",
    "login_of",
    "mask_key",
    "problem_of_secret",
    "start_thread",
    "suspicion_of_secret",
]
