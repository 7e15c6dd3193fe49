"""The registration of a monitoring key, the only plugin that changes something."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest

from cln_monitor.checks.plugins import monitoring_key
from cln_monitor.masking import mask_key
from cln_monitor.simulator import Account, Fault
from tests.checks.conftest import Cln
from tests.checks.inside import run_in_process
from tests.checks.running import MONITORING_KEY, run_held_up, run_plugin
from tests.helpers.running import wait_until
from tests.helpers.small_cln import LOGIN, REGISTRATION_TOKEN, SECRET_KEY

NAME = "register_cln_monitoring_key"
CALL = "/kcare/nagios/register_key.plain"
MASK = mask_key(MONITORING_KEY)
LOST = "; the key may be registered; run this again"


@pytest.fixture
def account(cln: Cln) -> Account:
    """The account whose address can register keys; none is registered yet."""
    return cln.simulator.accounts[LOGIN]


def sent(cln: Cln) -> list[str]:
    """Return the keys that were sent; no other call was made."""
    assert all(request.path == CALL for request in cln.simulator.requests)
    assert all(set(request.query) == {"key"} for request in cln.simulator.requests)
    return [request.query["key"] for request in cln.simulator.requests]


@pytest.mark.processes
def test_a_key_is_registered(cln: Cln, account: Account) -> None:
    """A key is registered in each run and shown masked."""
    for _ in range(2):
        outcome = run_plugin(NAME, "--key", MONITORING_KEY, "--api-url", cln.url)
        assert outcome.output == f"OK - monitoring key {MASK} is registered for the address of this machine\n"
    assert account.monitoring_keys == {MONITORING_KEY}
    assert sent(cln) == [MONITORING_KEY] * 2


@pytest.mark.parametrize(
    ("body", "state", "told"),
    [
        ("success:true\ncode:0", "OK", f"monitoring key {MASK} is registered"),
        ("success:true code:0", "OK", "is registered"),
        (
            "success:true\ncode:1",
            "CRITICAL",
            "is not registered: CLN did not register the key: wrong size or format of the key (code 1)",
        ),
        (
            "success:true\ncode:2",
            "CRITICAL",
            "CLN did not register the key: the IP address of this machine has no KernelCare IP license (code 2)",
        ),
        ("success:true\ncode:7", "CRITICAL", "is not registered: CLN did not register the key: code 7"),
        ("success:false\nmessage:a|b", "CRITICAL", "is not registered: CLN refused the request: a¦b"),
        ("success:false", "CRITICAL", "is not registered: CLN refused the request: no reason given"),
        ("success:false\nmessage:Access denied", "CRITICAL", "is not registered: CLN refused the token: Access denied"),
        ("success:false\ncode:0", "CRITICAL", "is not registered: CLN refused the request"),
        ("success:true", "UNKNOWN", f"a success without a code (HTTP 200){LOST}"),
        ("success:true\ncode:-1", "UNKNOWN", LOST),
        ("code:0", "UNKNOWN", LOST),
        ("OK", "UNKNOWN", LOST),
        ("", "UNKNOWN", f"an empty body (HTTP 200){LOST}"),
        ("<html>success:true code:0</html>", "UNKNOWN", f"an HTML page (HTTP 200){LOST}"),
    ],
)
def test_what_cln_says(body: str, state: str, told: str, cln: Cln, account: Account) -> None:
    """Code 0 is OK, a refusal is CRITICAL, and an unclear response is UNKNOWN."""
    assert account is not None
    cln.simulator.faults.add(Fault("answer", CALL, body=body, content_type="text/plain"))
    outcome = run_in_process(NAME, "--key", MONITORING_KEY, "--api-url", cln.url)
    assert outcome.state == state
    assert told in outcome.text
    assert sent(cln) == [MONITORING_KEY]


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize(
    ("fault", "state", "told"),
    [
        (
            Fault("answer", status=403, body="success:false\nmessage:Access denied", content_type="text/plain"),
            "CRITICAL",
            f"monitoring key {MASK} is not registered: CLN refused the token: Access denied",
        ),
        (Fault("status", status=401), "UNKNOWN", "HTTP 401 without a message from CLN: our IP address is blocked"),
        (Fault("status", status=403, html=True), "UNKNOWN", "HTTP 403 without a message from CLN: our IP address"),
        (
            Fault("status", status=429, retry_after=5),
            "UNKNOWN",
            f"monitoring key {MASK} is not registered: rate limited by CLN",
        ),
        (Fault("status", status=500, html=True), "UNKNOWN", LOST),
        (Fault("status", status=503, html=True), "UNKNOWN", LOST),
        (Fault("status", status=503), "CRITICAL", "is not registered: CLN refused the request: Service unavailable"),
        (
            Fault("redirect", location="http://192.0.2.1/"),
            "UNKNOWN",
            f"not followed; check api_url{LOST}",
        ),
        (Fault("cut_body"), "UNKNOWN", LOST),
        (Fault("garbage"), "UNKNOWN", LOST),
        (Fault("reset"), "WARNING", LOST),
        (Fault("hang"), "WARNING", LOST),
    ],
    ids=lambda value: f"{value.kind}-{value.fields.get('status', '')}" if isinstance(value, Fault) else "",
)
def test_it_is_sent_once_whatever_comes(fault: Fault, state: str, told: str, cln: Cln, account: Account) -> None:
    """A key is sent only once, even if the response is lost."""
    assert account is not None
    cln.simulator.faults.add(fault)
    seconds = "1" if fault.kind == "hang" else "30"
    arguments = ("--api-url", cln.url, "-t", seconds, "--unreachable-state", "warning")
    outcome = run_in_process(NAME, "--key", MONITORING_KEY, *arguments)
    assert outcome.state == state
    assert told in outcome.text
    wait_until(lambda: sent(cln), "the request")  # it may be gone before CLN has looked at it
    assert sent(cln) == [MONITORING_KEY]


@pytest.mark.parametrize("key", ["short", "x" * 15, "x" * 33, "pl4nted key|of 20\nx", "ключ" * 4, "a" * 16 + "-"])
@pytest.mark.parametrize("way", ["--key", "--key-file"])
def test_a_malformed_key_is_not_sent(way: str, key: str, cln: Cln, tmp_path: Path) -> None:
    """A malformed key is UNKNOWN, is neither sent nor shown, and its file is not changed."""
    file = tmp_path / "key"
    file.write_text(f"{key}\n")
    generate = ("--generate",) if way == "--key-file" else ()
    outcome = run_in_process(NAME, way, key if way == "--key" else str(file), *generate, "--api-url", cln.url)
    assert outcome.output == (
        "UNKNOWN - invalid monitoring key, request not sent: must be 16 to 32 letters and digits\n"
    )
    assert sent(cln) == []
    assert file.read_text() == f"{key}\n"


@pytest.mark.parametrize("arguments", [(), ("--key", MONITORING_KEY, "--key-file", "x"), ("--generate",)])
def test_which_key_has_to_be_said(arguments: tuple[str, ...]) -> None:
    """Exactly one of --key and --key-file is required."""
    text = "no key to register: use either --key KEY or --key-file FILE"
    assert run_in_process(NAME, *arguments).text == text


def test_a_key_that_is_given_is_not_made(cln: Cln) -> None:
    """--generate with --key is an error."""
    outcome = run_in_process(NAME, "--key", MONITORING_KEY, "--generate", "--api-url", cln.url)
    told = "--generate cannot be combined with --key: use it with --key-file FILE"
    assert (outcome.state, outcome.text) == ("UNKNOWN", told)
    assert sent(cln) == []


def test_a_key_file(cln: Cln, account: Account, tmp_path: Path) -> None:
    """The key of a file is registered and the file unchanged; a missing or empty file is reported."""
    file = tmp_path / "key"
    arguments = ("--key-file", str(file), "--api-url", cln.url)
    told = f"--key-file: {file} does not exist or is empty; use --generate to create a key there"
    assert run_in_process(NAME, *arguments).text == told
    file.write_text("")
    assert run_in_process(NAME, *arguments).text == told
    assert "--key-file: cannot read" in run_in_process(NAME, "--key-file", str(tmp_path), "--generate").text
    file.write_text(f" {MONITORING_KEY}\n\n")
    file.chmod(0o640)
    for generate in ((), ("--generate",)):
        assert run_in_process(NAME, *arguments, *generate).state == "OK"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f" {MONITORING_KEY}\n\n", 0o640)
    assert account.monitoring_keys == {MONITORING_KEY}


@pytest.mark.processes
def test_a_key_is_made_and_kept(cln: Cln, account: Account, tmp_path: Path) -> None:
    """A key is generated once with mode 0600, and later runs register the same key."""
    file = tmp_path / "key"
    for _ in range(3):
        outcome = run_plugin(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url)
        assert outcome.state == "OK"
    key = file.read_text().strip()
    assert (len(key), key.isalnum(), file.stat().st_mode & 0o777) == (32, True, 0o600)
    assert account.monitoring_keys == {key}
    assert outcome.text.startswith(f"monitoring key {mask_key(key)} is registered")
    assert key not in outcome.output
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_empty_file_is_filled(cln: Cln, account: Account, tmp_path: Path) -> None:
    """An empty key file is filled, and its mode becomes 0600."""
    file = tmp_path / "key"
    file.write_text("\n")
    file.chmod(0o644)
    assert run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url).state == "OK"
    assert account.monitoring_keys == {file.read_text().strip()}
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_refused_key_is_not_kept(cln: Cln, account: Account, tmp_path: Path) -> None:
    """A generated key that CLN refuses is removed with its file."""
    account.kernelcare_ips = set()
    file = tmp_path / "key"
    outcome = run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url)
    assert (outcome.state, "(code 2)" in outcome.text) == ("CRITICAL", True)
    assert list(tmp_path.iterdir()) == []
    file.write_text(MONITORING_KEY)
    assert run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url).state == "CRITICAL"
    assert file.read_text() == MONITORING_KEY


def test_an_empty_file_whose_key_is_refused(cln: Cln, account: Account, tmp_path: Path) -> None:
    """An empty file is removed if its generated key is refused."""
    account.kernelcare_ips = set()
    file = tmp_path / "key"
    file.touch()
    assert run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url).state == "CRITICAL"
    assert list(tmp_path.iterdir()) == []


class TestTwoRunsAtOnce:
    """Two concurrent runs register the same key, the one in the file."""

    @pytest.fixture
    def other(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Let another run create the key file first."""
        file = tmp_path / "key"
        link = Path.hardlink_to

        def beaten(self: Path, target: Path) -> None:
            file.write_text(f"{MONITORING_KEY}\n")
            link(self, target)

        monkeypatch.setattr(Path, "hardlink_to", beaten)
        return file

    def test_the_slower_one_registers_the_key_of_the_other(self, cln: Cln, account: Account, other: Path) -> None:
        """The slower run registers the key of the faster one."""
        outcome = run_in_process(NAME, "--generate", "--key-file", str(other), "--api-url", cln.url)
        assert outcome.text == f"monitoring key {MASK} is registered for the address of this machine"
        assert account.monitoring_keys == {MONITORING_KEY}
        assert sent(cln) == [MONITORING_KEY]
        assert other.read_text() == f"{MONITORING_KEY}\n"
        assert list(other.parent.iterdir()) == [other]

    def test_the_file_of_the_other_is_not_removed(self, cln: Cln, account: Account, other: Path) -> None:
        """A refused key of another run stays in its file."""
        account.kernelcare_ips = set()
        outcome = run_in_process(NAME, "--generate", "--key-file", str(other), "--api-url", cln.url)
        assert outcome.state == "CRITICAL"
        assert other.read_text() == f"{MONITORING_KEY}\n"

    def test_a_file_that_another_one_has_filled_since(self, cln: Cln, account: Account, tmp_path: Path) -> None:
        """A file that another run has filled meanwhile is not removed."""
        file = tmp_path / "key"
        account.kernelcare_ips = set()

        def fill(_: str) -> bool:
            file.write_text(MONITORING_KEY)
            return True

        with mock.patch.object(monitoring_key, "is_monitoring_key", fill):
            outcome = run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url)
        assert outcome.state == "CRITICAL"
        assert file.read_text() == MONITORING_KEY

    @pytest.mark.processes
    def test_as_processes(self, cln: Cln, account: Account, tmp_path: Path) -> None:
        """Six concurrent processes register one key."""
        file = tmp_path / "key"
        arguments = ("--generate", "--key-file", str(file), "--api-url", cln.url)
        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(lambda _: run_plugin(NAME, *arguments), range(6)))
        key = file.read_text().strip()
        assert {outcome.text for outcome in outcomes} == {
            f"monitoring key {mask_key(key)} is registered for the address of this machine"
        }
        assert account.monitoring_keys == {key}
        assert list(tmp_path.iterdir()) == [file]


