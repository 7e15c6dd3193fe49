"""The file of --web.config.file: valid and invalid files, and what happens when it changes."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import structlog.testing

from cln_monitor.config import ConfigError
from cln_monitor.exporter.web.config import load_web_config
from cln_monitor.exporter.web.config_schema import RateLimit
from cln_monitor.exporter.web.watched_config import WatchedWebConfig
from cln_monitor.probes import Duration

from .web_configs import AUTHORITY, CASES, HASH, TLS, Case, write_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the certificates."""
    directory = tmp_path_factory.mktemp("web")
    write_files(directory)
    return directory


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_good_and_bad(case: Case, folder: Path) -> None:
    """An invalid file is rejected with the place and the problem, without any hash or password."""
    file = folder / "case.yml"
    file.write_text(case.text)
    if case.complaint is None:
        load_web_config(file)
        return
    with pytest.raises(ConfigError) as caught:
        load_web_config(file)
    expected = case.complaint.replace("{folder}", str(folder))
    assert str(caught.value).startswith(f"{file}: {expected}")
    assert "pl4nted" not in str(caught.value)
    assert HASH[8:50] not in str(caught.value)


def test_each_difference_to_promtool_has_its_reason() -> None:
    """All files are accepted or rejected as by promtool, except for those with a documented reason."""
    different = {case for case in CASES.values() if (case.complaint is None) != case.is_good_to_promtool}
    assert different == {case for case in CASES.values() if case.why}


def test_all_problems_are_told(folder: Path) -> None:
    """The error has a line for each problem."""
    file = folder / "many.yml"
    file.write_text("surprise: 1\nbasic_auth_users: {alice: a, bob: b}\nhttp_server_config: {http3: true}\n")
    with pytest.raises(ConfigError) as caught:
        load_web_config(file)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "surprise",
        "http_server_config.http3",
        "basic_auth_users.alice",
        "basic_auth_users.bob",
    ]


def test_what_is_read(folder: Path) -> None:
    """All settings are read with their types."""
    file = folder / "all.yml"
    file.write_text(
        f"{TLS}}}\nbasic_auth_users: {{alice: {HASH}, ünï: {HASH}}}\n"
        "http_server_config: {http2: true, headers: {X-XSS-Protection: 0, Content-Security-Policy: ''}}\n"
        "rate_limit: {burst: 2, interval: 1m30s}\n"
    )
    config = load_web_config(file)
    assert config.tls is not None
    assert config.users == {b"alice": HASH.encode(), "ünï".encode(): HASH.encode()}
    assert config.headers == {"X-XSS-Protection": "0"}
    assert config.rate_limit == RateLimit(burst=2, interval=Duration(90))
    assert config.files == (file, folder / "server.pem", folder / "server.key")
    assert HASH not in repr(config)


def test_nothing_asks_for_nothing(folder: Path) -> None:
    """An empty file configures neither TLS nor users."""
    file = folder / "nothing.yml"
    file.write_text("{}")
    config = load_web_config(file)
    assert (config.tls, config.users, config.headers, config.rate_limit) == (None, {}, {}, None)


def test_certificates_in_the_file_itself(folder: Path) -> None:
    """Certificates and keys can be inline, as in newer exporters; no error contains the key."""
    file = folder / "inside.yml"

    def inside(name: str) -> str:
        return "|\n" + "".join(f"    {line}\n" for line in (folder / name).read_text().splitlines())

    text = f"tls_server_config:\n  cert: {inside('server.pem')}  key: {inside('server.key')}"
    file.write_text(
        f"{text}  client_ca: {inside('ca.pem')}  client_auth_type: RequireAndVerifyClientCert\n"
        "  client_allowed_sans: [prometheus]\n"
    )
    config = load_web_config(file)
    assert config.tls is not None
    assert config.tls.allowed_sans == frozenset({"prometheus"})
    assert config.files == (file,)
    file.write_text(f"{text}  key_file: server.key\n")
    with pytest.raises(ConfigError, match=r"tls_server_config\.key: mutually exclusive with key_file$"):
        load_web_config(file)
    file.write_text(text.replace("-----BEGIN CERTIFICATE", "-----BEGIN NOTHING"))
    with pytest.raises(ConfigError, match=r"tls_server_config\.cert: contains no PEM certificate$") as caught:
        load_web_config(file)
    assert (folder / "server.key").read_text().splitlines()[1] not in str(caught.value)


