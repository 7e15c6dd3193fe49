"""Tests of the program ``cln-exporter`` as a process: its output, its pages and its shutdown."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cln_monitor.exporter.main import set_up_interpreter
from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.running import CLN_EXPORTER, PATIENCE, Exporter, Program, ask, running_exporter, wait_until
from tests.helpers.small_cln import SECRETS, small_cln, write_config

pytestmark = pytest.mark.processes

PROBES = ("status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els", "groups", "awp")


@pytest.fixture(scope="module")
def cln() -> Iterator[tuple[Simulator, str]]:
    """A simulated CLN with known values, and its API root."""
    simulator = small_cln()
    with serve(simulator) as served:
        yield simulator, served.url


@pytest.fixture(scope="module")
def exporter(cln: tuple[Simulator, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """The program monitoring that CLN, after one run of each probe; tests must not modify either."""
    with _watching(cln[1], tmp_path_factory.mktemp("exporter")) as running:
        yield running


@pytest.mark.measured
def test_metrics_match_the_golden_file(
    exporter: Exporter, cln: tuple[Simulator, str], golden: Callable[[str, str], None]
) -> None:
    """The exposition for known values matches the golden file, except for values that vary."""
    golden("metrics.txt", _stable(exporter.metrics(), cln[1]))


def test_openmetrics_has_the_same_series(exporter: Exporter) -> None:
    """OpenMetrics on request is complete, with the same series of polled data."""
    answer = exporter.ask("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("\n# EOF\n")
    kernelcare = [line for line in answer.text.splitlines() if line.startswith("cln_kernelcare_key_")]
    assert kernelcare == [line for line in exporter.metrics().splitlines() if line.startswith("cln_kernelcare_key_")]
    assert len(kernelcare) == 14


def test_only_reads_are_sent(exporter: Exporter, cln: tuple[Simulator, str]) -> None:
    """The exporter sends only GET requests of read-only calls."""
    exporter.ask("/probe?account=acme&probe=patch_status")
    calls = {(request.method, re.sub(r"(nagios|nagios-res)/.*", r"\1/…", request.path)) for request in cln[0].requests}
    assert calls == {
        ("GET", "/status.json"),
        ("GET", "/kcare/key/list.json"),
        ("GET", "/kcare/key/servers.json"),
        ("GET", "/im/key/list.json"),
        ("GET", "/im/srv/list.json"),
        ("GET", "/ipl/list.json"),
        ("GET", "/ipl/server.json"),
        ("GET", "/els/key/list.json"),
        ("GET", "/els/srv/list.json"),
        ("GET", "/group/list.json"),
        ("GET", "/group/servers/list.json"),
        ("GET", "/cl/awp"),
        ("GET", "/v2/cl/keys"),
        ("GET", "/v2/cl/servers"),
        ("GET", "/kcare/nagios/…"),
        ("GET", "/kcare/nagios-res/…"),
    }


def test_no_secret_is_exposed(tmp_path: Path) -> None:
    """No secret is in a page, a metric or the log, even while calls fail."""
    simulator = small_cln()
    with serve(simulator) as served, _watching(served.url, tmp_path) as exporter:
        for fault in (
            Fault("html"),
            Fault("reset"),
            Fault("status", status=401),
            Fault("redirect", location="http://192.0.2.9/"),
        ):
            simulator.faults.add(fault)
            _probe_all(exporter)
            simulator.faults.clear()
        texts = [exporter.ask(path).text for path in ("/", "/metrics", "/config")]
        texts += [exporter.ask(f"/api/v1/observations/acme/{probe}").text for probe in PROBES]
        texts.append(exporter.log)
    assert "reason=auth" in exporter.log
    for secret in SECRETS:
        assert not [text for text in texts if secret in text], secret


@pytest.mark.parametrize("where", ["*", "/kcare/key/servers.json"], ids=["all-calls", "the-calls-of-keys"])
def test_it_stops_within_seconds_of_sigterm_while_cln_hangs(where: str, tmp_path: Path) -> None:
    """SIGTERM stops the exporter within seconds while calls of polls and of /probe hang."""
    simulator = small_cln()
    simulator.faults.add(Fault("hang", where))
    with (
        serve(simulator) as served,
        running_exporter(tmp_path, f"--config.file={write_config(tmp_path, served.url)}") as exporter,
    ):
        assert exporter.ask("/-/healthy").status == 200  # signals are handled once it serves
        wait_until(
            lambda: [request for request in simulator.requests if request.path.startswith("/kcare/key/")], "a call"
        )
        wait_until(
            lambda: where == "*" or any("servers" in request.path for request in simulator.requests), "that call"
        )
        with socket.create_connection(("127.0.0.1", int(exporter.address.rpartition(":")[2]))) as probing:
            probing.sendall(b"GET /probe?account=acme&probe=kernelcare HTTP/1.1\r\nHost: x\r\n\r\n")
            code, seconds = exporter.stop()
    assert (code, seconds < 10) == (0, True), seconds
    assert "level=info msg=stopped" in exporter.log.splitlines()[-1]


@pytest.mark.measured
def test_ctrl_c_stops_the_demo(tmp_path: Path) -> None:
    """The demo needs no configuration, has some problem in each metric, and exits with 0 on SIGINT."""
    with running_exporter(tmp_path, "--demo") as exporter:
        exporter.wait_ready()
        metrics = exporter.metrics()
        code, _ = exporter.stop(signal.SIGINT)
    assert code == 0
    assert "Traceback" not in exporter.log
    for sample in (
        r'cln_kernelcare_key_servers\{account="demo",key="[^"]+",checkin="stale"\} [1-9]',
        r'cln_kernelcare_key_servers\{account="demo",key="[^"]+",checkin="never"\} [1-9]',
        r'cln_kernelcare_key_servers_limit\{account="demo",key="[^"]+"\} \+Inf',
        r'cln_imunify_key_servers\{account="demo",key="[^"]+",checkin="stale"\} [1-9]',
        r'cln_patch_status_servers\{account="demo",scope="reseller",key="",state="outofdate"\} [1-9]',
        r'cln_patch_status_host\{.*state="unsupported"\} 1',
    ):
        assert re.search(sample, metrics), sample


@pytest.mark.measured
def test_sighup(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """SIGHUP reloads the configuration; an invalid one leaves the previous one and its data in use."""
    config = write_config(tmp_path, cln[1])
    with running_exporter(tmp_path, f"--config.file={config}") as exporter:
        exporter.wait_ready()
        good = config.read_text()
        config.write_text(good + "surprise: 1\n")
        exporter.process.send_signal(signal.SIGHUP)
        exporter.wait_for_log("configuration reload failed")
        metrics = exporter.metrics()
        assert "cln_exporter_config_last_reload_successful 0.0" in metrics
        assert 'cln_kernelcare_key_servers_limit{account="acme",key="WsTs-' in metrics
        config.write_text(good.replace("name: acme", "name: renamed"))
        exporter.process.send_signal(signal.SIGHUP)
        exporter.wait_for_log("configuration reloaded")
        wait_until(lambda: 'account="renamed",key="WsTs-' in exporter.metrics(), "the renamed account")
        assert 'account="acme"' not in exporter.metrics()
        assert "cln_exporter_config_last_reload_successful 1.0" in exporter.metrics()


def test_a_sighup_during_startup(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """A SIGHUP during startup neither terminates the program nor is lost."""
    config = write_config(tmp_path, cln[1])
    good = config.read_text()
    config.unlink()
    os.mkfifo(config)  # blocks the program whenever it reads its configuration
    program = Program(
        [str(CLN_EXPORTER), "--web.listen-address=127.0.0.1:0", f"--config.file={config}"], tmp_path / "exporter.log"
    )
    try:
        wait_until(lambda: _blocks(program, signal.SIGHUP), "the program to block signals")
        program.process.send_signal(signal.SIGHUP)
        _write_to_reader(config, good)
        program.wait_for_log("msg=listening")
        _write_to_reader(config, good.replace("name: acme", "name: renamed"))
        program.wait_for_log("configuration reloaded")
        assert program.stop()[0] == 0
    finally:
        program.stop()


def test_signals_are_blocked_before_slow_imports() -> None:
    """Signals are blocked before slow imports, so that an early SIGHUP does not terminate the program."""
    slow = "{'structlog', 'uvicorn', 'requests', 'yaml'}"
    code = f"import sys, cln_monitor.exporter.__main__; print(*{slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "\n"


def test_reload_over_http_needs_the_flag(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """POST /-/reload returns 200 if it is enabled, and otherwise 403 with the flag."""
    with _watching(cln[1], tmp_path) as exporter:
        assert exporter.ask("/-/reload", "POST").status == 200
        assert exporter.ask("/-/reload").status == 405
    with running_exporter(tmp_path, f"--config.file={write_config(tmp_path, cln[1])}") as other:
        refused = other.ask("/-/reload", "POST")
    assert (refused.status, "--web.enable-lifecycle" in refused.text) == (403, True)


def test_config_check_says_ok(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """--config.check of a valid configuration prints a summary and exits with 0."""
    config = write_config(tmp_path, cln[1])
    assert _run(f"--config.file={config}", "--config.check") == (0, f"{config}: ok, 1 account, 9 probes\n", "")


@pytest.mark.measured
def test_config_check_warns(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """--config.check prints warnings about a valid configuration to stderr and exits with 0."""
    config = write_config(tmp_path, cln[1])
    config.write_text(config.read_text() + "tls_config: {insecure_skip_verify: true}\n")
    code, output, errors = _run(f"--config.file={config}", "--config.check")
    assert (code, output) == (0, f"{config}: ok, 1 account, 9 probes\n")
    warning = (
        "tls_config.insecure_skip_verify: TLS certificate verification is disabled; "
        "anyone on the network path can read the credentials"
    )
    assert errors == f"cln-exporter: {config}: warning: {warning}\n"


@pytest.mark.measured
def test_config_check_reads_the_web_configuration_too(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """--config.check also checks the web configuration, and prints its warnings or errors."""
    config, web = write_config(tmp_path, cln[1]), tmp_path / "web.yml"
    arguments = (f"--config.file={config}", f"--web.config.file={web}", "--config.check")
    web.write_text(f"basic_auth_users: {{alice: $2y$12${'u' * 53}}}\n")
    code, output, errors = _run(*arguments)
    assert (code, output.splitlines()[1]) == (0, f"{web}: ok, no TLS, 1 user")
    assert errors.startswith(f"cln-exporter: {web}: warning: basic_auth_users.alice: cost 12, not 10: response times ")
    web.write_text("basic_auth_users: {alice: secret}\n")
    complaint = "basic_auth_users.alice: not a bcrypt hash; create one with: htpasswd -nBC 10 ''"
    assert _run(*arguments) == (1, f"{config}: ok, 1 account, 9 probes\n", f"cln-exporter: {web}: {complaint}\n")


def test_an_invalid_web_configuration_is_one_line_per_problem_and_exit_1(tmp_path: Path) -> None:
    """An invalid web configuration prints one line per problem and exits with 1."""
    web = tmp_path / "web.yml"
    web.write_text("tls_server_config: {cert_file: no.pem, key_file: no.key}\nbasic_auth_user: {}\n")
    lines = [
        "basic_auth_user: unknown key; did you mean basic_auth_users?",
        f"tls_server_config.cert_file: cannot read {tmp_path}/no.pem (No such file or directory)",
    ]
    expected = "".join(f"cln-exporter: {web}: {line}\n" for line in lines)
    assert _run("--demo", f"--web.config.file={web}") == (1, "", expected)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "accounts: [",
            "line 1, column 12: expected the node content, but found '<stream end>'; "
            "check for an unclosed bracket or quote",
            id="yaml",
        ),
        pytest.param("acounts: []", "acounts: unknown key; did you mean accounts?", id="unknown-key"),
        pytest.param(
            "accounts: [{name: a, login: l, secret_key_file: nowhere}]",
            "accounts[0].secret_key_file: cannot read {folder}/nowhere (No such file or directory); "
            "relative paths start from {folder}",
            id="missing-secret-file",
        ),
        pytest.param(
            "accounts: [{name: a, login: l, secret_key: ''}]",
            "accounts[0].secret_key: is empty; put the secret key there",
            id="empty-secret",
        ),
        pytest.param(
            "accounts: [{name: a, login: l, secret_key: s}, {name: a, login: m, secret_key: t}]",
            "accounts[1].name: duplicate account name a; accounts[0] has the same name",
            id="duplicate-name",
        ),
        pytest.param(
            "timeout: 15\naccounts: [{name: a, login: l, secret_key: s}]",
            "timeout: invalid duration '15': use for example 90s, 15m, 1h30m; did you mean 15s or 15m?",
            id="no-unit",
        ),
    ],
)
def test_a_bad_configuration_is_one_line_and_exit_1(text: str, complaint: str, tmp_path: Path) -> None:
    """An invalid configuration is one line with the position and the fix, not a traceback."""
    config = tmp_path / "bad.yml"
    config.write_text(text)
    code, output, errors = _run(f"--config.file={config}")
    assert (code, output) == (1, "")
    assert f"cln-exporter: {config}: {complaint.replace('{folder}', str(tmp_path))}\n" in errors
    assert all(line.startswith(f"cln-exporter: {config}: ") for line in errors.splitlines())


@pytest.mark.measured
def test_a_missing_configuration_is_one_line_and_exit_1(tmp_path: Path) -> None:
    """The error about a missing configuration has its path."""
    missing = tmp_path / "missing.yml"
    complaint = f"{missing}: cannot be read: No such file or directory; create it, or use another file"
    assert _run(f"--config.file={missing}") == (1, "", f"cln-exporter: {complaint}\n")


def test_a_bad_flag_is_one_line_and_exit_1() -> None:
    """The error about an unknown flag refers to --help."""
    complaint = "cln-exporter: unrecognized arguments: --config.fil=x; see --help\n"
    assert _run("--config.fil=x") == (1, "", complaint)


def test_a_port_in_use_is_one_line_and_exit_1(exporter: Exporter) -> None:
    """The error about a port in use has the address."""
    complaint = f"cannot listen on {exporter.address}: Address already in use; is another exporter running?"
    assert _run("--demo", f"--web.listen-address={exporter.address}") == (1, "", f"cln-exporter: {complaint}\n")


def test_it_listens_on_each_address(tmp_path: Path) -> None:
    """The exporter listens on each repeated --web.listen-address."""
    with running_exporter(tmp_path, "--demo", "--web.listen-address=[::1]:0") as exporter:
        second = exporter.wait_for_log(r"address=(\[::1\]:\d+)")[1]
        assert ask(f"http://{second}/-/healthy").status == 200
        assert exporter.ask("/-/healthy").status == 200


def test_version() -> None:
    """--version prints the name and the version of the program."""
    code, output, _ = _run("--version")
    assert (code, bool(re.fullmatch(r"cln-exporter \d+\.\d+\.\d+\n", output))) == (0, True), output


def test_garbage_collection_stays_enabled() -> None:
    """Garbage is collected less often than by default, and not in imported modules."""
    before = gc.get_threshold()
    try:
        set_up_interpreter()
        assert gc.isenabled()
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _blocks(program: Program, number: signal.Signals) -> bool:
    """Return whether the process blocks a signal."""
    assert program.process.poll() is None, program.log
    blocked = re.search(r"SigBlk:\s*(\w+)", Path(f"/proc/{program.process.pid}/status").read_text(encoding="utf-8"))
    return blocked is not None and bool(int(blocked[1], 16) >> (number - 1) & 1)


def _write_to_reader(fifo: Path, text: str) -> None:
    """Write ``text`` to the reader of ``fifo``, once there is one."""

    def reader() -> int | None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # no reader yet
            return None

    end = wait_until(reader, "a reader of the configuration")
    assert end is not None
    with os.fdopen(end, "w", encoding="utf-8") as writing:
        writing.write(text)


@contextlib.contextmanager
def _watching(api_url: str, directory: Path) -> Iterator[Exporter]:
    """Run an exporter with a configuration in ``directory``, and wait until each probe has run once."""
    config = write_config(directory, api_url)
    with running_exporter(
        directory, f"--config.file={config}", "--web.enable-lifecycle", "--log.level=debug"
    ) as running:
        running.wait_ready()
        yield running


def _probe_all(exporter: Exporter) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda probe: exporter.ask(f"/probe?account=acme&probe={probe}"), PROBES))


def _run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([CLN_EXPORTER, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr


_DIFFERS = re.compile(
    r"cln_probe_(duration|last)|cln_api_(requests_total|request_duration|clock_skew)"
    r"|cln_exporter_(build_info|config_last_reload_success_timestamp)"
    r'|cln_(kernelcare|els)_server_last_checkin_timestamp_seconds\{.*server_id="(fresh|4711)"'
)


def _stable(metrics: str, api_url: str) -> str:
    """Remove values that vary from ``metrics``."""
    host = api_url.removeprefix("http://").partition("/")[0]
    lines: list[str] = []
    # The order of counter series depends on the threads.
    for line in _with_api_series_sorted(metrics.replace(host, "cln.example.net").splitlines()):
        if re.match(r"(# (HELP|TYPE) )?(process_|python_)|cln_api_request_duration_seconds_bucket", line):
            continue
        if _DIFFERS.match(line):
            lines.append(re.sub(r'version="[^"]+"', 'version="…"', line.rpartition(" ")[0]) + " …")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _with_api_series_sorted(lines: list[str]) -> list[str]:
    ordered: list[str] = []
    for is_api, group in itertools.groupby(lines, lambda line: line.startswith("cln_api_")):
        block = list(group)
        ordered += sorted(block) if is_api else block
    return ordered
