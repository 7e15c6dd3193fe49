"""Selection of the configuration, the account in it, and the API root by options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Redactor, problem_of_proxy
from cln_monitor.config import AccountSelection, ConfigError, SelectionError, parse_config, selection
from cln_monitor.source_kinds import EPORTAL

LOGIN, SECRET_KEY = "pl4nted_login", "pl4nted-secret-key"
ONE_ACCOUNT = f"accounts: [{{name: acme, login: {LOGIN}, secret_key: {SECRET_KEY}}}]\n"
TWO_ACCOUNTS = f"""\
api_url: https://one.example.net/api
accounts:
  - {{name: acme, login: {LOGIN}, secret_key: {SECRET_KEY}}}
  - {{name: other, login: {LOGIN}, secret_key: {SECRET_KEY}}}
"""
TWO_APIS = TWO_ACCOUNTS.replace("}\n", ", api_url: https://two.example.net/api}\n", 2).replace(
    ", api_url: https://two.example.net/api", "", 1
)
NO_SECRETS = "accounts: [{name: acme, login: a, secret_key_file: nowhere, monitoring_keys_file: nowhere}]\n"


@pytest.fixture(autouse=True)
def default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of the default configuration, and clear the environment variables."""
    for variable in ("CLN_LOGIN", "CLN_SECRET_KEY", "CLN_ACCOUNT", "CLN_API_URL"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "default.yml"
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", file)
    return file


def written(folder: Path, text: str) -> str:
    """Return the path of a configuration with that ``text``."""
    file = folder / "named.yml"
    file.write_text(text)
    return str(file)


def refusal(choice: AccountSelection) -> str:
    """Return the error of a selection."""
    with pytest.raises(SelectionError) as caught:
        choice.load()
    return str(caught.value)


def login_of(choice: AccountSelection) -> str:
    """Return the login of the selected account."""
    config = choice.load()
    return config.login_of(choice.account_of(config)).reveal()


@pytest.fixture
def secret_key_file(tmp_path: Path) -> str:
    """Return the path of a file with a secret key."""
    file = tmp_path / "secret"
    file.write_text(SECRET_KEY)
    return str(file)


@pytest.fixture
def barred(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all files unreadable, as for a user without permission; root could read them."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "read_text", refuse)


def test_a_secret_that_all_users_can_read(secret_key_file: str) -> None:
    """A world-readable secret file is accepted for a single run."""
    Path(secret_key_file).chmod(0o644)
    assert login_of(AccountSelection(login=LOGIN, secret_key_file=secret_key_file)) == LOGIN


def test_nothing_is_said() -> None:
    """Without any option, the error names the options that can be used."""
    told = "no account given: use --config, or --login with --secret-key-file, or CLN_LOGIN with CLN_SECRET_KEY"
    assert refusal(AccountSelection()) == told
    assert refusal(AccountSelection(also=", or --exporter")) == f"{told}, or --exporter"


def test_a_file(tmp_path: Path, default: Path) -> None:
    """The given file is used, else the default file."""
    default.write_text(ONE_ACCOUNT.replace(LOGIN, "other_login"))
    assert login_of(AccountSelection()) == "other_login"
    assert login_of(AccountSelection(config=written(tmp_path, ONE_ACCOUNT))) == LOGIN


def test_options(secret_key_file: str, default: Path) -> None:
    """A login overrides the default file."""
    default.write_text(ONE_ACCOUNT)
    choice = AccountSelection(login="mine", secret_key_file=secret_key_file, registration_token="t0ken")
    config = choice.load()
    (account,) = config.accounts
    assert choice.account_of(config) is account
    credentials = config.credentials_of(account)
    assert credentials.secret_key is not None
    assert (credentials.login, credentials.secret_key().reveal()) == ("mine", SECRET_KEY)
    assert credentials.registration_token is not None
    assert credentials.registration_token().reveal() == "t0ken"


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables give login and secret key if no option does; empty ones are ignored."""
    monkeypatch.setenv("CLN_LOGIN", "from-variable")
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    choice = AccountSelection()
    config = choice.load()
    assert login_of(choice) == "from-variable"
    secret_key = config.credentials_of(config.accounts[0]).secret_key
    assert secret_key is not None
    assert secret_key().reveal() == SECRET_KEY
    monkeypatch.setenv("CLN_LOGIN", "")
    assert refusal(choice).startswith("no account given")


def test_a_variable_does_not_count_beside_a_name(
    tmp_path: Path, default: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --config or --account the variables are ignored."""
    monkeypatch.setenv("CLN_LOGIN", "from-variable")
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    default.write_text(ONE_ACCOUNT)
    assert login_of(AccountSelection()) == "from-variable"
    assert login_of(AccountSelection(account="acme")) == LOGIN
    assert login_of(AccountSelection(config=written(tmp_path, ONE_ACCOUNT))) == LOGIN
    default.unlink()
    choice = AccountSelection(account="acme")
    with pytest.raises(SelectionError) as caught:
        choice.account_of(choice.load())
    assert str(caught.value) == "--account: unknown account acme; known accounts: default"
    monkeypatch.setenv("CLN_ACCOUNT", "acme")
    assert login_of(choice) == "from-variable"


def test_all_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables give the account a name and an API root; whitespace around them is ignored."""
    url = "https://eportal.example.com/api"
    for variable, value in (("LOGIN", LOGIN), ("SECRET_KEY", SECRET_KEY), ("ACCOUNT", "acme"), ("API_URL", url)):
        monkeypatch.setenv(f"CLN_{variable}", f" {value}\n")
    config = AccountSelection().load()
    (account,) = config.accounts
    credentials = config.credentials_of(account)
    assert (account.name, config.api_url_of(account)) == ("acme", url)
    assert credentials.secret_key is not None
    assert (credentials.login, credentials.secret_key().reveal()) == (LOGIN, SECRET_KEY)
    own = "https://own.example.com/api"
    assert AccountSelection(api_url=own).load().api_url == own
    assert AccountSelection(needs_account=False).load().api_url == url
    assert AccountSelection(login="mine", needs_account=False).load().api_url == url


def test_the_api_root_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLN_API_URL does not override a configuration file."""
    monkeypatch.setenv("CLN_API_URL", "https://eportal.example.com/api")
    config = AccountSelection(config=written(tmp_path, ONE_ACCOUNT)).load()
    assert config.api_url == "https://cln.cloudlinux.com/api"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("CLN_LOGIN", "pl4\nnted", "CLN_LOGIN has several lines; expected one line"),
        ("CLN_SECRET_KEY", "pl4\nnted", "CLN_SECRET_KEY has several lines; expected one line"),
        ("CLN_ACCOUNT", "a/b", "CLN_ACCOUNT: expected 1 to 64 letters, digits, dots, dashes and underscores"),
        ("CLN_API_URL", "ftp://h", "CLN_API_URL: expected the URL of a CLN API root"),
    ],
)
def test_a_bad_variable(variable: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a bad variable names the variable, without its value."""
    monkeypatch.setenv("CLN_LOGIN", LOGIN)
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv(variable, value)
    told = refusal(AccountSelection())
    assert told.startswith(problem)
    assert "pl4" not in told


@pytest.mark.parametrize("variable", [None, ""])
def test_a_login_without_its_secret_key(variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login needs a secret key, unless a static token is given or no account is needed."""
    if variable is not None:
        monkeypatch.setenv("CLN_SECRET_KEY", variable)
    told = "no secret key given: use --secret-key-file, or set CLN_SECRET_KEY"
    assert refusal(AccountSelection(login=LOGIN)) == told
    assert login_of(AccountSelection(login=LOGIN, registration_token="t0ken")) == LOGIN
    assert login_of(AccountSelection(login=LOGIN, needs_account=False)) == LOGIN


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (
            AccountSelection(login=LOGIN, secret_key_file="/nonexistent"),
            "--secret-key-file: cannot read /nonexistent (No such",
        ),
        (AccountSelection(login=LOGIN, secret_key_file="/"), "--secret-key-file: cannot read / (Is a directory)"),
        (AccountSelection(login=" ", registration_token="t0ken"), "--login: is empty"),
        (AccountSelection(login=LOGIN, registration_token=" "), "--api-token: is empty"),
        (AccountSelection(needs_account=False, api_url="ftp://h"), "--api-url: expected the URL of a CLN API root"),
        (AccountSelection(needs_account=False, proxy="h"), "--proxy: expected the URL of a proxy"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_bad_value_goes_by_its_option(choice: AccountSelection, told: str) -> None:
    """The error of a bad value names the option, and not the key of a configuration."""
    assert refusal(choice).startswith(told)
    assert "accounts" not in refusal(choice)


def test_a_blank_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a blank variable names the variable."""
    monkeypatch.setenv("CLN_SECRET_KEY", " ")
    assert refusal(AccountSelection(login=LOGIN)).startswith("CLN_SECRET_KEY is an environment variable that is unset")


def test_all_problems_of_a_file_on_one_line(tmp_path: Path) -> None:
    """All problems of a file are on one line, each with the file and the place."""
    file = written(tmp_path, "surprise: 1\n")
    told = refusal(AccountSelection(config=file))
    assert told.startswith(f"{file}: surprise: unknown key")
    assert f"; {file}: at least one account or ePortal is required" in told


def test_an_address_of_ones_own(tmp_path: Path) -> None:
    """--api-url and --proxy override the settings of the file for all accounts."""
    file = written(tmp_path, TWO_APIS)
    config = AccountSelection(config=file, api_url="https://mine/api", proxy="http://proxy:3128").load()
    assert {config.api_url_of(account) for account in config.accounts} == {"https://mine/api"}
    assert config.transport_of("https://mine/api").proxy == "http://proxy:3128"
    config = AccountSelection(config=file).load()
    assert len({config.api_url_of(account) for account in config.accounts}) == 2
    assert config.transport_of("https://one.example.net/api").proxy is None
    config = AccountSelection(needs_account=False, api_url="https://mine/api", proxy="http://proxy:3128").load()
    assert config.transport_of(AccountSelection().api_url_of(config)).proxy == "http://proxy:3128"


@pytest.mark.parametrize(
    "url",
    [
        "http://us%3Aer:pl4nted@proxy",
        "http://user:pl4nted%0A@proxy",
        "http://user:pl4nted\u200b@proxy",
        "socks5://proxy",
    ],
)
def test_a_proxy_that_cannot_be_used(url: str, tmp_path: Path) -> None:
    """An invalid proxy is an error in a configuration and as an option, without its password."""
    problem = problem_of_proxy(url)
    quoted = url.replace("\u200b", "\\u200b")
    with pytest.raises(ConfigError) as raised:
        parse_config(f'proxy: "{quoted}"\n{ONE_ACCOUNT}', Path("/nowhere"))
    assert str(raised.value) == f": proxy: {problem}"
    for choice in _beside_a_file(tmp_path, proxy=url):
        assert refusal(choice) == f"--proxy: {problem}"
    assert "pl4nted" not in problem


def test_an_option_that_is_not_utf_8(tmp_path: Path) -> None:
    """An option that is not UTF-8 is an error."""
    for choice in _beside_a_file(tmp_path, proxy="http://user:pl4nted\udce9@proxy"):
        assert refusal(choice) == "--proxy: expected the URL of a proxy, for example http://proxy.example.com:3128"


def test_an_api_url_that_cannot_be_used(tmp_path: Path) -> None:
    """An --api-url with an invalid host name is an error."""
    for choice in _beside_a_file(tmp_path, api_url="https://a..b/api"):
        assert refusal(choice).startswith("--api-url: expected the URL of a CLN API root")


def _beside_a_file(folder: Path, **options: Any) -> list[AccountSelection]:
    file = written(folder, ONE_ACCOUNT)
    return [AccountSelection(config=file, needs_account=needs_account, **options) for needs_account in (True, False)]


class TestEportal:
    """Selection of an ePortal."""

    TWO = (
        f"{NO_SECRETS}eportals:\n"
        "  - {name: dc1, url: https://dc1.example.net/admin/api, api_key_file: nowhere}\n"
        "  - {name: dc2, url: https://dc2.example.net/admin/api, api_key_file: nowhere}\n"
    )

    def selection(self, tmp_path: Path, text: str, account: str | None = None) -> AccountSelection:
        """Return the selection of an ePortal in a configuration with that ``text``."""
        return AccountSelection(config=written(tmp_path, text), account=account, kind=EPORTAL)

    def test_by_name(self, tmp_path: Path) -> None:
        """An ePortal is selected by its name, and no secret of an account is read."""
        choice = self.selection(tmp_path, self.TWO, "dc2")
        assert choice.eportal_of(choice.load()).name == "dc2"

    def test_all(self, tmp_path: Path) -> None:
        """Without a name all are selected, and a check needs the name of one."""
        choice = self.selection(tmp_path, self.TWO)
        config = choice.load()
        assert [eportal.name for eportal in choice.eportals_of(config)] == ["dc1", "dc2"]
        with pytest.raises(SelectionError, match="has several ePortals; use --account with one of: dc1, dc2"):
            choice.eportal_of(config)

    def test_unknown(self, tmp_path: Path) -> None:
        """An account of CLN is not an ePortal."""
        choice = self.selection(tmp_path, self.TWO, "acme")
        with pytest.raises(
            SelectionError, match="--account: acme is an account, not an ePortal; known ePortals: dc1, dc2"
        ):
            choice.eportal_of(choice.load())

    def test_none(self, tmp_path: Path) -> None:
        """A configuration without ePortals is an error, with or without a name."""
        for name in (None, "acme"):
            choice = self.selection(tmp_path, NO_SECRETS, name)
            with pytest.raises(SelectionError, match="no ePortals are configured; add one to eportals"):
                choice.eportal_of(choice.load())

    def test_without_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The environment variables are an account, and no ePortal."""
        monkeypatch.setenv("CLN_LOGIN", LOGIN)
        monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
        text = "no ePortal given: use --config with a file that has eportals, or --exporter"
        with pytest.raises(SelectionError, match=text):
            AccountSelection(kind=EPORTAL, also=", or --exporter").load()

    def test_in_the_default_file(self, monkeypatch: pytest.MonkeyPatch, default: Path) -> None:
        """The default file is read although the environment has an account."""
        monkeypatch.setenv("CLN_LOGIN", LOGIN)
        default.write_text(self.TWO)
        choice = AccountSelection(account="dc1", kind=EPORTAL)
        assert choice.eportal_of(choice.load()).name == "dc1"


class TestWithoutAccounts:
    """Selections in a configuration that has ePortals alone."""

    TEXT = "eportals: [{name: dc1, url: https://dc1.example.net/admin/api, api_key_file: dc1.key}]\n"

    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        """The configuration, with an API key."""
        (tmp_path / "dc1.key").write_text("pl4nted-api-key")
        return written(tmp_path, self.TEXT)

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            (None, "no accounts are configured; add one to accounts"),
            ("acme", "no accounts are configured; add one to accounts"),
            ("dc1", "--account: dc1 is an ePortal, not an account; no accounts are configured; add one to accounts"),
        ],
    )
    def test_an_account(self, file: str, account: str | None, text: str) -> None:
        """What reads an account says that there is no account, and whether the name is that of an ePortal."""
        choice = AccountSelection(config=file, account=account)
        with pytest.raises(SelectionError) as caught:
            choice.account_of(choice.load())
        assert str(caught.value) == text

    def test_the_api(self, file: str) -> None:
        """The status of CLN needs no account, unless one is named."""
        choice = AccountSelection(config=file, needs_account=False)
        assert choice.api_url_of(choice.load()) == "https://cln.cloudlinux.com/api"
        choice = AccountSelection(config=file, needs_account=False, account="dc1")
        with pytest.raises(SelectionError, match="dc1 is an ePortal, not an account"):
            choice.api_url_of(choice.load())

    def test_an_eportal(self, file: str) -> None:
        """The ePortal is the only source, and need not be named."""
        choice = AccountSelection(config=file, kind=EPORTAL)
        config = choice.load()
        assert choice.source_of(config) is choice.eportal_of(config) is config.eportals[0]


