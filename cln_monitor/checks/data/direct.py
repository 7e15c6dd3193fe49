"""The direct way: run the probe now, with credentials of a configuration, of options, or of the environment."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

from cln_monitor.checks.plugin_exit import CheckError, PluginExit
from cln_monitor.cln import Deadline, MonitoringKeys, RateLimiter, Redactor, SystemClock, Threads, Transport
from cln_monitor.config import AccountSelection, ClientFactory, Config, SelectionError
from cln_monitor.probes import PROBES, ProbeReport, run_probe

from .request import DataRequest


def view_from_cln(need: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return what the probe in ``need`` sees now. Raises CheckError when it is not said, or wrong, whom to ask."""
    clock = SystemClock()
    with _chosen(options, exit_, needs_account=need.account) as (choice, config, redactor):
        sources = ClientFactory(config, clock, redactor)
        probes = config.probes
        if need.account:
            account = choice.account_of(config)
            probes = account.probes
        settings = msgspec.structs.replace(probes[need.probe], **need.settings)
        for _, problem in settings.problems():  # the configuration has none, so it is of what the option set
            raise CheckError(f"{need.set_by}: {problem}")
        if need.account:
            source = sources.for_account(account, need.probe, settings)
        else:
            source = sources.for_api(choice.api_url_of(config), settings)
    client = source.client.within(Deadline(exit_.left, clock, "-t/--timeout"))
    source = msgspec.structs.replace(source, client=client, only_keys=need.only_keys)
    exit_.stage = f"reading {need.probe} from CLN at {client.api}"
    pool = Threads(config.concurrency - 1)  # and this one
    try:
        run = run_probe(PROBES[need.probe], source, pool, clock)
    finally:
        pool.shutdown()
    return dict(msgspec.to_builtins(ProbeReport.of_run(run, settings)))


@contextlib.contextmanager
def registrar_of(options: argparse.Namespace, exit_: PluginExit) -> Iterator[MonitoringKeys]:
    """Give what registers monitoring keys at the CLN that ``options`` name. Raises CheckError."""
    with _chosen(options, exit_, needs_account=False) as (choice, config, redactor):
        settings = config.transport_of(choice.api_url_of(config))
    clock = SystemClock()
    rate_limiter = RateLimiter(config.concurrency, config.requests_per_second, clock)
    transport = Transport(settings, rate_limiter, clock, redactor)
    exit_.stage = f"registering at CLN at {settings.api}"
    with contextlib.closing(transport):
        yield MonitoringKeys(transport, Deadline(exit_.left, clock, "-t/--timeout"))


@contextlib.contextmanager
def _chosen(
    options: argparse.Namespace, exit_: PluginExit, *, needs_account: bool
) -> Iterator[tuple[AccountSelection, Config, Redactor]]:
    """Give what ``options`` choose, and what keeps the secrets in it out of all that is printed. Raises CheckError."""
    exit_.stage = "reading the configuration"
    choice = AccountSelection(
        config=options.config,
        account=options.account,
        login=getattr(options, "login", None),
        secret_key_file=getattr(options, "secret_key_file", None),
        registration_token=getattr(options, "api_token", None),
        api_url=options.api_url,
        proxy=options.proxy,
        needs_account=needs_account,
        also=", or --exporter" if hasattr(options, "exporter") else "",
    )
    redactor = Redactor()
    try:
        config = choice.load()
        config.hide_secrets(redactor)
        exit_.scrub = redactor.scrub
        yield choice, config, redactor
    except SelectionError as error:
        raise CheckError(str(error)) from None