def test_certificates_among_systemds_credentials(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """%d is the credentials directory of systemd, as in the main configuration."""
    file = folder / "credentials.yml"
    file.write_text("tls_server_config: {cert_file: '%d/server.pem', key_file: '%d/server.key'}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert load_web_config(file).tls is not None
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(
        ConfigError, match=r"tls_server_config\.cert_file: needs the environment variable CREDENTIALS_DIRECTORY"
    ):
        load_web_config(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error for a missing file contains its path."""
    with pytest.raises(ConfigError, match=r"no\.yml: cannot be read: No such file or directory"):
        load_web_config(tmp_path / "no.yml")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            f"{TLS}, min_version: TLS10}}",
            "tls_server_config.min_version: TLS10 is insecure and not supported; TLS12 ",
        ),
        (
            f"{TLS}, curve_preferences: [X25519, CurveP256]}}",
            "tls_server_config.curve_preferences: Python's ssl module supports ",
        ),
        (
            f"{TLS}, cipher_suites: [TLS_AES_128_GCM_SHA256]}}",
            "tls_server_config.cipher_suites: contains no cipher suite of TLS 1.2, ",
        ),
        (
            f"basic_auth_users: {{alice: {HASH}}}",
            "basic_auth_users.alice: cost 4, not 10: response times ",
        ),
    ],
)
def test_warnings(text: str, warning: str, folder: Path) -> None:
    """Settings with a possibly unintended effect are warnings."""
    file = folder / "odd.yml"
    file.write_text(text)
    (text,) = load_web_config(file).warnings
    assert text.startswith(warning)


def test_a_private_key_that_all_users_can_read(folder: Path) -> None:
    """A world-readable private key is used, as by other exporters, with a warning."""
    file = folder / "web.yml"
    file.write_text(f"{TLS}}}")
    key, mode = folder / "server.key", folder.stat().st_mode
    key.chmod(0o644)
    folder.chmod(0o755)
    try:
        (text,) = load_web_config(file).warnings
    finally:
        key.chmod(0o600)  # the folder is that of other tests, too
        folder.chmod(mode)
    assert text.startswith(f"tls_server_config.key_file: {key} is world-readable; run chmod 600 on it")


class Watch:
    """A watched file, with the results of its reloads and a clock."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.authority = write_files(folder)
        self.file = folder / "watched.yml"
        self.file.write_text(text)
        self.told: list[bool] = []
        self.now = 0.0
        self.config = WatchedWebConfig(self.file, self.told.append, lambda: self.now)

    def write(self, text: str) -> None:
        """Change the file, even within one tick of the clock of the file system."""
        self.file.write_text(text)
        state = self.file.stat()
        os.utime(self.file, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


def test_a_change_holds_from_the_next_look_on(tmp_path: Path) -> None:
    """A change takes effect at the next request, and the file is not read again without a change."""
    watch = Watch(tmp_path, f"basic_auth_users: {{alice: {HASH}}}")
    first = watch.config()
    assert watch.config() is first
    watch.write(f"basic_auth_users: {{bob: {HASH}}}")
    with structlog.testing.capture_logs() as logs:
        assert list(watch.config().users) == [b"bob"]
    assert watch.told == [True]
    assert logs[0] == {"event": "web configuration reloaded", "log_level": "info", "tls": False, "users": 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense: 1", "nonsense: unknown key; known keys: tls_server_config, http_server_config, "),
        ("", "is empty; write basic_auth_users: {} to disable authentication"),
        ("# nothing yet\n", "is empty; write basic_auth_users: {} to disable authentication"),
        (f"{TLS}}}", "tls_server_config: turns TLS on, which requires a restart"),
        ("{}", "basic_auth_users: missing; write basic_auth_users: {} to disable authentication, or restart"),
        ("basic_auth_users:", "basic_auth_users: missing; write "),
        ("http_server_config: {http2: true}", "basic_auth_users: missing; write "),
    ],
)
def test_a_bad_change_changes_nothing(text: str, complaint: str, tmp_path: Path) -> None:
    """An invalid change keeps the old configuration and logs the error once; the next valid file is loaded."""
    watch = Watch(tmp_path, f"basic_auth_users: {{alice: {HASH}}}")
    first = watch.config()
    watch.write(text)
    with structlog.testing.capture_logs() as logs:
        assert watch.config() is first
        watch.now += 60
        assert watch.config() is first
    assert watch.told == [False, False]
    (log,) = logs
    assert log["event"] == "web configuration not reloaded, previous one stays in use"
    assert log["error"].startswith(f"{watch.file}: {complaint}")
    watch.write("basic_auth_users: {}")
    assert watch.config().users == {}
    assert watch.told[-1]


_CLIENTS = f"{TLS}, client_auth_type: RequireAndVerifyClientCert, {AUTHORITY}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{_CLIENTS}}}", f"{TLS}}}"),
        (f"{_CLIENTS}}}", f"{TLS}, client_auth_type: VerifyClientCertIfGiven, {AUTHORITY}}}"),
        (f"{_CLIENTS}, client_allowed_sans: [prometheus]}}", f"{_CLIENTS}}}"),
        (f"{TLS}, min_version: TLS13}}", f"{TLS}}}"),
    ],
)
def test_clients_that_were_refused_are(before: str, after: str, tmp_path: Path) -> None:
    """A change that accepts more clients requires a restart; a stricter one takes effect immediately."""
    watch = Watch(tmp_path, before)
    first = watch.config()
    watch.write(after)
    with structlog.testing.capture_logs() as logs:
        assert watch.config() is first
    text = "tls_server_config: accepts clients that were rejected before, which requires a restart"
    assert logs[0]["error"].endswith(text)
    open_watch = Watch(tmp_path, after)
    open_watch.write(before)
    open_watch.config()
    assert open_watch.told == [True]