class TestAccount:
    """Selection of an account."""

    def test_the_only_one(self, tmp_path: Path) -> None:
        """The only account need not be named."""
        file = written(tmp_path, ONE_ACCOUNT)
        for account in (None, "acme"):
            choice = AccountSelection(config=file, account=account)
            assert choice.account_of(choice.load()).name == "acme"

    def test_one_of_several(self, tmp_path: Path) -> None:
        """One of several accounts must be named, and the error lists them."""
        file = written(tmp_path, TWO_ACCOUNTS)
        config = AccountSelection(config=file).load()
        assert AccountSelection(account="other").account_of(config).name == "other"
        with pytest.raises(SelectionError) as caught:
            AccountSelection().account_of(config)
        told = "the configuration has several accounts; use --account with one of: acme, other"
        assert str(caught.value) == told

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        """The error of an unknown account lists the known ones."""
        config = AccountSelection(config=written(tmp_path, TWO_ACCOUNTS)).load()
        for choose in (AccountSelection(account="acmee").account_of, AccountSelection(account="acmee").api_url_of):
            with pytest.raises(SelectionError) as caught:
                choose(config)
            told = "--account: unknown account acmee; known accounts: acme, other"
            assert str(caught.value) == told

    @pytest.mark.parametrize("needs_account", [True, False])
    def test_one_of_no_configuration(self, needs_account: bool, default: Path) -> None:
        """An account without a configuration is an error that says so."""
        choice = AccountSelection(account="acme", needs_account=needs_account)
        assert refusal(choice) == f"--account needs a configuration, and {default} does not exist: use --config"


