"""The client of the CLN API."""

from __future__ import annotations

from .awp import AwpReads
from .caller import Caller, Credentials
from .clock import Deadline
from .els import ElsReads
from .groups import GroupReads
from .imunify import ImunifyReads
from .ip_licenses import IpLicenseReads
from .kernelcare import KernelCareReads
from .patch_status import PatchStatusReads
from .status import StatusReads
from .transport import Transport


class ReadOnlyClient:
    """All calls of one account that read, a family each; it cannot change anything in CLN. Safe between threads.

    Without ``credentials`` it can read ``status`` alone. All its calls together end before ``deadline``.
    """

    def __init__(
        self, transport: Transport, credentials: Credentials | None = None, deadline: Deadline | None = None
    ) -> None:
        self._caller = Caller(transport, credentials, deadline or Deadline.never(transport.clock))
        self.status = StatusReads(self._caller)
        self.kernelcare = KernelCareReads(self._caller)
        self.imunify = ImunifyReads(self._caller)
        self.els = ElsReads(self._caller)
        self.ip_licenses = IpLicenseReads(self._caller)
        self.patch_status = PatchStatusReads(self._caller)
        self.groups = GroupReads(self._caller)
        self.awp = AwpReads(self._caller)

    @property
    def api(self) -> str:
        """The host of the API root."""
        return self._caller.transport.settings.api

    def within(self, deadline: Deadline) -> ReadOnlyClient:
        """Return a client of the same account whose calls end before ``deadline``."""
        return ReadOnlyClient(self._caller.transport, self._caller.credentials, deadline)

    def close(self) -> None:
        """Close its connections that are not in use."""
        self._caller.transport.close()

    def may_show_secret(self, text: str) -> bool:
        """Tell at a glance whether a secret may stand in ``text``, an id or an address."""
        return self._caller.redactor.may_be_in(text)

    def scrub(self, text: str) -> str:
        """Return ``text`` without the secrets that this client knows."""
        return self._caller.redactor.scrub(text)
