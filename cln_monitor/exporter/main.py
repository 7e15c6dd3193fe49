"""The program ``cln-exporter``: the exporter from its options to its end."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from cln_monitor.cln import Redactor, ThreadError
from cln_monitor.config import Config, ConfigError, load_config, warnings_of

from .line_writer import LineStream
from .logs import dropped_line, set_up_logs
from .options import DEFAULT_ADDRESS, OutputError, answer, say
from .service import Service
from .storage.directory import StateError
from .systemd import Notifier
from .web.app import WebOptions, make_app
from .web.config import WebConfig, load_web_config
from .web.listening import ListenError, address_of, listen
from .web.middleware import AuthMiddleware
from .web.server import serve
from .web.socket_activation import take_sockets
from .web.watched_config import WatchedWebConfig

_log = structlog.get_logger(__name__)

_ALLOCATIONS = 10_000  # an observation has no cycles, and to look for some all the time takes a tenth of a poll


def main(options: argparse.Namespace) -> int:
    """Run the exporter until it is told to stop; return 0 after a wanted stop, 1 when it cannot start."""
    try:
        redactor = Redactor()
        set_up_logs(options.log_level, options.log_format, redactor)
        if isinstance(sys.stderr, LineStream):
            sys.stderr.writer.notice = dropped_line
        with contextlib.ExitStack() as stack:
            read = _demo(stack) if options.demo else lambda: load_config(options.config_file, guard_secrets=True)
            load = read if options.shard is None else lambda: replace(read(), shard=options.shard)
            if options.config_check:
                _tell("the demo" if options.demo else str(options.config_file), load())
                if options.web_config_file:
                    _tell_web(options.web_config_file)
                return 0
            _run(options, load, redactor)
    except (ConfigError, ListenError, OutputError, StateError, ThreadError) as error:
        say(str(error))
        return 1
    return 0


def _demo(stack: contextlib.ExitStack) -> Callable[[], Config]:
    """Start the simulated account, until ``stack`` is closed, and return what loads its configuration."""
    from .demo import Demo  # noqa: PLC0415 # the whole simulator, of which an exporter of an account has no use

    return stack.enter_context(Demo()).config


def _tell(name: str, config: Config) -> None:
    """Print what a check has found in the configuration ``name``."""
    for warning in warnings_of(config):
        say(f"{name}: warning: {warning}")
    probes = {name for account in config.accounts for name, settings in account.probes.items() if settings.enabled}
    accounts = len(config.accounts)
    answer(f"{name}: ok, {accounts} account{'s' * (accounts != 1)}, {len(probes)} probes")


def _tell_web(file: Path) -> None:
    config = load_web_config(file)
    for warning in config.warnings:
        say(f"{file}: warning: {warning}")
    users, tls = len(config.users), "no TLS" if config.tls is None else "TLS"
    answer(f"{file}: ok, {tls}, {users} user{'s' * (users != 1)}")


def _run(options: argparse.Namespace, load: Callable[[], Config], redactor: Redactor) -> None:
    set_up_interpreter()
    notifier = Notifier.take()
    service = Service(load, redactor, state=options.storage_path or _state_directory())
    if isinstance(sys.stderr, LineStream):
        sys.stderr.writer.count_dropped(service.counters.log_messages_dropped)
    file = options.web_config_file
    guarded = WatchedWebConfig(file, service.counters.web_config_reloaded) if file else WebConfig
    scheme = "https" if guarded().tls else "http"

    def reload() -> None:
        with notifier.reloading():
            service.reload()

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in take_sockets()]
        if options.systemd_socket and not sockets:
            raise ListenError("systemd hands over no socket: start a .socket unit, or leave out --web.systemd-socket")
        if sockets and options.listen_addresses:
            raise ListenError("systemd hands over the sockets to listen on: leave out --web.listen-address")
        if not sockets:
            listening = listen(*(options.listen_addresses or [DEFAULT_ADDRESS]))
            sockets = [stack.enter_context(sock) for sock in listening]
        stack.callback(service.stop)
        service.start()
        prefix = options.route_prefix if options.route_prefix is not None else options.external_url or ""
        web = WebOptions(
            telemetry_path=options.telemetry_path,
            enable_lifecycle=options.enable_lifecycle,
            max_requests=options.max_requests,
            route_prefix=prefix,
            external_path=options.external_url,
            is_demo=options.demo,
        )
        for sock in sockets:
            _log.info("listening", address=address_of(sock), page=f"{scheme}://{address_of(sock)}{prefix}/")
        serve(
            AuthMiddleware(make_app(service, web), guarded, threads=service.answering),
            sockets,
            reload,
            guarded,
            threads=service.answering,
            on_ready=lambda loop: notifier.ready(loop, service, service.standing),
            on_stop=notifier.stopping,
        )
    _log.info("stopped")


def _state_directory() -> Path | None:
    """Return the folder that systemd has made for us (StateDirectory=), the first where there are several."""
    folders = os.environ.get("STATE_DIRECTORY", "")
    return Path(folders.partition(":")[0]) if folders else None


def set_up_interpreter() -> None:
    """Look for garbage less often, and not in what was imported; call it once all is."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