class TestApi:
    """Selection of the API root of calls without an account."""

    def test_that_of_all(self, tmp_path: Path) -> None:
        """No account has to be named if all use the same API root."""
        config = AccountSelection(config=written(tmp_path, TWO_ACCOUNTS)).load()
        assert AccountSelection().api_url_of(config) == "https://one.example.net/api"

    def test_of_several(self, tmp_path: Path) -> None:
        """A named account selects one of several API roots."""
        config = AccountSelection(config=written(tmp_path, TWO_APIS)).load()
        assert AccountSelection(account="other").api_url_of(config) == "https://two.example.net/api"
        with pytest.raises(SelectionError) as caught:
            AccountSelection().api_url_of(config)
        told = "the accounts of the configuration use several APIs; use --account with one of: acme, other"
        assert str(caught.value) == told

    def test_of_nobody(self) -> None:
        """Without any option the API root is that of CLN."""
        config = AccountSelection(needs_account=False).load()
        assert AccountSelection().api_url_of(config) == "https://cln.cloudlinux.com/api"


class TestNoAccount:
    """Selection for commands without credentials."""

    def test_secrets_that_cannot_be_read_do_not_matter(self, tmp_path: Path, default: Path) -> None:
        """Unreadable secrets are an error only for commands that need them."""
        for file in (written(tmp_path, NO_SECRETS), None):
            default.write_text(NO_SECRETS)
            config = AccountSelection(config=file, needs_account=False).load()
            assert [account.name for account in config.accounts] == ["acme"]
            assert "accounts[0].secret_key_file: cannot read" in refusal(AccountSelection(config=file))

    def test_what_else_is_wrong_is_told(self, tmp_path: Path) -> None:
        """Other mistakes in the file are errors without an account, too."""
        file = written(tmp_path, f"{NO_SECRETS}timeout: soon\n")
        assert ": timeout: " in refusal(AccountSelection(config=file, needs_account=False))

    def test_a_secret_key_file_of_the_options_is_not_read(self) -> None:
        """The file of --secret-key-file is not read if no account is needed."""
        choice = AccountSelection(login=LOGIN, secret_key_file="/nonexistent", needs_account=False)
        assert login_of(choice) == LOGIN

    @pytest.mark.usefixtures("barred")
    def test_a_default_file_that_may_not_be_read_is_none(self, default: Path) -> None:
        """An unreadable default file is ignored if no account is needed, and a given file is not."""
        default.touch()
        config = AccountSelection(needs_account=False).load()
        assert AccountSelection().api_url_of(config) == "https://cln.cloudlinux.com/api"
        told = f"{default}: cannot be read: Permission denied; grant read permission to the user that runs this program"
        assert refusal(AccountSelection(account="acme", needs_account=False)) == told
        assert refusal(AccountSelection(config=str(default), needs_account=False)) == told
        assert refusal(AccountSelection()) == told


