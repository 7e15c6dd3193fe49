"""The CLN REST API as a library; it contains nothing about monitoring.

``Client(login, secret_key)`` has every call of the API document, ``ReadOnlyClient`` only the read-only calls.
"""

from cln_monitor.masking import mask_key
from cln_monitor.text_cleaning import clean_text

from .awp import AWP_PRODUCTS, AwpUsage
from .caller import Credentials
from .client import Client, ReadOnlyClient
from .cloudlinux import CLOUDLINUX_PRODUCTS, CloudLinuxKey, CloudLinuxServer, SubAccountServer
from .els import ELS_CODES, ElsKey, ElsServer
from .endpoints import Endpoint
from .errors import (
    REASONS,
    AuthorizationError,
    BadAnswerError,
    ClnError,
    NotDoneError,
    RateLimitedError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from .fields import LastCheckin, Limit
from .groups import Group, GroupServer
from .http.answer import Exchange, HttpAnswer
from .http.clock import Clock, SystemClock
from .http.deadline import Deadline
from .http.rate_limiter import RateLimiter
from .http.read_transport import ReadTransport
from .http.settings import (
    API_URL,
    CONCURRENCY,
    REQUESTS_PER_SECOND,
    TIMEOUT,
    TransportSettings,
    problem_of_api_url,
    problem_of_proxy,
)
from .http.threads import ThreadError, Threads, start_thread
from .http.tls import ca_context
from .http.transport import Transport
from .imunify import IMUNIFY_CODES, ConvertedServer, ImunifyKey, ImunifyServer
from .ip_licenses import IMUNIFY_LICENSES, LICENSE_NAMES, MOST_ADDRESSES, IpAvailability, IpLicense, LicensedServer
from .kernelcare import KernelCareKey, KernelCareServer
from .monitoring_key import MonitoringKeys
from .patch_status import STATES, PatchedHost, PatchStatus, ResellerNotFoundError, ServersNotFoundError
from .redactor import PLACEHOLDER, Redactor, Secret
from .rows import RemovedServer, Server
from .secret_validation import problem_of_secret, suspicion_of_secret
from .status import DOCUMENTED as STATUS_FLAGS
from .status import ServiceStatus
from .validation import InvalidArgumentError, is_monitoring_key
from .validation import awp_products as check_awp_products
from .validation import cloudlinux_product as check_cloudlinux_product
from .validation import product_code as check_product_code

__all__ = [
    "API_URL",
    "AWP_PRODUCTS",
    "CLOUDLINUX_PRODUCTS",
    "CONCURRENCY",
    "ELS_CODES",
    "IMUNIFY_CODES",
    "IMUNIFY_LICENSES",
    "LICENSE_NAMES",
    "MOST_ADDRESSES",
    "PLACEHOLDER",
    "REASONS",
    "REQUESTS_PER_SECOND",
    "STATES",
    "STATUS_FLAGS",
    "TIMEOUT",
    "AuthorizationError",
    "AwpUsage",
    "BadAnswerError",
    "Client",
    "ClnError",
    "Clock",
    "CloudLinuxKey",
    "CloudLinuxServer",
    "ConvertedServer",
    "Credentials",
    "Deadline",
    "ElsKey",
    "ElsServer",
    "Endpoint",
    "Exchange",
    "Group",
    "GroupServer",
    "HttpAnswer",
    "ImunifyKey",
    "ImunifyServer",
    "InvalidArgumentError",
    "IpAvailability",
    "IpLicense",
    "KernelCareKey",
    "KernelCareServer",
    "LastCheckin",
    "LicensedServer",
    "Limit",
    "MonitoringKeys",
    "NotDoneError",
    "PatchStatus",
    "PatchedHost",
    "RateLimitedError",
    "RateLimiter",
    "ReadOnlyClient",
    "ReadTransport",
    "Redactor",
    "RefusedError",
    "RemovedServer",
    "ResellerNotFoundError",
    "Secret",
    "Server",
    "ServersNotFoundError",
    "ServiceStatus",
    "SubAccountServer",
    "SystemClock",
    "ThreadError",
    "Threads",
    "TimedOutError",
    "Transport",
    "TransportSettings",
    "UnreachableError",
    "ca_context",
    "check_awp_products",
    "check_cloudlinux_product",
    "check_product_code",
    "clean_text",
    "is_monitoring_key",
    "mask_key",
    "problem_of_api_url",
    "problem_of_proxy",
    "problem_of_secret",
    "start_thread",
    "suspicion_of_secret",
]
