"""The command line of ``cln-exporter``, in the spelling of the Prometheus ecosystem."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from cln_monitor import __version__
from cln_monitor.probes import Shard
from cln_monitor.urls import is_http_url

from .logs import FORMATS, LEVELS

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-monitor.yml")
DEFAULT_ADDRESS = "127.0.0.1:10099"


class OutputError(Exception):
    """An answer that was asked for cannot be written to stdout."""


def answer(text: str) -> None:
    """Print what was asked for. Raises OutputError, but not where the reader of a pipe has gone, as ``head`` does."""
    try:
        print(text, flush=True)  # noqa: T201 # the answer asked for
    except BrokenPipeError:
        pass
    except OSError as error:
        raise OutputError(f"cannot write to stdout: {error.strerror}") from None


def say(text: str) -> None:
    """Print errors on stderr, each line with the name of the program; that nobody can read them changes nothing."""
    with contextlib.suppress(OSError):
        for line in text.splitlines():
            print(f"cln-exporter: {line}", file=sys.stderr, flush=True)  # noqa: T201 # no log yet


class _Parser(argparse.ArgumentParser):
    """Refuses as the rest of the program does: with one line, and exit code 1."""

    def error(self, message: str) -> NoReturn:
        say(f"{' '.join(message.splitlines())}; see --help")
        self.exit(1)

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:  # noqa: ARG002 # argparse gives none
        answer(self.format_help().rstrip())


class _Version(argparse.Action):
    """Prints the version; argparse's own action says nothing of output that cannot be written."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        answer(f"cln-exporter {__version__}")
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _Parser(
        prog="cln-exporter",
        description="Watches CloudLinux Network (CLN) accounts and publishes Prometheus metrics.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        default=DEFAULT_CONFIG,
        help="the configuration (default: %(default)s)",
    )
    add(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="check the configuration, tell what is unusual in it, and exit",
    )
    add("--demo", action="store_true", help="watch a simulated account: needs no configuration and no network")
    add(
        "--web.listen-address",
        dest="listen_addresses",
        action="append",
        metavar="HOST:PORT",
        help=f"address to listen on, :PORT for all addresses; can be repeated (default: {DEFAULT_ADDRESS})",
    )
    add(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, users and headers, as every exporter of Prometheus takes them; read anew when it changes",
    )
    add(
        "--web.telemetry-path",
        dest="telemetry_path",
        type=_path,
        metavar="PATH",
        default="/metrics",
        help="the path of the metrics (default: %(default)s)",
    )
    add(
        "--web.external-url",
        dest="external_url",
        type=_external_url,
        metavar="URL",
        help="the address by which others reach it, such as that of a reverse proxy; its path is the route prefix",
    )
    add(
        "--web.route-prefix",
        dest="route_prefix",
        type=_prefix,
        metavar="PATH",
        help="the path below which all paths are (default: the path of --web.external-url)",
    )
    add(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        help="listen on nothing but the sockets that systemd hands over, and fail where there are none",
    )
    add(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="let POST /-/reload load the configuration anew, as SIGHUP always does",
    )
    add(
        "--web.max-requests",
        dest="max_requests",
        type=_count,
        metavar="N",
        default=40,
        help="most scrapes answered at a time, 0 for no limit (default: %(default)s)",
    )
    add(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="share the keys with N exporters, of which this one is I, from 0 to N-1; over shard of the configuration",
    )
    add(
        "--storage.path",
        dest="storage_path",
        type=_folder,
        metavar="FOLDER",
        help="keep the last good observations in this folder over a restart (default: systemd's STATE_DIRECTORY)",
    )
    add("--log.level", dest="log_level", choices=LEVELS, default="info", help="least level to log (default: info)")
    add(
        "--log.format", dest="log_format", choices=FORMATS, default="logfmt", help="form of log lines (default: logfmt)"
    )
    add("--version", action=_Version, nargs=0, help="print the version number and exit")
    return parser


_OTHER_PATHS = (
    "//",
    "/probe/",
    "/config/",
    "/runbook/",
    "/-/",
    "/api/",
    "/sd/",
)  # a link to //x would lead to the host x


_SEGMENTS = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")


def _path(text: str) -> str:
    is_taken = f"{text}/".startswith(_OTHER_PATHS)
    if not _SEGMENTS.fullmatch(text.removesuffix("/")) or text in {"", "/"} or is_taken:
        raise argparse.ArgumentTypeError(f"expected a path such as /metrics that nothing else is at, got {text!r}")
    return text


def _prefix(text: str) -> str:
    """Return a prefix of paths without a slash at its end; that of all paths is empty."""
    prefix = text.rstrip("/")
    if not _SEGMENTS.fullmatch(prefix):
        raise argparse.ArgumentTypeError(f"expected a path such as /cln, got {text!r}")
    return prefix


def _external_url(text: str) -> str:
    """Return the path of an address, without a slash at its end."""
    if not is_http_url(text) or set("?#@") & set(text):
        raise argparse.ArgumentTypeError(f"expected an address such as https://example.net/cln, got {text!r}")
    return _prefix(urlsplit(text).path)


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("expected a folder, such as /var/lib/cln-exporter, got ''")
    return Path(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got {text!r}")
    return int(text)