def test_a_key_whose_answer_is_lost_is_the_key_of_the_next_run(cln: Cln, account: Account, tmp_path: Path) -> None:
    """A key whose response was lost is registered by the next run."""
    file = tmp_path / "key"
    cln.simulator.faults.add(Fault("reset", times=1))
    cln.simulator.faults.add(Fault("cut_body", times=1))
    arguments = ("--generate", "--key-file", str(file), "--api-url", cln.url)
    assert [run_in_process(NAME, *arguments).state for _ in range(3)] == ["UNKNOWN", "UNKNOWN", "OK"]
    key = file.read_text().strip()
    assert sent(cln) == [key] * 3
    assert account.monitoring_keys == {key}


@pytest.mark.processes
def test_a_run_that_is_killed_in_the_middle_leaves_the_key(cln: Cln, account: Account, tmp_path: Path) -> None:
    """A run that times out leaves a complete key file."""
    assert account is not None
    file = tmp_path / "key"
    stuck = "import socket\nsocket.getaddrinfo = lambda *_, **__: time.sleep(100)"
    arguments = ("--generate", "--key-file", str(file), "--api-url", cln.url, "-t", "1")
    outcome = run_held_up(NAME, *arguments, stage="registering", more=stuck)
    assert outcome.code == 3
    assert "timed out after 1 s (-t/--timeout) while registering the key with CLN at 127.0.0.1" in outcome.text
    key = file.read_text().strip()
    assert (len(key), [path.name for path in tmp_path.iterdir()]) == (32, ["key"])
    assert run_in_process(NAME, *arguments[:-2]).text.startswith(f"monitoring key {mask_key(key)} is registered")


