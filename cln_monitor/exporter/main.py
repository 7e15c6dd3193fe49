"""The program ``cln-exporter``: sets up the exporter from its options and runs it until it is stopped."""

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
from cln_monitor.config import ENVIRONMENT, Config, ConfigError, load_file_or_environment, warnings_of
from cln_monitor.daemon.logs import dropped_line, set_up_logs
from cln_monitor.daemon.systemd import Notifier
from cln_monitor.daemon.terminal import OutputError, eprint, print_output

from .allocator import set_up_allocator
from .line_writer import LineStream
from .options import DEFAULT_ADDRESS, PROGRAM
from .service import Service
from .storage.directory import StateError
from .web.app import WebOptions, make_app
from .web.config import WebConfig, load_web_config
from .web.listening import ListenError, address_of, listen
from .web.middleware import AuthMiddleware
from .web.server import serve
from .web.socket_activation import take_sockets
from .web.watched_config import WatchedWebConfig

_log = structlog.get_logger(__name__)

_GC_THRESHOLD = 10_000  # observations have no reference cycles; the default threshold costs a tenth of a poll


def main(options: argparse.Namespace) -> int:
    """Run the exporter until a signal stops it. Return the exit code: 0 after such a stop, 1 if it cannot start."""
    try:
        redactor = Redactor()
        set_up_logs(options.log_level, options.log_format, redactor)
        if isinstance(sys.stderr, LineStream):
            sys.stderr.writer.notice = dropped_line
        with contextlib.ExitStack() as stack:
            load_file = (
                _demo(stack)
                if options.demo
                else lambda: load_file_or_environment(options.config_file, guard_secrets=True)
            )
            load = load_file if options.shard is None else lambda: replace(load_file(), shard=options.shard)
            if options.config_check:
                _print_check(load(), is_demo=options.demo)
                if options.web_config_file:
                    _print_web_check(options.web_config_file)
                return 0
            _run(options, load, redactor)
    except (ConfigError, ListenError, OutputError, StateError, ThreadError) as error:
        eprint(PROGRAM, str(error))
        return 1
    return 0


def _demo(stack: contextlib.ExitStack) -> Callable[[], Config]:
    """Simulate an account until ``stack`` is closed; return the function that loads its configuration."""
    from .demo import Demo  # noqa: PLC0415 # the simulator, which only the demo needs

    return stack.enter_context(Demo()).config


def _print_check(config: Config, *, is_demo: bool) -> None:
    """Print the warnings about the valid configuration ``config``, and a summary of it."""
    name = "demo" if is_demo else str(config.file or ENVIRONMENT)
    for warning in warnings_of(config):
        eprint(PROGRAM, f"{name}: warning: {warning}")
    probes = len(config.enabled_probes)
    print_output(f"{name}: ok, {config.counts}, {probes} probe{'s' * (probes != 1)}")


def _print_web_check(file: Path) -> None:
    """Print the warnings about the valid web configuration ``file``, and a summary of it."""
    config = load_web_config(file)
    for warning in config.warnings:
        eprint(PROGRAM, f"{file}: warning: {warning}")
    users, tls = len(config.users), "no TLS" if config.tls is None else "TLS"
    print_output(f"{file}: ok, {tls}, {users} user{'s' * (users != 1)}")


def _run(options: argparse.Namespace, load: Callable[[], Config], redactor: Redactor) -> None:
    notifier = Notifier.from_environment()
    service = Service(load, redactor, state=options.storage_path or _state_directory())
    if isinstance(sys.stderr, LineStream):
        sys.stderr.writer.count_dropped(service.counters.log_messages_dropped)
    file = options.web_config_file
    load_web = WatchedWebConfig(file, service.counters.web_config_reloaded) if file else WebConfig
    scheme = "https" if load_web().tls else "http"

    def reload() -> None:
        with notifier.reloading():
            service.reload()

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in take_sockets()]
        if options.systemd_socket and not sockets:
            raise ListenError(
                "systemd passed no sockets: start the exporter by a .socket unit, or remove --web.systemd-socket"
            )
        if sockets and options.listen_addresses:
            raise ListenError("systemd passed sockets to listen on: remove --web.listen-address")
        if not sockets:
            listening = listen(*(options.listen_addresses or [DEFAULT_ADDRESS]))
            sockets = [stack.enter_context(sock) for sock in listening]
        stack.callback(service.stop)
        service.start()
        set_up_interpreter()
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
            AuthMiddleware(make_app(service, web), load_web, threads=service.answering),
            sockets,
            reload,
            load_web,
            threads=service.answering,
            on_ready=lambda loop: notifier.ready(loop, service, service.status_line),
            on_stop=notifier.stopping,
        )
    _log.info("stopped")


def _state_directory() -> Path | None:
    """Return the first directory of ``StateDirectory=`` of the systemd unit, or None."""
    directories = os.environ.get("STATE_DIRECTORY", "")
    return Path(directories.partition(":")[0]) if directories else None


def set_up_interpreter() -> None:
    """Set up memory: the collector runs less often, and not over imported modules. Call it after all imports.

    The first client imports the last ones, those of the HTTP libraries.
    """
    set_up_allocator()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
