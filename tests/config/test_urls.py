"""URLs: what could only fail with each call is an error of the configuration, and shows no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor.config import AccountSelection, ConfigError, SelectionError, parse_config
from cln_monitor.config.urls import problem_of_api_url, problem_of_proxy

ADDRESS = "expected an address such as http://proxy.example.com:3128"
GOOD = [
    "http://proxy:3128",
    "https://user:%C3%A9t%C3%A9@proxy.example.com:3128",
    "http://user:%E2%82%ACuro@[::1]:3128/",
    "http://user:€uro@proxy",
    "http://user:%E9@proxy",
    "http://us%40er:p%3Ass:%2Fw@proxy",
    "http://pröxy.example:3128",
    "http://proxy.example.com.:3128",
]
BAD = {
    "http://us%3Aer:pl4nted@proxy": "its user has a colon, which cannot be sent (RFC 7617)",
    "http://user:pl4nted%0A@proxy": "its user or password has a control character, which cannot be sent (RFC 7617)",
    "http://us%00er:pl4nted@proxy": "its user or password has a control character, which cannot be sent (RFC 7617)",
    "http://user:pl4nted\udce9@proxy": ADDRESS,
    "http://user:pl4nted\u200b@proxy": ADDRESS,
    "http://user:pl4nted@a..b:3128": ADDRESS,
    "http://user:pl4nted@①.example:3128": ADDRESS,
    f"http://user:pl4nted@{'x' * 64}.example": ADDRESS,
    "socks5://user:pl4nted@proxy": ADDRESS,
}


@pytest.mark.parametrize("url", GOOD)
def test_good(url: str) -> None:
    """A login may be of any letters."""
    assert problem_of_proxy(url) == ""


@pytest.mark.parametrize(("url", "problem"), BAD.items())
def test_bad(url: str, problem: str, tmp_path: Path) -> None:
    """What cannot be sent is an error in a configuration, and of an option beside one."""
    assert problem_of_proxy(url) == problem
    account = "accounts: [{name: acme, login: l, secret_key: s}]"
    if "\udce9" not in url:
        quoted = url.replace("\u200b", "\\u200b")
        with pytest.raises(ConfigError) as raised:
            parse_config(f'proxy: "{quoted}"\n{account}', Path("/nowhere"))
        assert str(raised.value) == f": proxy: {problem}"
    file = tmp_path / "cln-monitor.yml"
    file.write_text(account)
    for choice in (
        AccountSelection(config=str(file), proxy=url),
        AccountSelection(needs_account=False, config=str(file), proxy=url),
    ):
        with pytest.raises(SelectionError) as refused:
            choice.load()
        assert str(refused.value) == f"--proxy: {problem}"
        assert "pl4nted" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://a..b/api", f"https://{'x' * 64}.example/api", "https://①.example/api", "x"])
def test_bad_api_url(url: str, tmp_path: Path) -> None:
    """A host that no resolver can be asked for is an error as well."""
    assert problem_of_api_url(url)
    file = tmp_path / "cln-monitor.yml"
    file.write_text("accounts: [{name: acme, login: l, secret_key: s}]")
    with pytest.raises(SelectionError, match=r"^--api-url: expected the root of a CLN API"):
        AccountSelection(config=str(file), api_url=url).load()
