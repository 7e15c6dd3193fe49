"""The command line of ``cln-exporter``, whose flags follow the conventions of Prometheus."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from urllib.parse import urlsplit

from cln_monitor.daemon.command_line import Parser
from cln_monitor.probes import Shard
from cln_monitor.urls import is_http_url

DEFAULT_ADDRESS = "127.0.0.1:10099"

PROGRAM = "cln-exporter"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog=PROGRAM,
        description="Monitors CloudLinux Network (CLN) accounts and TuxCare ePortals, and exposes Prometheus metrics.",
        allow_abbrev=False,
        add_help=False,
    )
    add = parser.add_argument
    add("-h", "--help", action="help", help="Show this help and exit.")
    add(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="Configuration file (default: /etc/cln-monitor/cln-monitor.yml; if that does not exist, the environment "
        "variables CLN_LOGIN, CLN_SECRET_KEY, CLN_ACCOUNT and CLN_API_URL).",
    )
    add(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="Check the configuration, print warnings, and exit.",
    )
    add(
        "--demo",
        action="store_true",
        help="Monitor a simulated account; needs neither a configuration nor a network.",
    )
    add(
        "--web.listen-address",
        dest="listen_addresses",
        action="append",
        metavar="HOST:PORT",
        help="Address on which to expose metrics and the status page; use :PORT for all interfaces. Repeatable for "
        f"multiple addresses (default: {DEFAULT_ADDRESS}).",
    )
    add(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="Path to the web configuration file that enables TLS or authentication, in the format of Prometheus "
        "exporters; reloaded automatically when it changes.",
    )
    add(
        "--web.telemetry-path",
        dest="telemetry_path",
        type=_path,
        metavar="PATH",
        default="/metrics",
        help="Path under which to expose metrics (default: %(default)s).",
    )
    add(
        "--web.external-url",
        dest="external_url",
        type=_external_url,
        metavar="URL",
        help="URL under which the exporter is externally reachable, for example via a reverse proxy; its path is the "
        "default of --web.route-prefix.",
    )
    add(
        "--web.route-prefix",
        dest="route_prefix",
        type=_prefix,
        metavar="PATH",
        help="Prefix for the internal routes of web endpoints (default: the path of --web.external-url).",
    )
    add(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        help="Use only the sockets of systemd socket activation; fail if systemd passes none.",
    )
    add(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="Enable reload via POST /-/reload. SIGHUP always reloads.",
    )
    add(
        "--web.max-requests",
        dest="max_requests",
        type=_count,
        metavar="N",
        default=40,
        help="Maximum number of parallel scrape requests; 0 disables the limit (default: %(default)s).",
    )
    add(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="Index I, from 0 to N-1, of this exporter among N exporters that share the keys; overrides shard of the "
        "configuration.",
    )
    add(
        "--storage.path",
        dest="storage_path",
        type=_directory,
        metavar="DIRECTORY",
        help="Directory that keeps the last good observations across restarts (default: STATE_DIRECTORY of systemd).",
    )
    parser.add_log_and_version()
    return parser


_RESERVED_PATHS = (
    "//",
    "/probe/",
    "/config/",
    "/runbook/",
    "/-/",
    "/api/",
    "/sd/",
)  # a link to //x would point to the host x


_SEGMENTS = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")


def _path(text: str) -> str:
    is_reserved = f"{text}/".startswith(_RESERVED_PATHS)
    if not _SEGMENTS.fullmatch(text.removesuffix("/")) or text in {"", "/"} or is_reserved:
        raise argparse.ArgumentTypeError(
            f"invalid path {text!r}: use for example /metrics, not a path of another endpoint"
        )
    return text


def _prefix(text: str) -> str:
    """Return a route prefix without a trailing slash; ``/`` becomes the empty string."""
    prefix = text.rstrip("/")
    if not _SEGMENTS.fullmatch(prefix):
        raise argparse.ArgumentTypeError(f"invalid path {text!r}: use for example /cln")
    return prefix


def _external_url(text: str) -> str:
    """Return the path of a URL, without a trailing slash."""
    if not is_http_url(text) or set("?#@") & set(text):
        raise argparse.ArgumentTypeError(f"invalid URL {text!r}: use for example https://example.net/cln")
    return _prefix(urlsplit(text).path)


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _directory(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("invalid directory '': use for example /var/lib/cln-exporter")
    return Path(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"invalid number {text!r}: use 0 or a positive integer")
    return int(text)
