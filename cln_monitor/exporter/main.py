"""The program ``cln-exporter``; ``run`` minds signals from the start, so what takes long to import comes later."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cln_monitor.streams import open_missing

from .output import OutputError, answer, say
from .signals import dump_stacks_to, hold_signals

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from cln_monitor.cln import Redactor
    from cln_monitor.config import Config


_LAST_LINES = 0.5  # seconds for the last lines of the log, when nobody reads it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the exporter until it is told to stop; return 0 after a wanted stop, 1 when it cannot start."""
    from msgspec.structs import replace  # noqa: PLC0415

    from cln_monitor.cln import Redactor, ThreadError  # noqa: PLC0415
    from cln_monitor.config import ConfigError, load_config  # noqa: PLC0415

    from .line_writer import LineStream  # noqa: PLC0415
    from .listening import ListenError  # noqa: PLC0415
    from .logs import dropped_line, set_up_logs  # noqa: PLC0415
    from .options import make_parser  # noqa: PLC0415
    from .state_folder import StateError  # noqa: PLC0415

    try:
        options = make_parser().parse_args(arguments)
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
    from .demo import Demo  # noqa: PLC0415

    return stack.enter_context(Demo()).config


def _tell(name: str, config: Config) -> None:
    """Print what a check has found in the configuration ``name``."""
    from cln_monitor.config import warnings_of  # noqa: PLC0415

    for warning in warnings_of(config):
        say(f"{name}: warning: {warning}")
    probes = {name for account in config.accounts for name, settings in account.probes.items() if settings.enabled}
    accounts = len(config.accounts)
    answer(f"{name}: ok, {accounts} account{'s' * (accounts != 1)}, {len(probes)} probes")


def _tell_web(file: Path) -> None:
    from .web_config import load_web_config  # noqa: PLC0415

    config = load_web_config(file)
    for warning in config.warnings:
        say(f"{file}: warning: {warning}")
    users, tls = len(config.users), "no TLS" if config.tls is None else "TLS"
    answer(f"{file}: ok, {tls}, {users} user{'s' * (users != 1)}")


def _run(options: argparse.Namespace, load: Callable[[], Config], redactor: Redactor) -> None:
    import structlog  # noqa: PLC0415

    from .activation import take_sockets  # noqa: PLC0415
    from .guard import Guard  # noqa: PLC0415
    from .interpreter import set_up_interpreter  # noqa: PLC0415
    from .line_writer import LineStream  # noqa: PLC0415
    from .listening import ListenError, address_of, listen  # noqa: PLC0415
    from .notify import Notifier  # noqa: PLC0415
    from .options import DEFAULT_ADDRESS  # noqa: PLC0415
    from .server import serve  # noqa: PLC0415
    from .service import Service  # noqa: PLC0415
    from .web import WebOptions, make_app  # noqa: PLC0415
    from .web_config import WatchedWebConfig, WebConfig  # noqa: PLC0415

    log = structlog.get_logger(__name__)
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
        )
        for sock in sockets:
            log.info("listening", address=address_of(sock), page=f"{scheme}://{address_of(sock)}{prefix}/")
        serve(
            Guard(make_app(service, web), guarded, threads=service.answering),
            sockets,
            reload,
            guarded,
            threads=service.answering,
            on_ready=lambda loop: notifier.ready(loop, service, service.standing),
            on_stop=notifier.stopping,
        )
    log.info("stopped")


def _state_directory() -> Path | None:
    """Return the folder that systemd has made for us (StateDirectory=), the first where there are several."""
    folders = os.environ.get("STATE_DIRECTORY", "")
    return Path(folders.partition(":")[0]) if folders else None


def run() -> None:
    """Run :func:`main` as a process: it ends at once, whatever calls are under way."""
    open_missing()
    hold_signals()
    with _unhurried_stderr():
        try:
            code = main()
        except SystemExit as end:  # after the help, the version, or a wrong flag
            code = int(end.code or 0)
        # Python would wait here for the threads that wait for CLN, and CLN may take its time; a call that only reads
        # can be left.
        logging.shutdown()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(code)


@contextlib.contextmanager
def _unhurried_stderr() -> Iterator[None]:
    """Let nobody who writes to ``sys.stderr`` wait for who reads it, and a crash tell there where each thread was."""
    from .line_writer import LineStream, LineWriter, unblocking  # noqa: PLC0415

    dump_stacks_to(unblocking(sys.stderr.fileno()))
    stderr, writer = sys.stderr, LineWriter(sys.stderr.fileno())
    sys.stderr = LineStream(writer)
    try:
        yield
    finally:
        sys.stderr = stderr
        writer.close(_LAST_LINES)