@pytest.mark.parametrize("needs_account", [True, False])
def test_a_default_file_that_cannot_be_looked_at(needs_account: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inaccessible default file is an error, unless no account is needed."""
    file = Path(f"/{'x' * 300}/cln-monitor.yml")  # an error other than a missing file, for root as well
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", file)
    if needs_account:
        assert refusal(AccountSelection()).startswith(f"{file}: cannot be read: File name too long")
    else:
        assert len(AccountSelection(needs_account=False).load().accounts) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A given file must exist, also if no account is needed."""
    missing = tmp_path / "missing.yml"
    for needs_account in (True, False):
        told = refusal(AccountSelection(config=str(missing), needs_account=needs_account))
        assert told.startswith(f"{missing}: cannot be read: No such file or directory")


def test_secrets_are_hidden_whoever_needs_them(tmp_path: Path) -> None:
    """If one secret is unreadable, the others are redacted nevertheless."""
    text = f"accounts: [{{name: a, login: {LOGIN}, secret_key_file: none, registration_token: pl4nted-token}}]\n"
    redactor = Redactor()
    AccountSelection(config=written(tmp_path, text), needs_account=False).load().hide_secrets(redactor)
    assert redactor.scrub(f"{LOGIN} pl4nted-token") == "<login> <secret>"
