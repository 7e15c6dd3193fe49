"""Tests of the command line: defaults, valid values, and errors with exit code 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor.exporter.options import DEFAULT_ADDRESS, make_parser
from cln_monitor.probes import Shard

PATH = "argument --web.telemetry-path: invalid path '{}': use for example /metrics, not a path of another endpoint"
COUNT = "argument --web.max-requests: invalid number '{}': use 0 or a positive integer"


def test_defaults() -> None:
    """An empty command line has the default of each flag."""
    options = make_parser().parse_args([])
    assert options.config_file is None
    assert (options.config_check, options.demo, options.enable_lifecycle) == (False, False, False)
    assert (options.listen_addresses, DEFAULT_ADDRESS) == (None, "127.0.0.1:10099")
    assert (options.telemetry_path, options.max_requests) == ("/metrics", 40)
    assert (options.web_config_file, options.storage_path) == (None, None)
    assert (options.shard, options.log_level, options.log_format) == (None, "info", "logfmt")


def test_every_flag_can_be_set() -> None:
    """Each flag takes its value after ``=`` or a space, and an address can be repeated."""
    options = make_parser().parse_args(
        [
            "--config.file=/tmp/a.yml",
            "--config.check",
            "--demo",
            *("--web.listen-address", "127.0.0.1:1", "--web.listen-address=[::1]:2"),
            "--web.config.file=/tmp/web.yml",
            "--web.telemetry-path=/all/metrics",
            "--web.enable-lifecycle",
            "--web.max-requests=0",
            "--shard=1/3",
            "--storage.path=/tmp/state",
            "--log.level=warn",
            "--log.format=json",
        ]
    )
    assert options.config_file == Path("/tmp/a.yml")
    assert (options.config_check, options.demo, options.enable_lifecycle) == (True, True, True)
    assert options.listen_addresses == ["127.0.0.1:1", "[::1]:2"]
    assert options.web_config_file == Path("/tmp/web.yml")
    assert (options.telemetry_path, options.max_requests) == ("/all/metrics", 0)
    assert (options.shard, options.log_level, options.log_format) == (Shard(1, 3), "warn", "json")
    assert options.storage_path == Path("/tmp/state")


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("--shard=3/3", "argument --shard: expected 0/3 to 2/3, as shards count from 0, got 3/3"),
        ("--shard=1/1", "argument --shard: expected 0/1, as shards count from 0, got 1/1"),
        ("--shard=2", "argument --shard: expected a shard such as 0/3, the first of three, got '2'"),
        ("--shard=-1/3", "argument --shard: expected a shard such as 0/3, the first of three, got '-1/3'"),
        ("--shard=0/1001", "argument --shard: expected 1 to 1000 shards in all, got 1001"),
        ("--web.telemetry-path=metrics", PATH.format("metrics")),
        ("--web.telemetry-path=", PATH.format("")),
        ("--web.telemetry-path=/", PATH.format("/")),
        ("--web.telemetry-path=/probe", PATH.format("/probe")),
        ("--web.telemetry-path=/probe/x", PATH.format("/probe/x")),
        ("--web.telemetry-path=/probe/", PATH.format("/probe/")),
        ("--web.telemetry-path=//x", PATH.format("//x")),
        ("--web.telemetry-path=/x//y", PATH.format("/x//y")),
        ("--web.telemetry-path=/config", PATH.format("/config")),
        ("--web.telemetry-path=/config/x", PATH.format("/config/x")),
        ("--web.telemetry-path=/-/healthy", PATH.format("/-/healthy")),
        ("--web.telemetry-path=/api/v1", PATH.format("/api/v1")),
        ("--web.telemetry-path=/sd/els", PATH.format("/sd/els")),
        ("--web.telemetry-path=/m?x", PATH.format("/m?x")),
        ("--web.telemetry-path=/{m}", PATH.format("/{m}")),
        ("--web.telemetry-path=/m%20s", PATH.format("/m%20s")),
        ("--web.telemetry-path=/m s", PATH.format("/m s")),
        ("--web.max-requests=-1", COUNT.format("-1")),
        ("--web.max-requests=many", COUNT.format("many")),
        ("--web.max-requests=", COUNT.format("")),
        ("--web.max-requests=²", COUNT.format("²")),
        ("--web.max-requests=\u0661", COUNT.format("\u0661")),
        ("--web.max-requests=1_0", COUNT.format("1_0")),
        *(
            (f"--web.route-prefix={path}", f"argument --web.route-prefix: invalid path '{path}': use for example /cln")
            for path in ("cln", "/a//b", "/a?b", "/a#b", "/a b", "/%2f", "/{a}")
        ),
        *(
            (f"--web.external-url={url}", f"argument --web.external-url: invalid URL '{url}': use for example https://")
            for url in ("", "/cln", "cln", "ftp://x/", "http://", "http://x:y/", "http://x/?a", "http://u:p@x/")
        ),
        ("--storage.path=", "argument --storage.path: invalid directory '': use for example /var/lib/cln-exporter"),
        ("--log.level=loud", "argument --log.level: invalid choice: 'loud' (choose from"),
        ("--log.format=xml", "argument --log.format: invalid choice: 'xml' (choose from"),
        ("--config.fil=x", "unrecognized arguments: --config.fil=x"),
        ("--web.enable-lifecycle=yes", "argument --web.enable-lifecycle: ignored explicit argument 'yes'"),
        ("surprise", "unrecognized arguments: surprise"),
        ("two\nlines", "unrecognized arguments: two lines"),
    ],
)
def test_an_invalid_command_line_is_one_line_and_exit_1(
    argument: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid command line prints one line with a valid example and exits with 1."""
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args([argument])
    error = capsys.readouterr().err
    assert caught.value.code == 1
    assert error.startswith(f"cln-exporter: {complaint}")
    assert error.endswith("; see --help\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("path", ["/metrics", "/m", "/all/metrics", "/-x", "/apis", "/probes", "/metrics/"])
def test_telemetry_paths(path: str) -> None:
    """A path that no other endpoint uses is accepted for the metrics."""
    assert make_parser().parse_args([f"--web.telemetry-path={path}"]).telemetry_path == path


def test_help_shows_each_default(capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows the defaults of the flags."""
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(["--help"])
    assert caught.value.code == 0
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    for shown in ("/etc/cln-monitor/", f"(default: {DEFAULT_ADDRESS})", "(default: /metrics)"):
        assert shown in text


@pytest.mark.parametrize(
    ("arguments", "external", "prefix"),
    [
        ([], None, None),
        (["--web.external-url=https://example.net/cln/"], "/cln", None),
        (["--web.external-url=https://example.net"], "", None),
        (["--web.external-url=http://[::1]:80/a/b", "--web.route-prefix=/"], "/a/b", ""),
        (["--web.route-prefix=/cln/"], None, "/cln"),
    ],
)
def test_prefixes(arguments: list[str], external: str | None, prefix: str | None) -> None:
    """The external URL is reduced to its path, and a route prefix loses its trailing slash."""
    options = make_parser().parse_args(arguments)
    assert (options.external_url, options.route_prefix) == (external, prefix)
