"""What one run of ``clntool`` has: whom to ask, and how to show what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import typer

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
from cln_monitor.config import AccountConfig, AccountSelection, Config
from cln_monitor.durations import format_age

from .dry_run import Rehearsal
from .output import Format, Output


class UsageError(Exception):
    """What was given does not say enough, or contradicts itself: a text for the person who gave it."""


@dataclass
class Session:
    """Made of the options before the family. ``redactor`` takes secrets out of all that is told of errors."""

    choice: AccountSelection
    output: Output
    redactor: Redactor = field(default_factory=Redactor)

    def choose(self, config: str | None, account: str | None, output: Format | None) -> None:
        """Take what the options behind a command say in place of what those before it said. Raises UsageError."""
        refuse_blank({"config": config, "account": account})
        self.choice = self.choice._replace(
            config=self.choice.config if config is None else config,
            account=self.choice.account if account is None else account,
        )
        self.output.form = output or self.output.form

    @cached_property
    def config(self) -> Config:
        """The configuration that is chosen. Raises SelectionError."""
        config = self.choice.load()
        config.hide_secrets(self.redactor)
        return config

    @property
    def account(self) -> AccountConfig:
        """The account that is chosen. Raises SelectionError."""
        return self.choice.account_of(self.config)

    @cached_property
    def client(self) -> Client:
        """The client of the account that is chosen. Raises SelectionError."""
        account = self.account
        transport = self._transport(self.config.transport_of(self.config.api_url_of(account)))
        return Client.over(transport, self.config.credentials_of(account))

    @property
    def cln_now(self) -> float:
        """The Unix time by CLN's own clock, as far as its answers have told that."""
        return SystemClock().time() + (self.client.clock_skew or 0.0)

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


def skew_in_words(skew: float) -> str:
    """Return how many minutes CLN's clock is off, by the ``skew`` of its seconds less ours."""
    return f"CLN's clock is {format_age(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the one of this machine"


def session_in(context: typer.Context) -> Session:
    """Return the session that the options before the family made."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("a command without a session")
    return session


def refuse_blank(options: Mapping[str, str | None]) -> None:
    """Raise UsageError for an option that has a value, and a blank one."""
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name} is empty; give a value, or leave the option out")
