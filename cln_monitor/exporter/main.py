"""The program ``cln-exporter``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from cln_monitor.cln import Redactor
from cln_monitor.config import Config, ConfigError, load_config

from .demo import Demo
from .logs import set_up_logs
from .options import DEFAULT_ADDRESS, make_parser
from .server import ListenError, address_of, listen, serve
from .service import Service
from .web import WebOptions, make_app

_PATIENCE = 1.0  # seconds that a stop waits for calls under way

_log = structlog.get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the exporter until it is told to stop; return 0 after a wanted stop, 1 when it cannot start."""
    options = make_parser().parse_args(arguments)
    redactor = Redactor()
    set_up_logs(options.log_level, options.log_format, redactor)
    try:
        with contextlib.ExitStack() as stack:
            load = stack.enter_context(Demo()).config if options.demo else lambda: load_config(options.config_file)
            if options.config_check:
                config = load()
                print(f"{'the demo' if options.demo else options.config_file}: {_summary(config)}")  # noqa: T201 # the answer asked for
                return 0
            _run(options, load, redactor)
    except (ConfigError, ListenError) as error:
        print(f"cln-exporter: {error}".replace("\n", "\ncln-exporter: "), file=sys.stderr)  # noqa: T201 # no log yet
        return 1
    return 0


def _summary(config: Config) -> str:
    probes = {name for account in config.accounts for name, settings in account.probes.items() if settings.enabled}
    accounts = len(config.accounts)
    return f"ok, {accounts} account{'s' * (accounts != 1)}, {len(probes)} probes"


def _run(options: argparse.Namespace, load: Callable[[], Config], redactor: Redactor) -> None:
    service = Service(load, redactor)
    with contextlib.ExitStack() as stack:
        addresses = options.listen_addresses or [DEFAULT_ADDRESS]
        sockets = [stack.enter_context(listen(address)) for address in addresses]
        stack.callback(service.stop)
        service.start()
        web = WebOptions(options.telemetry_path, options.enable_lifecycle, options.max_requests)
        for sock in sockets:
            _log.info("listening", address=address_of(sock), page=f"http://{address_of(sock)}/")
        serve(make_app(service, web), sockets, service.reload)
    _log.info("stopped")


def run() -> None:
    """Run :func:`main` as a process: it ends at once, whatever calls are under way."""
    code = main()
    ends_at = time.monotonic() + _PATIENCE
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(max(0.0, ends_at - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        # A thread that waits for CLN would hold the exit for as long as CLN takes; a call that only reads can be left.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
