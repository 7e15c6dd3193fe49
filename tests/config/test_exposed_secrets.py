"""World-readable secrets: their files are refused if secrets are guarded, and always cause a warning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cln_monitor.config import ConfigError, load_config, warnings_of

HOW = "run chmod 600 on it (640 if a group has to read it), or set defaultMode: 0440 of a Kubernetes volume"
OR_ALLOW = ", or set allow_world_readable_secrets: true"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a secret in every possible place, each file readable by its owner only.

    All users can enter its directory.
    """
    tmp_path.chmod(0o755)
    for name, text in (("secret", "s3cret"), ("token", "t0ken"), ("keys", "MonitoringKey00001")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "cln-monitor.yml"
    file.write_text("""\
proxy: http://user:password@proxy.example.com:3128
accounts:
  - {name: one, login: a, secret_key_file: secret, registration_token_file: token, monitoring_keys_file: keys}
  - {name: two, login: b, secret_key: s3cret, registration_token: t0ken, monitoring_keys: [MonitoringKey00001]}
""")
    file.chmod(0o600)
    return file


def told(place: str, file: Path) -> str:
    """Return the text about an exposed secret."""
    return f"{place}: {file} is world-readable; {HOW}"


def refusal(config: Path) -> str:
    """Return the error of a refused configuration."""
    with pytest.raises(ConfigError) as caught:
        load_config(config, guard_secrets=True)
    return str(caught.value)


def warnings(config: Path) -> list[str]:
    """Return the warnings of an accepted configuration."""
    return warnings_of(load_config(config, guard_secrets=True))


@pytest.mark.parametrize(
    ("name", "place"), [("secret", "secret_key"), ("token", "registration_token"), ("keys", "monitoring_keys")]
)
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o444, 0o777])
def test_a_file_of_a_secret(name: str, place: str, mode: int, config: Path) -> None:
    """A world-readable secret file is refused if secrets are guarded, else it causes a warning."""
    (config.parent / name).chmod(mode)
    line = told(f"accounts[0].{place}_file", config.parent / name)
    assert refusal(config) == f"{config}: {line}{OR_ALLOW}"
    assert warnings_of(load_config(config)) == [line]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o660, 0o610, 0o622])
def test_modes_that_are_right(mode: int, config: Path) -> None:
    """Files that are readable by owner and group are accepted."""
    for file in config.parent.iterdir():
        file.chmod(mode)
    assert warnings(config) == []


def test_the_configuration_itself(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in a world-readable configuration cause a warning each, with the absolute path."""
    config.chmod(0o644)
    places = ("proxy", *(f"accounts[1].{name}" for name in ("secret_key", "registration_token", "monitoring_keys")))
    assert warnings(config) == [told(place, config) for place in places]
    monkeypatch.chdir(config.parent)
    assert warnings(Path(config.name)) == [told(place, config) for place in places]


def test_a_configuration_without_secrets(config: Path) -> None:
    """A configuration without secrets may be world-readable."""
    lines = config.read_text().splitlines()
    config.write_text("\n".join(["proxy: http://proxy.example.com:3128", *lines[1:3]]))
    config.chmod(0o644)
    assert warnings(config) == []


def test_a_link(config: Path) -> None:
    """The mode of a link's target counts, as in mounted volumes."""
    secret = config.parent / "secret"
    secret.rename(config.parent / "elsewhere")
    secret.symlink_to("elsewhere")
    assert warnings(config) == []
    (config.parent / "elsewhere").chmod(0o644)
    assert refusal(config) == f"{config}: {told('accounts[0].secret_key_file', secret)}{OR_ALLOW}"


def test_a_pipe(config: Path) -> None:
    """The mode of a pipe does not count, as only this process has read it."""
    reading, writing = os.pipe()
    os.fchmod(reading, 0o644)
    os.write(writing, b"s3cret")
    os.close(writing)
    config.write_text(config.read_text().replace("secret_key_file: secret", f"secret_key_file: /dev/fd/{reading}"))
    assert warnings(config) == []
    os.close(reading)


def test_allowed(config: Path) -> None:
    """The configuration can allow world-readable secrets, which then still cause a warning."""
    config.write_text(f"allow_world_readable_secrets: true\n{config.read_text()}")
    for file in config.parent.iterdir():
        file.chmod(0o644)
    assert len(warnings(config)) == 7


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o750, 0o710, 0o744])
def test_a_directory_that_others_cannot_enter(mode: int, config: Path) -> None:
    """World-readable files are accepted in a directory that other users cannot enter."""
    for file in config.parent.iterdir():
        file.chmod(0o644)
    config.parent.chmod(mode)
    assert warnings(config) == []


@pytest.mark.parametrize("mode", [0o701, 0o711, 0o751, 0o755, 0o1777])
def test_a_directory_that_others_can_enter(mode: int, config: Path) -> None:
    """A directory that other users can enter, even if they cannot list it, protects nothing."""
    (config.parent / "secret").chmod(0o644)
    config.parent.chmod(mode)
    assert refusal(config).startswith(
        f"{config}: accounts[0].secret_key_file: {config.parent}/secret is world-readable"
    )


def test_a_directory_above(config: Path) -> None:
    """Only the directory that a path names counts, and not those above it."""
    directory = config.parent / "secrets"
    directory.mkdir()
    directory.chmod(0o755)
    config.parent.chmod(0o700)
    (config.parent / "secret").rename(directory / "secret")
    (directory / "secret").chmod(0o644)
    config.write_text(config.read_text().replace("secret_key_file: secret", f"secret_key_file: {directory}/secret"))
    assert refusal(config) == f"{config}: {told('accounts[0].secret_key_file', directory / 'secret')}{OR_ALLOW}"


@pytest.mark.parametrize(("directory", "version"), [(0o700, 0o755), (0o755, 0o700), (0o700, 0o700)])
def test_a_private_volume(directory: int, version: int, config: Path) -> None:
    """In a volume of Kubernetes, the directory of the volume or that of the version can deny access."""
    _as_volume(config.parent, 0o644)
    (config.parent / "..data").resolve().chmod(version)
    config.parent.chmod(directory)
    assert warnings(config) == []


def test_an_open_volume(config: Path) -> None:
    """A Kubernetes volume with its default modes is refused, and one with defaultMode 0440 is accepted."""
    _as_volume(config.parent, 0o644)
    config.parent.chmod(0o1777)
    assert refusal(config).splitlines()[0] == (
        f"{config}: {told('accounts[0].secret_key_file', config.parent / 'secret')}{OR_ALLOW}"
    )
    for file in (config.parent / "..data").iterdir():
        file.chmod(0o440)
    assert warnings(config) == []


def _as_volume(directory: Path, mode: int) -> None:
    """Rearrange the files of a directory as in a volume of Kubernetes: links to a version of them."""
    version = directory / "..2026_11_29_12_00_00.1"
    version.mkdir()
    version.chmod(0o755)
    for file in [file for file in directory.iterdir() if file.is_file()]:
        file.chmod(mode)
        file.rename(version / file.name)
        file.symlink_to(Path("..data", file.name))
    (directory / "..data").symlink_to(version.name)
