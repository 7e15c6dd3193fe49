"""Sources of secrets: files that change, disappear and come back, variables, and systemd credentials."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cln_monitor.cln import Redactor, Secret
from cln_monitor.config import ConfigError, parse_config, warnings_of
from cln_monitor.config.model import SecretName
from cln_monitor.config.secrets import SecretFile, SecretVariable, expand


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A secret file."""
    file = tmp_path / "acme.secret"
    file.write_text("first\n")
    return file


@pytest.fixture
def source(file: Path) -> SecretFile:
    """A source that reads the secret file by a relative name."""
    return SecretFile(file.name, file.parent)


def test_text_without_what_surrounds_it(file: Path, source: SecretFile) -> None:
    """Surrounding whitespace and a byte order mark are not part of a secret."""
    assert source() == Secret("first")
    file.write_bytes(b"\xef\xbb\xbf  second\r\n\n")
    assert source() == Secret("second")


def test_read_again_when_it_changes(file: Path, source: SecretFile) -> None:
    """A changed file is read again, also if it has the same length and time."""
    assert source().reveal() == "first"
    file.write_text("a longer one\n")
    assert source().reveal() == "a longer one"
    before = file.stat()
    other = file.with_name("other")
    other.write_text("b longer one\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert source().reveal() == "b longer one"


def test_not_read_again_while_it_stays(source: SecretFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged file is not read again."""
    source()

    def fail(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr("cln_monitor.config.secrets.read_file", fail)
    assert source().reveal() == "first"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda file: file.unlink(), id="missing"),
        pytest.param(lambda file: file.write_text(""), id="empty"),
        pytest.param(lambda file: file.write_text(" \n"), id="blank"),
        pytest.param(lambda file: file.write_bytes(b"\xff\xfe"), id="not-utf8"),
        pytest.param(lambda file: (file.unlink(), file.mkdir()), id="a-folder"),
    ],
)
def test_last_good_text_serves_on(spoil: Callable[[Path], object], file: Path, source: SecretFile) -> None:
    """During a rotation the last good secret is used, and then the new one."""
    source()
    spoil(file)
    assert source().reveal() == "first"
    if file.is_dir():
        file.rmdir()
    file.write_text("second\n")
    assert source().reveal() == "second"


def test_never_readable(file: Path, source: SecretFile) -> None:
    """A file that was never readable raises an error until it is."""
    file.unlink()
    with pytest.raises(FileNotFoundError):
        source()
    file.write_text("")
    with pytest.raises(ValueError, match=r"^is empty$"):
        source()
    file.write_text("late\n")
    assert source().reveal() == "late"


def test_lines(file: Path, source: SecretFile) -> None:
    """A file of several keys has one per line; empty lines and comments are ignored."""
    file.write_text("# monitoring keys\n  one  \n\n#two\nthree # not a comment\n")
    assert source.lines() == [Secret("one"), Secret("three # not a comment")]


def test_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is stripped of whitespace; an unset or empty one is refused."""
    variable = SecretVariable("ACME_SECRET")
    for text in ("", "  "):
        monkeypatch.setenv("ACME_SECRET", text)
        with pytest.raises(ValueError, match=r"^is an environment variable that is unset or empty$"):
            variable()
    monkeypatch.setenv("ACME_SECRET", " s3cret\n")
    assert variable() == Secret("s3cret")
    monkeypatch.delenv("ACME_SECRET")
    with pytest.raises(ValueError, match="unset or empty"):
        variable()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("acme.secret", "/etc/cln-monitor/acme.secret"),
        ("../acme.secret", "/etc/cln-monitor/../acme.secret"),
        ("/run/acme.secret", "/run/acme.secret"),
        ("~/acme.secret", "/home/cln/acme.secret"),
        ("%d/acme", "/run/credentials/cln/acme"),
        ("%d", "/run/credentials/cln"),
        ("$CREDENTIALS_DIRECTORY/acme", "/run/credentials/cln/acme"),
        ("${CREDENTIALS_DIRECTORY}/acme", "/run/credentials/cln/acme"),
        ("%dacme", "/etc/cln-monitor/%dacme"),
        ("$CREDENTIALS_DIRECTORY_2/acme", "/etc/cln-monitor/$CREDENTIALS_DIRECTORY_2/acme"),
        ("x/%d/acme", "/etc/cln-monitor/x/%d/acme"),
    ],
)
def test_expand(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are relative to the configuration's directory, the home directory, or systemd's credentials."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/cln")
    monkeypatch.setenv("HOME", "/home/cln")
    assert expand(name, Path("/etc/cln-monitor")) == Path(path)