@pytest.mark.parametrize("where", ["missing/key", "a-file/key"])
def test_a_folder_that_takes_no_file(where: str, cln: Cln, tmp_path: Path) -> None:
    """A directory that is not writable is reported before the request to CLN."""
    (tmp_path / "a-file").write_text("")
    outcome = run_in_process(NAME, "--generate", "--key-file", str(tmp_path / where), "--api-url", cln.url)
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith("--key-file: cannot ")
    assert sent(cln) == []


def test_a_disk_that_is_full(cln: Cln, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is reported, and no file is left."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    file = tmp_path / "key"
    outcome = run_in_process(NAME, "--generate", "--key-file", str(file), "--api-url", cln.url)
    assert outcome.text == f"--key-file: cannot write {file} (No space left on device)"
    assert list(tmp_path.iterdir()) == []
    assert sent(cln) == []


def test_no_credentials_are_needed_or_sent(cln: Cln, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials are needed or sent, even if a login is set."""
    monkeypatch.setenv("CLN_LOGIN", LOGIN)
    assert run_in_process(NAME, "--key", MONITORING_KEY, "--api-url", cln.url).state == "OK"
    assert run_in_process(NAME, "--key", MONITORING_KEY, "-C", str(cln.config)).state == "OK"
    assert account.monitoring_keys == {MONITORING_KEY}
    assert sent(cln) == [MONITORING_KEY] * 2


def test_secrets_of_the_configuration_are_not_shown(cln: Cln) -> None:
    """Secrets of the configuration are redacted in responses of CLN."""
    body = f"success:false\nmessage:{LOGIN} {SECRET_KEY} {REGISTRATION_TOKEN} {MONITORING_KEY}"
    cln.simulator.faults.add(Fault("answer", CALL, body=body))
    outcome = run_in_process(NAME, "--key", MONITORING_KEY, "-C", str(cln.config), "-vvv")
    assert outcome.text.endswith(f": CLN refused the token: <login> <secret> <secret> {MASK}")
