"""The shipped units under a booted systemd: start, sandboxing, stop and restart."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.helpers import servers
from tests.helpers.certificates import Authority
from tests.helpers.package import ROOT, Package
from tests.helpers.running import wait_until
from tests.helpers.small_cln import LOGIN, REGISTRATION_TOKEN, SECRET_KEY
from tests.helpers.systemd import NEEDED, PYTHON, BootError, Machine

pytestmark = pytest.mark.needs_server("systemd")

UNITS = sorted(path.name for path in (ROOT / "systemd").iterdir() if path.suffix in {".service", ".socket", ".timer"})
EXPORTER, SOCKET, REGISTER = "cln-exporter.service", "cln-exporter.socket", "cln-register-monitoring-key.service"
FEED = "cln-feed.service"
ADDRESS = "127.0.0.1:10099"
API_URL = "http://127.0.0.1:8099/api"

# By name and over TLS, which a filter of system calls could well keep it from.
CONFIG = f"""\
api_url: https://localhost:8443/api
tls_config: {{ca_file: /etc/cln-monitor/ca.pem}}
requests_per_second: 0
accounts:
  - {{name: acme, login: {LOGIN}, secret_key_file: "%d/acme.secret"}}
"""

FEED_CONFIG = """\
exporter: http://127.0.0.1:10099
interval: 5s
sinks: {nagios: {command_file: /opt/nagios.cmd}}
services:
  - {host: cln, service: KernelCare, check: check_cln_kernelcare}
"""

# A simulated CLN, with a license for the address of all calls here.
CLN = f"""\
import ssl, threading
from cln_monitor.simulator import Simulator, serve
simulator = Simulator()
account = simulator.add_account({LOGIN!r}, {SECRET_KEY!r}, {REGISTRATION_TOKEN!r})
account.add_kernelcare_key(limit=4).add_server(ip="192.0.2.1")
account.add_ip_license("127.0.0.1", 5010)
with serve(simulator, 8099), serve(simulator, 8443) as encrypted:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/opt/cln.pem", "/opt/cln.key")
    encrypted._server.socket = context.wrap_socket(encrypted._server.socket, server_side=True)
    threading.Event().wait()
"""

# SIGURG hangs the schedule and nothing else, SIGWINCH the event loop: signals that the exporter does not handle.
HANG = """\
import gc, signal, sys, time
def hang_schedule(*_):
    from apscheduler.schedulers.base import BaseScheduler
    gc.unfreeze()  # get_objects leaves out what the exporter froze after its start
    scheduler = next(each for each in gc.get_objects() if isinstance(each, BaseScheduler))
    scheduler._jobstores_lock.acquire()
def hang_loop(*_):
    time.sleep(1000)
signal.signal(signal.SIGURG, hang_schedule)
signal.signal(signal.SIGWINCH, hang_loop)
"""

GET = """\
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(f"000 {error}")
print(answer.status, answer.read().decode())
"""


@pytest.fixture(scope="module")
def machine(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Yield a machine with cln-monitor installed as in the README, and a CLN."""
    python = f"python3.{sys.version_info.minor}"
    site_packages = f"opt/cln-monitor/lib/{python}/site-packages"
    files = {
        "etc/cln-monitor/cln-monitor.yml": CONFIG,
        "etc/cln-monitor/cln-feed.yml": FEED_CONFIG,
        f"etc/systemd/system/{FEED}.d/quick.conf": "[Service]\nWatchdogSec=6s\nRestartSec=500ms\n",
        "etc/systemd/system/cln.service": "[Service]\nExecStart=/opt/cln-monitor/bin/python /opt/cln.py\n",
        f"etc/systemd/system/{EXPORTER}.d/quick.conf": "[Service]\nWatchdogSec=6s\nRestartSec=500ms\n",
        # A Python that was moved finds its library so, if it has one.
        "etc/systemd/system/cln-.service.d/python.conf": f"[Service]\nEnvironment=LD_LIBRARY_PATH={PYTHON}/lib\n",
        "opt/cln.py": CLN,
        "opt/get.py": GET,
        f"{site_packages}/needed.pth": f"{NEEDED}\n",
        f"{site_packages}/hang.py": HANG,
        f"{site_packages}/hang.pth": "import hang\n",
    }
    folder = tmp_path_factory.mktemp("systemd")
    authority = Authority(folder)
    certificate, key = authority.issue("localhost")
    copies = {"etc/cln-monitor/ca.pem": authority.file, "opt/cln.pem": certificate, "opt/cln.key": key}
    copies |= {f"etc/systemd/system/{unit}": ROOT / "systemd" / unit for unit in UNITS}
    copies[f"opt/{package.wheel.name}"] = package.wheel
    try:
        machine = Machine(folder, files, copies)
    except BootError as reason:
        pytest.skip(f"no systemd boots here: {reason}")
    try:
        machine.must(f"{PYTHON}/bin/{python} -m venv --without-pip /opt/cln-monitor")
        pip = "/opt/cln-monitor/bin/python -m pip install --quiet --no-index --no-deps --ignore-installed"
        machine.must(f"{pip} --no-cache-dir --root-user-action=ignore /opt/{package.wheel.name}")
        if machine.run("unshare --user true").code != 0:
            # Within a chroot the kernel provides none of these. Everything else can be tested.
            without = "[Service]\\nPrivateUsers=no\\n"
            machine.must(f"printf '{without}' >/etc/systemd/system/cln-.service.d/users.conf; systemctl daemon-reload")
        machine.must(f"umask 077; echo {SECRET_KEY} >/etc/cln-monitor/acme.secret; systemctl start cln")
        wait_until(lambda: get(machine, "127.0.0.1:8099", "/api/status.json")[0] == 200, "the simulated CLN")
        yield machine
    finally:
        machine.stop()