@pytest.mark.parametrize("name", ["%d/acme", "$CREDENTIALS_DIRECTORY/acme", "${CREDENTIALS_DIRECTORY}/acme"])
def test_credentials_without_systemd(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without systemd's credentials the error names the variable; an empty one counts as unset."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ValueError, match=r"^needs the environment variable CREDENTIALS_DIRECTORY, which systemd sets"):
        expand(name, Path("/etc"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    with pytest.raises(ValueError, match=r"^needs the environment variable CREDENTIALS_DIRECTORY, which systemd sets"):
        expand(name, Path("/etc"))


def test_credentials_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret below %d is read again when it changes."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "acme").write_text("one")
    source = SecretFile("%d/acme", Path("/nowhere"))
    assert source().reveal() == "one"
    (tmp_path / "acme").write_text("three")
    assert source().reveal() == "three"


def test_home_of_nobody() -> None:
    """The home directory of an unknown user is an error, and not a crash."""
    with pytest.raises(ValueError, match=r"^starts with the home directory of an unknown user$"):
        expand("~no-such-user/acme.secret", Path("/etc"))


def test_what_reads_secrets_does_not_show_them(source: SecretFile) -> None:
    """Neither a source nor a secret prints its text."""
    assert "first" not in repr((source, source(), source.lines())) + str(source())


@contextmanager
def piped(data: bytes) -> Iterator[str]:
    """Yield the name of a pipe that ``data`` was written to, as for <(…)."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


@pytest.mark.parametrize("field", ["secret_key_file", "registration_token_file", "monitoring_keys_file"])
def test_each_file_may_be_a_pipe(field: str) -> None:
    """A secret in a pipe is read once, and available for the check, the redactor and each call."""
    value = "Monitoring0Key001"
    other = "" if field == "secret_key_file" else "secret_key: s3cret, "
    with piped(f"{value}\n".encode()) as name:
        text = f"accounts: [{{name: acme, login: login, {other}{field}: {name}}}]"
        for _ in range(2):  # as a reload does
            config = parse_config(text, Path("/nowhere"))
            account = config.accounts[0]
            if field == "monitoring_keys_file":
                read = [key.reveal() for key in config.monitoring_keys_of(account)()]
            else:
                kind: SecretName = "secret_key" if field == "secret_key_file" else "registration_token"
                read = [config.secret_of(account, kind)().reveal()]
            assert read == [value]
            redactor = Redactor()
            config.hide_secrets(redactor)
            assert value not in redactor.scrub(f"<{value}>")


@pytest.mark.parametrize("field", ["secret_key_file", "registration_token_file", "monitoring_keys_file"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fifo", "is a pipe without a writer (waited 1 s)"),
        ("/dev/zero", "is larger than "),
        ("/dev/null", "is empty; put the "),
    ],
)
def test_what_gives_no_secret(field: str, name: str, problem: str, tmp_path: Path) -> None:
    """A file without a secret neither blocks the start nor exhausts memory, and the error says what it is."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    other = "" if field == "secret_key_file" else "secret_key: s3cret, "
    with pytest.raises(ConfigError) as raised:
        parse_config(f"accounts: [{{name: acme, login: login, {other}{field}: {name}}}]", tmp_path)
    place, _, rest = raised.value.problems[0].text.partition(" ")
    assert place == str(tmp_path / name)
    assert rest.startswith(problem)


ODD = {
    "a NUL": (b"pl4nted\0", "contains a NUL (U+0000) at position 8"),
    "a zero-width space": (b"pl4nted\xe2\x80\x8b\n", "contains a zero-width space (U+200B) at position 8"),
    "a second mark": (b"\xef\xbb\xbf\xef\xbb\xbfpl4nted", "contains a byte order mark (U+FEFF) at position 1"),
    "a non-breaking space": (b"pl4\xc2\xa0nted", "contains a non-breaking space (U+00A0) at position 4"),
    "a carriage return": (b"pl4\rnted", "contains a carriage return (U+000D) at position 4"),
    "two lines": (b"pl4\nnted", "has several lines; expected one line"),
    "two lines of Windows": (b"pl4\r\nnted\r\n", "has several lines; expected one line"),
    "a letter": (b"pl4nt\xc3\xa9d", "contains a non-ASCII character at position 6"),
}


@pytest.mark.parametrize(("data", "problem"), ODD.values(), ids=ODD)
def test_a_secret_key_that_can_never_be_one(
    data: bytes, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An impossible secret key is reported, from any source, without showing it."""
    (tmp_path / "secret").write_bytes(data)
    sources = [f"secret_key_file: {tmp_path}/secret", f"secret_key: {json.dumps(data.decode())}"]
    if b"\0" not in data:
        monkeypatch.setenv("ACME_SECRET", data.decode())
        sources.append("secret_key_env: ACME_SECRET")
    for source in sources:
        with pytest.raises(ConfigError) as raised:
            parse_config(f"accounts: [{{name: acme, login: login, {source}}}]", tmp_path)
        assert str(raised.value).endswith(problem)
        assert "pl4" not in str(raised.value)
        assert "nted" not in str(raised.value)


@pytest.mark.parametrize("data", [b"s3cret\r\n", b"\xef\xbb\xbfs3cret\n\n", b"\xc2\xa0 s3cret \xc2\xa0\n"])
def test_what_is_no_part_of_a_secret(data: bytes, tmp_path: Path) -> None:
    """Whitespace, Windows line ends and one byte order mark are not part of a secret."""
    (tmp_path / "secret").write_bytes(data)
    for source in ("secret_key_file: secret", f"secret_key: {json.dumps(data.decode('utf-8-sig'))}"):
        config = parse_config(f"accounts: [{{name: acme, login: login, {source}}}]", tmp_path)
        assert config.secret_of(config.accounts[0], "secret_key")().reveal() == "s3cret"
        assert warnings_of(config) == []


def test_what_is_suspicious_is_a_warning(tmp_path: Path) -> None:
    """Quotes and invisible characters in a login or token cause a warning, and are kept."""
    (tmp_path / "secret").write_text('"pl4nted"\n')
    text = r"""
accounts:
  - {name: acme, login: "pl4nted\u200b", secret_key_file: secret, registration_token: "pl4n\u00a0ted"}
"""
    config = parse_config(text, tmp_path)
    assert warnings_of(config) == [
        "accounts[0].login: contains a zero-width space (U+200B) at position 8",
        "accounts[0].secret_key_file: the secret key begins or ends with a quote, which is taken as part of it",
        "accounts[0].registration_token: the registration token contains a non-breaking space (U+00A0) at position 5",
    ]


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("Monitoring0Key001\\u200b", "contains a zero-width space (U+200B) at position 18"),
        ("'Monitoring0Key001'", "begins or ends with a quote, which is taken as part of it"),
    ],
)
def test_a_monitoring_key_that_is_odd(key: str, odd: str, tmp_path: Path) -> None:
    """The error of an invalid monitoring key names its suspicious characters."""
    with pytest.raises(ConfigError) as raised:
        parse_config(f'accounts: [{{name: a, login: b, secret_key: c, monitoring_keys: ["{key}"]}}]', tmp_path)
    assert str(raised.value).endswith(f"letters, digits, dashes and underscores; it {odd}")
