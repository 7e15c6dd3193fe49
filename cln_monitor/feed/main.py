"""The program ``cln-feed``: checks its configuration, prints objects, or feeds until it is stopped."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import os
import signal
import sys
from pathlib import Path

import structlog

from cln_monitor.checks.plugin_exit import CheckError, NoResponseError
from cln_monitor.cln import Redactor
from cln_monitor.config import ConfigError
from cln_monitor.daemon.logs import set_up_logs
from cln_monitor.daemon.systemd import Notifier
from cln_monitor.daemon.terminal import OutputError, eprint, print_output
from cln_monitor.standard_streams import open_missing

from .config import DEFAULT_CONFIG, FeedConfig, load_config
from .exporter_reader import ExporterReader
from .feeder import Feeder
from .judge import Judge
from .options import PROGRAM, parse
from .sinks import SINKS

_log = structlog.get_logger(__name__)

_HANDLED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
_IGNORED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO)
"""Signals that have no meaning here and would end the process, such as one of log rotation to the wrong process."""
_GC_THRESHOLD = 10_000  # results have no reference cycles


def run() -> None:
    """Run the program with the arguments of this process, and end the process."""
    open_missing()
    faulthandler.enable()  # the watchdog of systemd sends SIGABRT
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    set_up_logs("error", "logfmt", Redactor())  # on stderr, also for commands that print to stdout
    try:
        code = main()
    except SystemExit as end:  # after --help, --version, or an invalid flag
        code = int(end.code or 0)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)  # at once: on a stop nothing more is sent, and freshness does its work


def main(arguments: list[str] | None = None) -> int:
    """Run the program, and return its exit code: 1 for a problem, which is printed."""
    try:
        options = parse(arguments)
        file = options.config_file or DEFAULT_CONFIG
        if options.config_check:
            _print_check(load_config(file))
        elif options.core:
            _print_definitions(load_config(file), options.core)
        elif options.check:
            return _check_receivers(load_config(file))
        else:
            _feed(options, file)
    except (ConfigError, OutputError) as error:
        eprint(PROGRAM, str(error))
        return 1
    except (CheckError, NoResponseError) as error:
        eprint(PROGRAM, f"cannot read the license keys: {error}")
        return 1
    return 0


def _print_check(config: FeedConfig) -> None:
    print_output(f"{config.file}: ok, {_summary(config)}")


def _summary(config: FeedConfig) -> str:
    services = len(config.services)
    return f"{services} service{'s' * (services != 1)}, sinks: {', '.join(config.sinks)}"


def _print_definitions(config: FeedConfig, core: str) -> None:
    from .definitions import icinga2, nagios  # noqa: PLC0415 # only this command needs them

    services = Judge(config.services, ExporterReader(config)).services_now()
    define = {"icinga2": icinga2.definitions, "nagios": nagios.definitions}[core]
    print_output(define(services, config.ttl).rstrip())


def _check_receivers(config: FeedConfig) -> int:
    """Print the problems of the exporter and what each receiver reports for the services; return the exit code."""
    import time  # noqa: PLC0415 # only this command needs it

    reader = ExporterReader(config)
    judge = Judge(config.services, reader)
    results = judge.judge_all(time.time())
    code = 0
    for problem in (*reader.problems, *judge.key_services.problems):
        eprint(PROGRAM, f"exporter: {problem}")
        code = 1
    for name, settings in config.sinks.items():
        sink = SINKS[name].make(settings)
        with contextlib.closing(sink):
            problems = sink.check(results)
        for problem in problems:
            eprint(PROGRAM, f"{name}: {problem}")
            code = 1
        if not problems:
            print_output(f"{name}: ok, {len(results)} service{'s' * (len(results) != 1)}")
    return code


def _feed(options: argparse.Namespace, file: Path) -> None:
    """Feed until a signal stops it. Raises ConfigError."""
    redactor = Redactor()
    set_up_logs(options.log_level, options.log_format, redactor)
    notifier = Notifier.from_environment()

    def load() -> FeedConfig:
        config = load_config(file)
        for secret in ExporterReader(config).secrets:
            redactor.hide(secret)
        return config

    feeder = Feeder(load, notifier.alive, heartbeat=notifier.interval)
    if options.listen_address is not None:
        host, port = options.listen_address
        try:
            feeder.metrics.serve(host, port)
        except OSError as error:
            raise OutputError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        _log.info("listening", address=f"{host}:{port}")
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    _log.info("feeding", services=len(feeder.config.services), sinks=", ".join(feeder.config.sinks))
    feeder.start()
    notifier.started(feeder.status)
    while signal.sigwait(_HANDLED) == signal.SIGHUP:
        with notifier.reloading():
            feeder.reload()
    notifier.stopping()
    _log.info("stopped")
