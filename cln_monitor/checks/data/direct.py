"""The direct source: run the probe, with credentials from a configuration, options, or the environment."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cln_monitor.checks.plugin_exit import CheckError, PluginExit
from cln_monitor.cln import Deadline, MonitoringKeys, RateLimiter, Redactor, SystemClock, Threads, Transport
from cln_monitor.config import AccountConfig, AccountSelection, ClientFactory, Config, SelectionError
from cln_monitor.probes import ALL_PROBES, NAMED_PROBES, ProbeReport, run_probe
from cln_monitor.source_kinds import ACCOUNT, SourceKind, kind_of

from .host_names import DirectReport, HostNameReader
from .request import DataRequest


def report_from_cln(request: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Run the probe in ``request`` and return its report. Raises CheckError if no account or a wrong one is given."""
    clock = SystemClock()
    kind = kind_of(request.probe)
    with _chosen(options, exit_, needs_account=request.account, kind=kind) as (choice, config, redactor):
        clients = ClientFactory(config, clock, redactor)
        source = choice.source_of(config) if request.account else None
        configured = config.settings_of(source, request.probe) if source else config.probes[request.probe]
        settings = msgspec.structs.replace(configured, **request.settings)
        for _, problem in settings.problems():  # the configuration was checked, so this comes from the option
            raise CheckError(f"{request.set_by}: {problem}")
        if source:
            context = clients.for_source(source, request.probe, settings)
        else:
            context = clients.for_api(choice.api_url_of(config), settings)
    client = context.client.within(Deadline(exit_.left, clock, "-t/--timeout"))
    context = msgspec.structs.replace(context, client=client, only_keys=request.only_keys)
    exit_.stage = f"reading {request.probe} from {kind.server} at {client.api}"
    pool = Threads(config.concurrency - 1)  # plus the current thread
    try:
        run = run_probe(ALL_PROBES[request.probe], context, pool, clock)
    finally:
        pool.shutdown()
    report = msgspec.to_builtins(ProbeReport.of_run(run, settings))
    if request.probe not in NAMED_PROBES or not isinstance(source, AccountConfig):
        return dict(report)

    def host_names() -> Mapping[str, str]:
        exit_.stage = f"reading host names from CLN at {client.api}"
        # What is known is reported in any case.
        reader = HostNameReader(source, clients, client.within(Deadline(exit_.left / 2, clock, "-t/--timeout")))
        with Threads(config.concurrency - 1) as pool:
            return reader.names_of(run.observation, report["stale_after"], pool, clock)

    return DirectReport(report, host_names)


@contextlib.contextmanager
def registrar_of(options: argparse.Namespace, exit_: PluginExit) -> Iterator[MonitoringKeys]:
    """Provide the client that registers monitoring keys at the API root of ``options``. Raises CheckError."""
    with _chosen(options, exit_, needs_account=False) as (choice, config, redactor):
        settings = config.transport_of(choice.api_url_of(config))
    clock = SystemClock()
    rate_limiter = RateLimiter(config.concurrency, config.requests_per_second, clock)
    transport = Transport(settings, rate_limiter, clock, redactor)
    exit_.stage = f"registering the key with CLN at {settings.api}"
    with contextlib.closing(transport):
        yield MonitoringKeys(transport, Deadline(exit_.left, clock, "-t/--timeout"))


@contextlib.contextmanager
def _chosen(
    options: argparse.Namespace, exit_: PluginExit, *, needs_account: bool, kind: SourceKind = ACCOUNT
) -> Iterator[tuple[AccountSelection, Config, Redactor]]:
    """Provide the selection of ``options``, its configuration, and a redactor for its secrets. Raises CheckError."""
    exit_.stage = "reading the configuration"
    choice = AccountSelection(
        config=options.config,
        account=options.account,
        login=getattr(options, "login", None),
        secret_key_file=getattr(options, "secret_key_file", None),
        registration_token=getattr(options, "api_token", None),
        api_url=getattr(options, "api_url", None),
        proxy=getattr(options, "proxy", None),
        needs_account=needs_account,
        also=", or --exporter" if hasattr(options, "exporter") else "",
        kind=kind,
    )
    redactor = Redactor()
    try:
        config = choice.load()
        config.hide_secrets(redactor)
        exit_.scrub = redactor.scrub
        yield choice, config, redactor
    except SelectionError as error:
        raise CheckError(str(error)) from None