@pytest.mark.parametrize(
    "text",
    [
        "rate_limit: {interval: []}",
        "rate_limit: {interval: {}}",
        f'basic_auth_users: {{"\\ud800": {HASH}}}',
        'tls_server_config: {cert: "\\ud800", key: x}',
        'http_server_config: {headers: {Content-Security-Policy: "\\ud800"}}',
        "basic_auth_users: {[]: x}",
        "tls_server_config: {client_allowed_sans: [[]]}",
    ],
)
def test_values_of_all_kinds(text: str, tmp_path: Path) -> None:
    """Values of any type are reported as problems, and never raise another error."""
    file = tmp_path / "odd.yml"
    file.write_text(text)
    with pytest.raises(ConfigError):
        load_web_config(file)


def test_an_error_of_ours_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error while reading keeps the old configuration instead of ending all connections."""
    watch = Watch(tmp_path, f"basic_auth_users: {{alice: {HASH}}}")
    first = watch.config()
    monkeypatch.setattr("cln_monitor.exporter.web.config.load_web_config", lambda _: 1 / 0)
    watch.write("{}")
    assert watch.config() is first
    assert watch.told == [False]


def test_a_file_that_is_written_piece_by_piece(tmp_path: Path) -> None:
    """A partially written file never lets in clients that both the old and the new file reject."""
    text = f"""\
http_server_config:
  headers:
    X-Frame-Options: deny
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans:
  - prometheus
basic_auth_users:
  alice: {HASH}
  bob: {HASH}
"""
    watch = Watch(tmp_path, text.replace("bob", "carol"))
    for length in range(len(text) + 1):
        watch.write(text[:length])
        now = watch.config()
        assert now.users, length
        assert now.tls is not None
        assert now.tls.context.verify_mode is ssl.CERT_REQUIRED, length
        assert now.tls.allowed_sans is not None, length
    assert list(watch.config().users) == [b"alice", b"bob"]


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    """A missing file, as during a rotation, keeps the old configuration."""
    watch = Watch(tmp_path, f"basic_auth_users: {{alice: {HASH}}}")
    watch.file.unlink()
    assert list(watch.config().users) == [b"alice"]
    watch.write(f"basic_auth_users: {{bob: {HASH}}}")
    assert list(watch.config().users) == [b"bob"]
    assert watch.told == [False, True]


def test_tls_is_not_turned_off(tmp_path: Path) -> None:
    """TLS is not turned off by a reload, because passwords would be sent unencrypted."""
    watch = Watch(tmp_path, TLS + "}")
    watch.write("{}")
    assert watch.config().tls is not None
    assert watch.told == [False]


def test_a_new_certificate_is_taken_when_its_key_is_there(tmp_path: Path) -> None:
    """A new certificate is loaded after its key has been replaced as well; until then the old pair stays."""
    watch = Watch(tmp_path, TLS + "}")
    first = watch.config().tls
    assert first is not None
    former_key = (tmp_path / "server.key").read_bytes()
    _, new_key = watch.authority.issue("server")
    key = new_key.read_bytes()
    new_key.write_bytes(former_key)
    assert watch.config().tls is first
    new_key.write_bytes(key)
    second = watch.config().tls
    assert second is not None
    assert second.context is not first.context
    assert watch.told == [False, True]


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    """A failed reload is retried after some seconds, because another file may have appeared."""
    watch = Watch(tmp_path, TLS + "}")
    first = watch.config().tls
    watch.write("tls_server_config: {cert_file: later.pem, key_file: later.key}")
    assert watch.config().tls is first
    watch.authority.issue("later")
    watch.now += 4
    assert watch.config().tls is first
    watch.now += 1
    assert watch.config().tls is not first
    assert watch.told == [False, True]
