"""The clients of the CLN API: one that is read-only, and one for every call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from . import validation
from .awp import AwpReads
from .caller import Caller, Credentials
from .cloudlinux import CloudLinux, CloudLinuxReads
from .els import Els, ElsReads
from .groups import GroupReads, Groups
from .http.clock import SystemClock
from .http.deadline import Deadline
from .http.rate_limiter import RateLimiter
from .http.settings import API_URL, CONCURRENCY, REQUESTS_PER_SECOND, TIMEOUT, TransportSettings
from .http.transport import Transport
from .imunify import Imunify, ImunifyReads
from .ip_licenses import IpLicenseReads, IpLicenses
from .kernelcare import KernelCare, KernelCareReads
from .monitoring_key import MonitoringKeys
from .patch_status import PatchStatusReads
from .redactor import Redactor, Secret
from .status import StatusReads


class ReadOnlyClient:
    """All read-only calls of one account, grouped by product; it cannot change anything in CLN. Thread-safe.

    It is a context manager that closes its connections on exit.
    """

    def __init__(
        self,
        login: str,
        secret_key: str,
        *,
        api_url: str = API_URL,
        registration_token: str | None = None,
        timeout: float = TIMEOUT,
        proxy: str | None = None,
        ca_file: str | None = None,
        insecure_skip_verify: bool = False,
    ) -> None:
        """Make a client for ``login`` with the secret key of its profile page. Nothing is sent yet.

        ``registration_token``: the static token of the profile page, which only ``patch_status.for_reseller`` sends; by
        default it sends a token made with the secret key. ``timeout``: seconds for one request. ``proxy``: a URL.
        ``ca_file``: a PEM bundle to trust instead of that of certifi. Raises InvalidArgumentError, and OSError when
        ``ca_file`` cannot be read.
        """
        login = validation.login(login)
        secret = Secret(validation.require_text("secret_key", secret_key))
        token = None
        if registration_token is not None:
            token = Secret(validation.require_text("registration_token", registration_token))
        settings = TransportSettings(
            api_url=validation.url("api_url", api_url).rstrip("/"),
            timeout=validation.seconds("timeout", timeout),
            proxy=validation.optional(lambda value: validation.url("proxy", value), proxy),
            ca_file=validation.optional(lambda value: validation.require_text("ca_file", value), ca_file),
            insecure_skip_verify=validation.boolean("insecure_skip_verify", insecure_skip_verify),
        )
        clock = SystemClock()
        transport = Transport(settings, RateLimiter(CONCURRENCY, REQUESTS_PER_SECOND, clock), clock, Redactor())
        credentials = Credentials(login, lambda: secret, None if token is None else lambda: token)
        self._bind(Caller(transport, credentials, Deadline.never(clock)))

    @classmethod
    def over(
        cls,
        transport: Transport,
        credentials: Credentials | None = None,
        deadline: Deadline | None = None,
    ) -> Self:
        """Return a client over ``transport`` whose calls, taken together, end before ``deadline``.

        Without ``credentials`` it can only make the calls without a token: ``status``, ``patch_status.for_key``.
        """
        client = cls.__new__(cls)
        caller = Caller(transport, credentials, deadline or Deadline.never(transport.clock))
        client._bind(caller)  # noqa: SLF001 # the rest of its initialization
        return client

    def _bind(self, caller: Caller) -> None:
        self._caller = caller
        self.hide_secrets()
        self.status = StatusReads(caller)
        self.kernelcare = KernelCareReads(caller)
        self.imunify = ImunifyReads(caller)
        self.els = ElsReads(caller)
        self.ip_licenses = IpLicenseReads(caller)
        self.patch_status = PatchStatusReads(caller)
        self.groups = GroupReads(caller)
        self.awp = AwpReads(caller)
        self.cloudlinux = CloudLinuxReads(caller)

    @property
    def api(self) -> str:
        """The host of the API root."""
        return self._caller.transport.settings.api

    @property
    def has_login(self) -> bool:
        """Whether it has a login, which all calls need except ``status`` and ``patch_status.for_key``."""
        return self._caller.credentials is not None and self._caller.credentials.login is not None

    @property
    def clock_skew(self) -> float | None:
        """CLN's clock minus the local clock in seconds, from the last response with a date; None before that."""
        return self._caller.transport.clock_skew

    def within(self, deadline: Deadline) -> Self:
        """Return a client of the same account whose calls end before ``deadline``."""
        return self.over(self._caller.transport, self._caller.credentials, deadline)

    @contextlib.contextmanager
    def run(self) -> Iterator[Self]:
        """Yield a client of the same account with connections of its own, which are closed on exit."""
        caller = self._caller
        with caller.transport.run() as transport:
            yield self.over(transport, caller.credentials, caller.deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.api}>"

    def close(self) -> None:
        """Close the idle connections."""
        self._caller.transport.close()

    def hide_secrets(self) -> None:
        """Register all current secrets of the account for redaction; each call does so for those that it sends."""
        if self._caller.credentials is not None:
            self._caller.credentials.hide_all(self._caller.redactor)

    def may_show_secret(self, text: str) -> bool:
        """Return, quickly, whether ``text``, an id or an address, may contain a secret."""
        return self._caller.redactor.may_be_in(text)

    def scrub(self, text: str) -> str:
        """Return ``text`` with all secrets known to this client replaced."""
        return self._caller.redactor.scrub(text)


class Client(ReadOnlyClient):
    """Every call of the API document, grouped by product. Thread-safe.

    A change is sent once and never retried: it is made, or its method raises. ``outcome_unknown`` of the error is True
    if the response was lost; :class:`NotDoneError` is raised if CLN reports success but changed nothing.
    """

    kernelcare: KernelCare
    imunify: Imunify
    els: Els
    ip_licenses: IpLicenses
    groups: Groups
    cloudlinux: CloudLinux

    def _bind(self, caller: Caller) -> None:
        super()._bind(caller)
        self.kernelcare = KernelCare(caller)
        self.imunify = Imunify(caller)
        self.els = Els(caller)
        self.ip_licenses = IpLicenses(caller)
        self.groups = Groups(caller)
        self.cloudlinux = CloudLinux(caller)
        self.monitoring_keys = MonitoringKeys(caller.transport, caller.deadline, caller.credentials)
