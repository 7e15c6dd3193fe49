"""The state of one run of ``clntool``: the selected account, its client, and the output."""

from __future__ import annotations

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

from .dry_run import DryRunTransport
from .output import Output
from .output_fields import Format
from .usage import refuse_blank


@dataclass
class Session:
    """One run, made from the global options. ``redactor`` removes secrets from all reported errors."""

    selection: AccountSelection
    output: Output
    redactor: Redactor = field(default_factory=Redactor)

    def override(self, config: str | None, account: str | None, output: Format | None) -> None:
        """Override the global options with those given after a command. Raises UsageError for a blank value."""
        refuse_blank({"config": config, "account": account})
        self.selection = self.selection._replace(
            config=self.selection.config if config is None else config,
            account=self.selection.account if account is None else account,
        )
        self.output.form = output or self.output.form

    @cached_property
    def config(self) -> Config:
        """The selected configuration. Raises SelectionError."""
        config = self.selection.load()
        config.hide_secrets(self.redactor)
        return config

    @property
    def account(self) -> AccountConfig:
        """The selected account. Raises SelectionError."""
        return self.selection.account_of(self.config)

    @cached_property
    def client(self) -> Client:
        """The client of the selected account. Raises SelectionError."""
        account = self.account
        transport = self._transport(self.config.transport_of(self.config.api_url_of(account)))
        return Client.over(transport, self.config.credentials_of(account))

    @property
    def cln_now(self) -> float:
        """The Unix time of CLN's clock, if its responses have a date; else of the local clock."""
        return SystemClock().time() + (self.client.clock_skew or 0.0)

    @cached_property
    def anonymous(self) -> Client:
        """The client for calls that need no account. Raises SelectionError."""
        self.selection = self.selection._replace(needs_account=False)
        return Client.over(self._transport(self.config.transport_of(self.selection.api_url_of(self.config))))

    @cached_property
    def dry_run_client(self) -> Client:
        """A client that checks the arguments of a change, and then raises DryRunError."""
        clock = SystemClock()
        transport = DryRunTransport(TransportSettings(), RateLimiter(1, 0, clock), clock, self.redactor)
        return Client.over(transport, Credentials("dry-run", lambda: Secret("dry-run")))

    def _transport(self, settings: TransportSettings) -> Transport:
        clock = SystemClock()
        limits = RateLimiter(self.config.concurrency, self.config.requests_per_second, clock)
        return Transport(settings, limits, clock, self.redactor)


def session_in(context: typer.Context) -> Session:
    """Return the session made from the global options."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("the command has no session")
    return session
