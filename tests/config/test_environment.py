"""The configuration of a file, or of environment variables without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor.cln import Redactor
from cln_monitor.config import ConfigError, environment, load_file_or_environment, show_config, warnings_of

LOGIN, SECRET_KEY = "pl4nted_login", "pl4nted-secret-key"
FILE = f"accounts: [{{name: of-a-file, login: {LOGIN}, secret_key: {SECRET_KEY}}}]\n"


@pytest.fixture(autouse=True)
def default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of the default configuration; the environment has a login and a secret key."""
    for variable in ("CLN_ACCOUNT", "CLN_API_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CLN_LOGIN", LOGIN)
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    file = tmp_path / "default.yml"
    monkeypatch.setattr(environment, "DEFAULT_CONFIG", file)
    return file


def refusal(file: Path | None = None) -> str:
    """Return the error of a configuration, which has no secret."""
    with pytest.raises(ConfigError) as caught:
        load_file_or_environment(file)
    assert "pl4" not in str(caught.value)
    return str(caught.value)


def test_an_account_of_variables() -> None:
    """Login and secret key are enough: the account is named default, and everything else has its default."""
    config = load_file_or_environment()
    (account,) = config.accounts
    credentials = config.credentials_of(account)
    assert (account.name, config.api_url_of(account)) == ("default", "https://cln.cloudlinux.com/api")
    assert credentials.secret_key is not None
    assert (credentials.login, credentials.secret_key().reveal()) == (LOGIN, SECRET_KEY)
    assert account.probes["kernelcare"].enabled
    assert (config.file, config.from_environment, warnings_of(config)) == (None, True, [])


def test_all_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account has a name and an API root of its own; whitespace around a value is not part of it."""
    for variable, value in (("CLN_ACCOUNT", "acme"), ("CLN_API_URL", "https://eportal.example.com/api/")):
        monkeypatch.setenv(variable, f"{value}\n")
    monkeypatch.setenv("CLN_LOGIN", f"{LOGIN}\n")
    monkeypatch.setenv("CLN_SECRET_KEY", f"{SECRET_KEY}\r\n")
    config = load_file_or_environment()
    (account,) = config.accounts
    credentials = config.credentials_of(account)
    assert (account.name, config.api_url_of(account)) == ("acme", "https://eportal.example.com/api")
    assert credentials.secret_key is not None
    assert (credentials.login, credentials.secret_key().reveal()) == (LOGIN, SECRET_KEY)


@pytest.mark.parametrize("variable", ["CLN_ACCOUNT", "CLN_API_URL"])
def test_an_empty_variable_that_is_optional(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty optional variable, as Compose passes one that is not set, means the default."""
    monkeypatch.setenv(variable, "")
    config = load_file_or_environment()
    assert (config.accounts[0].name, config.api_url) == ("default", "https://cln.cloudlinux.com/api")


def test_a_file_has_precedence(default: Path, tmp_path: Path) -> None:
    """A given file, and the default file, have precedence over the variables."""
    default.write_text(FILE)
    config = load_file_or_environment()
    assert (config.accounts[0].name, config.file, config.from_environment) == ("of-a-file", default, False)
    given = tmp_path / "given.yml"
    given.write_text(FILE.replace("of-a-file", "given"))
    assert load_file_or_environment(given).accounts[0].name == "given"


def test_a_given_file_must_exist(tmp_path: Path) -> None:
    """The variables do not replace a given file that is missing."""
    missing = tmp_path / "missing.yml"
    assert refusal(missing).startswith(f"{missing}: cannot be read: No such file or directory")


def test_a_default_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables do not replace a default file that is unreadable."""
    file = Path(f"/{'x' * 300}/cln-monitor.yml")  # an error other than a missing file, for root as well
    monkeypatch.setattr(environment, "DEFAULT_CONFIG", file)
    assert refusal().startswith(f"{file}: cannot be read: File name too long")


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_neither_file_nor_variables(value: str | None, default: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without both, one line names both ways to configure the exporter."""
    for variable in ("CLN_LOGIN", "CLN_SECRET_KEY"):
        monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)
    monkeypatch.setenv("CLN_ACCOUNT", "acme")
    assert refusal() == (
        f"{default}: does not exist; create it, use --config.file, or set the environment variables "
        "CLN_LOGIN and CLN_SECRET_KEY"
    )


@pytest.mark.parametrize("variable", ["CLN_LOGIN", "CLN_SECRET_KEY"])
@pytest.mark.parametrize(("value", "state"), [(None, "is not set"), ("", "is empty"), ("\n", "is empty")])
def test_half_an_account(variable: str, value: str | None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login without a secret key, or the reverse, is an error that names the missing variable."""
    monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)
    both = "set both CLN_LOGIN and CLN_SECRET_KEY, or use --config.file"
    assert refusal() == f"environment: {variable}: {state}; {both}"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("CLN_LOGIN", "pl4\nnted", "has several lines; expected one line"),
        ("CLN_SECRET_KEY", "pl4\nnted", "has several lines; expected one line"),
        ("CLN_SECRET_KEY", "pl4nt\u00e9d", "contains a non-ASCII character at position 6"),
        ("CLN_ACCOUNT", "pl4/nted", "expected 1 to 64 letters, digits, dots, dashes and underscores"),
        (
            "CLN_API_URL",
            "pl4nted",
            "expected the URL of a CLN API root, for example https://cln.cloudlinux.com/api",
        ),
    ],
)
def test_a_bad_variable(variable: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a bad variable names the variable, and not a field of a file, without its value."""
    monkeypatch.setenv(variable, value)
    assert refusal() == f"environment: {variable}: {problem}"


def test_warnings_name_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings name variables in place of fields."""
    monkeypatch.setenv("CLN_LOGIN", "acme_login")
    monkeypatch.setenv("CLN_SECRET_KEY", '"s3cret"')
    assert warnings_of(load_file_or_environment()) == [
        "CLN_LOGIN: placeholder of an example; replace it with the login of the CLN account",
        "CLN_SECRET_KEY: the secret key begins or ends with a quote, which is taken as part of it",
    ]


def test_secrets_of_variables_are_not_shown() -> None:
    """The configuration in use has the names of the variables, and their values are redacted."""
    config = load_file_or_environment()
    shown = show_config(config)
    assert "login: null\n  login_env: CLN_LOGIN\n" in shown
    assert "pl4nted" not in shown
    redactor = Redactor()
    config.hide_secrets(redactor)
    assert redactor.scrub(f"{LOGIN} {SECRET_KEY}") == "<login> <secret>"
