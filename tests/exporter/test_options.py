"""The command line: defaults, what can be set, and what is refused with exit code 1 and words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor.exporter.options import DEFAULT_ADDRESS, make_parser
from cln_monitor.probes import Shard

PATH = "expected a path such as /metrics that nothing else is at, got"
COUNT = "expected a number of 0 or more, got"


def test_defaults() -> None:
    """As the contract has them."""
    options = make_parser().parse_args([])
    assert options.config_file == Path("/etc/cln-monitor/cln-monitor.yml")
    assert (options.config_check, options.demo, options.enable_lifecycle) == (False, False, False)
    assert (options.listen_addresses, DEFAULT_ADDRESS) == (None, "127.0.0.1:10099")
    assert (options.telemetry_path, options.max_requests) == ("/metrics", 40)
    assert (options.web_config_file, options.storage_path) == (None, None)
    assert (options.shard, options.log_level, options.log_format) == (None, "info", "logfmt")


def test_all_that_can_be_set() -> None:
    """Each flag of the contract, with ``=`` or a blank; an address can be given again."""
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
        ("--web.telemetry-path=metrics", f"argument --web.telemetry-path: {PATH} 'metrics'"),
        ("--web.telemetry-path=", f"argument --web.telemetry-path: {PATH} ''"),
        ("--web.telemetry-path=/", f"argument --web.telemetry-path: {PATH} '/'"),
        ("--web.telemetry-path=/probe", f"argument --web.telemetry-path: {PATH} '/probe'"),
        ("--web.telemetry-path=/probe/x", f"argument --web.telemetry-path: {PATH} '/probe/x'"),
        ("--web.telemetry-path=/probe/", f"argument --web.telemetry-path: {PATH} '/probe/'"),
        ("--web.telemetry-path=//x", f"argument --web.telemetry-path: {PATH} '//x'"),
        ("--web.telemetry-path=/x//y", f"argument --web.telemetry-path: {PATH} '/x//y'"),
        ("--web.telemetry-path=/config", f"argument --web.telemetry-path: {PATH} '/config'"),
        ("--web.telemetry-path=/config/x", f"argument --web.telemetry-path: {PATH} '/config/x'"),
        ("--web.telemetry-path=/-/healthy", f"argument --web.telemetry-path: {PATH} '/-/healthy'"),
        ("--web.telemetry-path=/api/v1", f"argument --web.telemetry-path: {PATH} '/api/v1'"),
        ("--web.telemetry-path=/sd/els", f"argument --web.telemetry-path: {PATH} '/sd/els'"),
        ("--web.telemetry-path=/m?x", f"argument --web.telemetry-path: {PATH} '/m?x'"),
        ("--web.telemetry-path=/{m}", f"argument --web.telemetry-path: {PATH} '/{{m}}'"),
        ("--web.telemetry-path=/m%20s", f"argument --web.telemetry-path: {PATH} '/m%20s'"),
        ("--web.telemetry-path=/m s", f"argument --web.telemetry-path: {PATH} '/m s'"),
        ("--web.max-requests=-1", f"argument --web.max-requests: {COUNT} '-1'"),
        ("--web.max-requests=many", f"argument --web.max-requests: {COUNT} 'many'"),
        ("--web.max-requests=", f"argument --web.max-requests: {COUNT} ''"),
        ("--web.max-requests=²", f"argument --web.max-requests: {COUNT} '²'"),
        ("--web.max-requests=\u0661", f"argument --web.max-requests: {COUNT} '\u0661'"),
        ("--web.max-requests=1_0", f"argument --web.max-requests: {COUNT} '1_0'"),
        *(
            (f"--web.route-prefix={path}", f"argument --web.route-prefix: expected a path such as /cln, got '{path}'")
            for path in ("cln", "/a//b", "/a?b", "/a#b", "/a b", "/%2f", "/{a}")
        ),
        *(
            (f"--web.external-url={url}", "argument --web.external-url: expected an address such as https://")
            for url in ("", "/cln", "cln", "ftp://x/", "http://", "http://x:y/", "http://x/?a", "http://u:p@x/")
        ),
        ("--storage.path=", "argument --storage.path: expected a folder, such as /var/lib/cln-exporter, got ''"),
        ("--log.level=loud", "argument --log.level: invalid choice: 'loud' (choose from"),
        ("--log.format=xml", "argument --log.format: invalid choice: 'xml' (choose from"),
        ("--config.fil=x", "unrecognized arguments: --config.fil=x"),
        ("--web.enable-lifecycle=yes", "argument --web.enable-lifecycle: ignored explicit argument 'yes'"),
        ("surprise", "unrecognized arguments: surprise"),
        ("two\nlines", "unrecognized arguments: two lines"),
    ],
)
def test_refused(argument: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and one line that says what would be right."""
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args([argument])
    error = capsys.readouterr().err
    assert caught.value.code == 1
    assert error.startswith(f"cln-exporter: {complaint}")
    assert error.endswith("; see --help\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("path", ["/metrics", "/m", "/all/metrics", "/-x", "/apis", "/probes", "/metrics/"])
def test_telemetry_paths(path: str) -> None:
    """Any path that nothing else is at."""
    assert make_parser().parse_args([f"--web.telemetry-path={path}"]).telemetry_path == path


def test_help_tells_each_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help sees each flag and its default."""
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
    """The path of the address by which others come, and that by which the exporter is asked."""
    options = make_parser().parse_args(arguments)
    assert (options.external_url, options.route_prefix) == (external, prefix)
