"""The CLN REST API as a library: it knows nothing of monitoring."""

from cln_monitor.masking import mask_key

from .caller import Credentials
from .client import ReadOnlyClient
from .clock import Clock, Deadline, SystemClock
from .errors import (
    REASONS,
    AuthorizationFailed,
    BadAnswer,
    ClnError,
    RateLimited,
    Refused,
    TimedOut,
    Unreachable,
)
from .imunify import ImunifyKey, ImunifyServer
from .ip_licenses import MOST_ADDRESSES, IpLicense, LicensedServer
from .kernelcare import KernelCareKey, KernelCareServer
from .limits import Limits
from .monitoring_key import MonitoringKeys, is_monitoring_key
from .patch_status import STATES, PatchedHost, PatchStatus, ServersNotFound
from .redact import PLACEHOLDER, Redactor, Secret
from .rows import Server
from .status import ServiceStatus
from .text import clean_text
from .transport import Exchange, Transport, TransportSettings

__all__ = [
    "MOST_ADDRESSES",
    "PLACEHOLDER",
    "REASONS",
    "STATES",
    "AuthorizationFailed",
    "BadAnswer",
    "ClnError",
    "Clock",
    "Credentials",
    "Deadline",
    "Exchange",
    "ImunifyKey",
    "ImunifyServer",
    "IpLicense",
    "KernelCareKey",
    "KernelCareServer",
    "LicensedServer",
    "Limits",
    "MonitoringKeys",
    "PatchStatus",
    "PatchedHost",
    "RateLimited",
    "ReadOnlyClient",
    "Redactor",
    "Refused",
    "Secret",
    "Server",
    "ServersNotFound",
    "ServiceStatus",
    "SystemClock",
    "TimedOut",
    "Transport",
    "TransportSettings",
    "Unreachable",
    "clean_text",
    "is_monitoring_key",
    "mask_key",
]
