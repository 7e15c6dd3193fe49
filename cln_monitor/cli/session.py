"""What one run of ``clntool`` has: whom to ask, and how to show what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cln_monitor.cln import (
    Client,
    Credentials,
    RateLimiter,
    Redactor,
    Secret,
    SystemClock,
    Transport,
    TransportSettings,
)
from cln_monitor.config import AccountSelection, Config

from .dry_run import Rehearsal
from .output import Output


class UsageError(Exception):
    """What was given does not say enough, or contradicts itself: a text for the person who gave it."""


@dataclass
class Session:
    """Made of the options before the family. ``redactor`` takes secrets out of all that is told of errors."""

    choice: AccountSelection
    output: Output
    redactor: Redactor = field(default_factory=Redactor)

    @cached_property
    def config(self) -> Config:
        """The configuration that is chosen. Raises SelectionError."""
        config = self.choice.load()
        config.hide_secrets(self.redactor)
        return config

    @cached_property
    def client(self) -> Client:
        """The client of the account that is chosen. Raises SelectionError."""
        account = self.choice.account_of(self.config)
        transport = self._transport(self.config.transport_of(self.config.api_url_of(account)))
        return Client.over(transport, self.config.credentials_of(account))

    @cached_property
    def anonymous(self) -> Client:
        """The client for what takes no account. Raises SelectionError."""
        self.choice = self.choice._replace(needs_account=False)
        return Client.over(self._transport(self.config.transport_of(self.choice.api_url_of(self.config))))

    @cached_property
    def rehearsing(self) -> Client:
        """A client that checks the arguments of a change as ever, and then raises DryRunError."""
        clock = SystemClock()
        transport = Rehearsal(TransportSettings(), RateLimiter(1, 0, clock), clock, self.redactor)
        return Client.over(transport, Credentials("rehearsal", lambda: Secret("rehearsal")))

    def _transport(self, settings: TransportSettings) -> Transport:
        clock = SystemClock()
        limits = RateLimiter(self.config.concurrency, self.config.requests_per_second, clock)
        return Transport(settings, limits, clock, self.redactor)
