"""Where secrets come from: files that change, vanish and come back, variables, the folder of systemd's credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor.cln import Secret
from cln_monitor.config.secrets import SecretFile, SecretVariable, expand


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A secret file."""
    file = tmp_path / "acme.secret"
    file.write_text("first\n")
    return file


@pytest.fixture
def source(file: Path) -> SecretFile:
    """What reads it, by a relative name."""
    return SecretFile(file.name, file.parent)


def test_text_without_what_surrounds_it(file: Path, source: SecretFile) -> None:
    """Blanks, newlines and the byte order mark of an editor are no part of a secret."""
    assert source() == Secret("first")
    file.write_bytes(b"\xef\xbb\xbf  second\r\n\n")
    assert source() == Secret("second")


def test_read_again_when_it_changes(file: Path, source: SecretFile) -> None:
    """A new text is seen, also one of the same length at the same time in another file put in its place."""
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
    """It is asked for with each request, so an unchanged file costs a look at its date alone."""
    source()

    def fail(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr(Path, "read_text", fail)
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
    """In the middle of a rotation the last good text serves; the new one does as soon as it is there."""
    source()
    spoil(file)
    assert source().reveal() == "first"
    if file.is_dir():
        file.rmdir()
    file.write_text("second\n")
    assert source().reveal() == "second"


def test_never_readable(file: Path, source: SecretFile) -> None:
    """Without a last good text what is wrong comes out, and it reads once the file is there."""
    file.unlink()
    with pytest.raises(FileNotFoundError):
        source()
    file.write_text("")
    with pytest.raises(ValueError, match=r"^is empty$"):
        source()
    file.write_text("late\n")
    assert source().reveal() == "late"


def test_lines(file: Path, source: SecretFile) -> None:
    """A file of several keys has one a line; empty lines and comments are skipped."""
    file.write_text("# monitoring keys\n  one  \n\n#two\nthree # not a comment\n")
    assert source.lines() == [Secret("one"), Secret("three # not a comment")]


def test_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a variable, without what surrounds it; unset and empty are refused."""
    variable = SecretVariable("ACME_SECRET")
    for text in ("", "  "):
        monkeypatch.setenv("ACME_SECRET", text)
        with pytest.raises(ValueError, match=r"^is an environment variable that is not set, or empty$"):
            variable()
    monkeypatch.setenv("ACME_SECRET", " s3cret\n")
    assert variable() == Secret("s3cret")
    monkeypatch.delenv("ACME_SECRET")
    with pytest.raises(ValueError, match="not set, or empty"):
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
    """Names are relative to the configuration's folder, to the home folder, or to systemd's credentials."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/cln")
    monkeypatch.setenv("HOME", "/home/cln")
    assert expand(name, Path("/etc/cln-monitor")) == Path(path)


@pytest.mark.parametrize("name", ["%d/acme", "$CREDENTIALS_DIRECTORY/acme", "${CREDENTIALS_DIRECTORY}/acme"])
def test_credentials_without_systemd(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of systemd the error says what sets the folder; an empty variable counts as none."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ValueError, match=r"^needs the variable CREDENTIALS_DIRECTORY, which systemd sets"):
        expand(name, Path("/etc"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    with pytest.raises(ValueError, match=r"^needs the variable CREDENTIALS_DIRECTORY, which systemd sets"):
        expand(name, Path("/etc"))


def test_credentials_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret below %d is read like any other."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "acme").write_text("one")
    source = SecretFile("%d/acme", Path("/nowhere"))
    assert source().reveal() == "one"
    (tmp_path / "acme").write_text("three")
    assert source().reveal() == "three"


def test_home_of_nobody() -> None:
    """The home folder of a user that is not there is an error with words, not a crash."""
    with pytest.raises(ValueError, match=r"^starts with the home folder of a user that is not known here$"):
        expand("~no-such-user/acme.secret", Path("/etc"))


def test_what_reads_secrets_does_not_show_them(source: SecretFile) -> None:
    """Neither the source nor the secret prints its text."""
    assert "first" not in repr((source, source(), source.lines())) + str(source())