@pytest.fixture
def exporter(machine: Machine) -> Machine:
    """Return the machine with a running exporter."""
    machine.must(f"systemctl start {EXPORTER}")
    return machine


def get(machine: Machine, address: str, path: str) -> tuple[int, str]:
    """Return status and text of a response in the machine, or 0 and the error."""
    status, _, text = machine.run(f"/opt/cln-monitor/bin/python /opt/get.py http://{address}{path}").output.partition(
        " "
    )
    return int(status), text


def scrape(machine: Machine, address: str = ADDRESS) -> str:
    """Return the metrics of an exporter that must respond."""
    status, text = get(machine, address, "/metrics")
    assert status == 200, text
    return text


def main_pid(machine: Machine, unit: str = EXPORTER) -> int:
    """Return the main process id of a unit in the machine."""
    return int(machine.show(unit, "MainPID"))


def wait_restarted(machine: Machine, previous: int) -> None:
    """Wait until the exporter runs again in another process, and responds."""
    wait_until(
        lambda: main_pid(machine) not in {0, previous} and machine.show(EXPORTER, "ActiveState") == "active",
        "systemd to have started the exporter anew",
    )
    assert "cln_exporter_build_info" in scrape(machine)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_exposure(unit: str) -> None:
    """The exposure level of each unit by systemd-analyze is low."""
    command = [servers.path("systemd-analyze"), "security", "--offline=true", "--no-pager", "--threshold=15"]
    done = subprocess.run([*command, str(ROOT / "systemd" / unit)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_well_formed(unit: str, machine: Machine) -> None:
    """systemd-analyze verify reports nothing for the units."""
    unit = unit.replace("@.", "@acme.")
    done = machine.run(f"systemd-analyze verify --recursive-errors=one /etc/systemd/system/{unit}")
    assert (done.code, done.output) == (0, "")


def test_it_is_ready_and_scraped(exporter: Machine) -> None:
    """systemctl start returns when the exporter serves; its status text and metrics are shown."""
    assert exporter.show(EXPORTER, "ActiveState") == "active"
    assert "cln_exporter_build_info{" in scrape(exporter)
    wait_until(lambda: get(exporter, ADDRESS, "/-/ready")[0] == 200, "each probe to have run")
    metrics = scrape(exporter)
    assert 'cln_kernelcare_key_servers{account="acme"' in metrics
    assert re.search(r"^process_resident_memory_bytes \d", metrics, re.MULTILINE)
    assert re.search(r"^process_start_time_seconds \d", metrics, re.MULTILINE)
    said = r"5 probes of 1 account: (all OK|\d failing)"
    wait_until(lambda: re.fullmatch(said, exporter.show(EXPORTER, "StatusText")), "its state in words")


def test_own_user_without_capabilities(exporter: Machine) -> None:
    """The service has its own user without capabilities, and can only write its state."""
    pid = main_pid(exporter)
    status = dict(line.split(":\t", 1) for line in exporter.must(f"cat /proc/{pid}/status").splitlines())
    assert 61184 <= int(status["Uid"].split()[0]) <= 65519  # those that systemd makes up
    assert {status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    for folder in ("/etc", "/usr", "/opt/cln-monitor", "/var/lib"):
        done = exporter.run(f"touch {folder}/x", within=pid)
        assert "Read-only file system" in done.output, folder
    as_it = "setpriv --reuid={0} --regid={0} --clear-groups".format(status["Uid"].split()[0])
    assert "Permission denied" in exporter.run(f"{as_it} ls /root", within=pid).output
    assert exporter.run(f"{as_it} touch /var/lib/cln-exporter/x", within=pid).code == 0
    assert exporter.must("stat -L --format=%a /var/lib/cln-exporter").strip() == "700"
    assert exporter.show(EXPORTER, "MemoryMax") == str(512 << 20)
    assert exporter.show(EXPORTER, "TasksMax") == "2500"
    assert re.search(r"^Max core file size\s+0\s+0", exporter.must(f"cat /proc/{pid}/limits"), re.MULTILINE)


def test_other_users_cannot_read_the_secret(exporter: Machine) -> None:
    """Other users cannot read the secret from credentials, files, arguments or environment."""
    pid = main_pid(exporter)
    secret = f"/run/credentials/{EXPORTER}/acme.secret"
    assert exporter.must(f"cat {secret}").strip() == SECRET_KEY  # root may, and the test looks in the right place
    assert exporter.must(f"stat --format=%a {secret}").strip() in {"400", "440"}
    as_another = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    for file in (secret, "/etc/cln-monitor/acme.secret", f"/proc/{pid}/environ", "/var/lib/cln-exporter/"):
        done = exporter.run(f"{as_another} ls -R {file} && {as_another} cat {file}")
        assert (done.code != 0, "Permission denied" in done.output) == (True, True), file
    output = exporter.must(f"tr '\\0' '\\n' </proc/{pid}/cmdline; tr '\\0' '\\n' </proc/{pid}/environ")
    output += exporter.must(f"systemctl status {EXPORTER}; systemctl show {EXPORTER}") + exporter.journal(EXPORTER)
    assert SECRET_KEY not in output
    assert REGISTRATION_TOKEN not in output


def test_a_reload_takes_the_new_configuration(exporter: Machine) -> None:
    """A reload applies a valid configuration, and reports an invalid one."""
    pid = main_pid(exporter)
    config = "/etc/cln-monitor/cln-monitor.yml"
    try:
        exporter.must(f"sed -i 's/name: acme/name: renamed/' {config} && systemctl reload {EXPORTER}")
        wait_until(lambda: 'account="renamed"' in scrape(exporter), "the new configuration")
        assert 'account="acme"' not in scrape(exporter)
        exporter.must(f"echo 'surprise: 1' >>{config} && systemctl reload {EXPORTER}")
        said = "the last reload failed"
        wait_until(lambda: said in exporter.show(EXPORTER, "StatusText"), "the failed reload to be told")
        assert 'account="renamed"' in scrape(exporter)
        assert (exporter.show(EXPORTER, "ActiveState"), main_pid(exporter)) == ("active", pid)
    finally:
        exporter.must(f"sed -i -e 's/name: renamed/name: acme/' -e '/surprise/d' {config}")


@pytest.mark.parametrize(("how", "still_serves"), [("URG", True), ("WINCH", False)], ids=["schedule", "event-loop"])
def test_hung_exporter_is_restarted(how: str, still_serves: bool, exporter: Machine) -> None:
    """The watchdog restarts a hung exporter, even if only its scheduler hangs."""
    pid = main_pid(exporter)
    exporter.must(f"kill -{how} {pid}")
    if still_serves:
        assert get(exporter, ADDRESS, "/-/healthy")[0] == 200
    wait_restarted(exporter, pid)
    journal = exporter.journal(EXPORTER)
    assert f"{EXPORTER}: Watchdog timeout (limit 6s)!" in journal
    assert f"{EXPORTER}: Failed with result 'watchdog'." in journal
    assert "Fatal Python error: Aborted" in journal
    assert "in hang_loop" in journal if not still_serves else "in acquire" in journal or "apscheduler" in journal


def test_healthy_exporter_pings(exporter: Machine) -> None:
    """A healthy exporter pings several times per watchdog interval."""

    def pinged() -> int:
        return int(exporter.show(EXPORTER, "WatchdogTimestampMonotonic"))

    first = pinged()
    seconds = wait_until(lambda: (pinged() - first) / 1e6, "a ping")
    assert seconds < 4.5  # every other second of 6


def test_a_crash_is_followed_by_a_start(exporter: Machine) -> None:
    """The exporter is restarted after a crash."""
    pid = main_pid(exporter)
    exporter.must(f"kill -KILL {pid}")
    wait_restarted(exporter, pid)
    assert f"{EXPORTER}: Failed with result 'signal'." in exporter.journal(EXPORTER)


def test_data_survives_a_crash(exporter: Machine) -> None:
    """After a crash, the saved data is exposed with its times, without secrets in files."""
    wait_until(lambda: get(exporter, ADDRESS, "/-/ready")[0] == 200, "each probe to have run")
    wait_until(lambda: seen_of(exporter, "kernelcare"), "the probe to have succeeded")
    files = "/var/lib/private/cln-exporter/*.state"
    wait_until(lambda: len(exporter.run(f"ls {files}").output.split()) == 5, "a file for each probe")
    before, pid = seen_of(exporter, "kernelcare"), main_pid(exporter)
    *_, last_success = before[-1].split()
    of_probe = files.replace("*", "kernelcare-*")
    wait_until(lambda: float(exporter.must(f"stat --format=%.Y {of_probe}")) > float(last_success), "it to be kept")
    kept = exporter.must(f"grep --text --only-matching '[ -~]*' {files}")
    assert "192.0.2.1" in kept
    assert not [secret for secret in (SECRET_KEY, REGISTRATION_TOKEN, LOGIN) if secret in kept]
    assert set(exporter.must(f"stat --format=%a {files}").split()) == {"600"}
    exporter.must("systemctl stop cln")
    try:
        exporter.must(f"kill -KILL {pid}")
        wait_restarted(exporter, pid)
        assert seen_of(exporter, "kernelcare") == before
    finally:
        exporter.must("systemctl start cln")


def seen_of(machine: Machine, probe: str) -> list[str]:
    """Return the lines of its servers in the metrics, and the time of its last success."""
    lines = scrape(machine).splitlines()
    last_success = f'cln_probe_last_success_timestamp_seconds{{api="localhost:8443",account="acme",probe="{probe}"}}'
    found = [line for line in lines if line.startswith((f"cln_{probe}_key_servers{{", f"{last_success}"))]
    return found if any(line.startswith(last_success) for line in found) else []


def test_a_stop_is_no_failure(machine: Machine) -> None:
    """A stop takes about a second and is not a failure to systemd."""
    machine.must(f"systemctl start {EXPORTER} && systemctl stop {EXPORTER}")
    assert (machine.show(EXPORTER, "ActiveState"), machine.show(EXPORTER, "Result")) == ("inactive", "success")


def test_with_the_socket_unit_no_scrape_is_refused(machine: Machine) -> None:
    """With the socket unit, scrapes wait during starts and restarts."""
    machine.must(f"systemctl start {SOCKET}")
    try:
        assert machine.show(EXPORTER, "ActiveState") == "inactive"
        assert "cln_exporter_build_info" in scrape(machine)
        pid = main_pid(machine)
        machine.must(f"kill -KILL {pid}")
        assert "cln_exporter_build_info" in scrape(machine)
        assert main_pid(machine) != pid
    finally:
        machine.must(f"systemctl stop {SOCKET} {EXPORTER}")


def test_instances_have_secrets_and_ports_of_their_own(machine: Machine) -> None:
    """Two instances run with separate secrets and ports."""
    for name, port in (("one", 10101), ("two", 10102)):
        machine.must(f"sed 's/acme/{name}/' /etc/cln-monitor/cln-monitor.yml >/etc/cln-monitor/{name}.yml")
        machine.must(f"sed -i 's|%d/acme|%d/{name}|' /etc/cln-monitor/{name}.yml")
        machine.must(f"umask 077; echo {SECRET_KEY} >/etc/cln-monitor/{name}.secret")
        machine.must(f"echo 'ARGS=\"--web.listen-address=127.0.0.1:{port}\"' >/etc/default/cln-exporter-{name}")
    units = ["cln-exporter@one.service", "cln-exporter@two.service"]
    machine.must(f"systemctl start {' '.join(units)}")
    try:
        assert 'account="one"' in scrape(machine, "127.0.0.1:10101")
        assert 'account="two"' in scrape(machine, "127.0.0.1:10102")
        one, two = (main_pid(machine, unit) for unit in units)
        uid = machine.must(f"stat --format=%u /proc/{one}").strip()
        assert uid != machine.must(f"stat --format=%u /proc/{two}").strip()
        done = machine.run(f"setpriv --reuid={uid} --clear-groups cat /run/credentials/{units[1]}/two.secret")
        assert (done.code, "Permission denied" in done.output) == (1, True), done.output
        machine.must("test -d /var/lib/cln-exporter-one -a -d /var/lib/cln-exporter-two")
    finally:
        machine.must(f"systemctl stop {' '.join(units)}")


def test_the_monitoring_key_is_made_registered_and_kept(machine: Machine) -> None:
    """The monitoring key is created in the state directory and kept."""
    machine.must(f"echo 'ARGS=\"--api-url {API_URL}\"' >/etc/default/cln-register-monitoring-key")
    keys = []
    for _ in range(2):
        machine.must(f"systemctl start {REGISTER}")
        assert machine.show(REGISTER, "Result") == "success"
        kept = "/var/lib/cln-register-monitoring-key/monitoring.key"
        keys.append(machine.must(f"cat {kept}").strip())
        assert machine.must(f"stat --format=%a {kept}").strip() == "600"
    assert keys[0] == keys[1]
    assert re.fullmatch(r"[A-Za-z0-9]{32}", keys[0])
    (line,) = re.findall(r"^# (LoadCredential=.*)", (ROOT / "systemd" / EXPORTER).read_text(), re.MULTILINE)
    as_a_service = f"systemd-run --quiet --wait --pipe --property=DynamicUser=yes --property={line}"
    assert machine.must(f"{as_a_service} sh -c 'cat $CREDENTIALS_DIRECTORY/acme.keys'").strip() == keys[0]
    journal = machine.journal(REGISTER)
    assert journal.count("is registered for the address of this machine") == 2
    assert keys[0] not in journal


def test_the_timer_comes_each_day(machine: Machine) -> None:
    """The timer triggers each day in the hours after midnight."""
    machine.must("systemctl start cln-register-monitoring-key.timer")
    (timer,) = json.loads(machine.must("systemctl list-timers --output=json cln-register-monitoring-key.timer"))
    now = int(machine.must("date +%s"))
    assert 0 < timer["next"] / 1e6 - now < 30 * 3600
    assert timer["activates"] == REGISTER


def test_the_instance_differs_in_its_names_alone() -> None:
    """The instance unit differs from the plain unit only in names."""
    unit, template = ((ROOT / "systemd" / name).read_text() for name in (EXPORTER, "cln-exporter@.service"))

    def settings(text: str) -> list[str]:
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    own = [line for line in settings(template) if "%i" in line]
    assert [line.replace("-%i", "").replace("%i.secret", "acme.secret").replace(" of %i", "") for line in own] == [
        "Description=Prometheus exporter for CloudLinux Network (CLN) accounts",
        "EnvironmentFile=-/etc/default/cln-exporter",
        "ExecStart=/opt/cln-monitor/bin/cln-exporter --config.file=/etc/cln-monitor/%i.yml $ARGS",
        "User=cln",
        "LoadCredential=acme.secret:/etc/cln-monitor/acme.secret",
        "StateDirectory=cln-exporter",
    ]
    same = set(settings(unit)) & set(settings(template))
    assert [line for line in settings(template) if line not in own] == [line for line in settings(unit) if line in same]
    assert len(settings(unit)) == len(settings(template)) - 1


def test_the_feed(exporter: Machine) -> None:
    """The feed writes to a command file from its sandbox, pings the watchdog, and stops without another result."""
    reader = "while cat /opt/nagios.cmd; do :; done >/opt/nagios.out"
    exporter.must(f"mkfifo --mode=666 /opt/nagios.cmd; systemd-run --quiet --unit=reader sh -c '{reader}'")
    exporter.must(f"systemctl start {FEED}")
    try:
        line = r"(?m)^\[\d+\] PROCESS_SERVICE_CHECK_RESULT;cln;KernelCare;[0-3];"
        wait_until(lambda: re.search(line, exporter.must("cat /opt/nagios.out")), "a result in the command file")
        pid = main_pid(exporter, FEED)
        status = dict(one.split(":\t", 1) for one in exporter.must(f"cat /proc/{pid}/status").splitlines())
        assert {status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert "Read-only file system" in exporter.run("touch /opt/x", within=pid).output
        wait_until(lambda: exporter.show(FEED, "StatusText").startswith("1 services: 1 "), "its state in words")
        started = int(exporter.show(FEED, "ActiveEnterTimestampMonotonic"))
        wait_until(
            lambda: int(exporter.show(FEED, "WatchdogTimestampMonotonic")) > started + 8_000_000,
            "a ping after the timeout of the watchdog",
        )
        exporter.must(f"echo 'surprise: 1' >>/etc/cln-monitor/cln-feed.yml && systemctl reload {FEED}")
        wait_until(lambda: "the last reload failed" in exporter.show(FEED, "StatusText"), "the failed reload")
        assert main_pid(exporter, FEED) == pid
        exporter.must(f"systemctl stop {FEED}")
        assert exporter.show(FEED, "Result") == "success"
    finally:
        exporter.must(
            f"systemctl stop {FEED} reader; rm /opt/nagios.cmd; sed -i /surprise/d /etc/cln-monitor/cln-feed.yml"
        )
