"""Validation of the URLs of CLN and proxies, and the hint about an ignored proxy variable."""

from __future__ import annotations

import pytest

from cln_monitor.cln import ClnError, TimedOutError, UnreachableError
from cln_monitor.cln.http.settings import ignored_proxy, problem_of_api_url, problem_of_proxy
from tests.cln.asking import Clients, read
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

VALUE = "http://me:pl4nted@proxy.example:3128"
NOBODY = "http://127.0.0.1:9/api"
ADDRESS = "expected the URL of a proxy, for example http://proxy.example.com:3128"
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
    "http://us%3Aer:pl4nted@proxy": "the user contains a colon, which RFC 7617 does not allow",
    "http://user:pl4nted%0A@proxy": "the user or password contains a control character, which RFC 7617 does not allow",
    "http://us%00er:pl4nted@proxy": "the user or password contains a control character, which RFC 7617 does not allow",
    "http://user:pl4nted\udce9@proxy": ADDRESS,
    "http://user:pl4nted\u200b@proxy": ADDRESS,
    "http://user:pl4nted@a..b:3128": ADDRESS,
    "http://user:pl4nted@①.example:3128": ADDRESS,
    f"http://user:pl4nted@{'x' * 64}.example": ADDRESS,
    "socks5://user:pl4nted@proxy": ADDRESS,
}


@pytest.mark.parametrize("url", GOOD)
def test_a_good_proxy(url: str) -> None:
    """The login of a proxy may contain any letters."""
    assert problem_of_proxy(url) == ""


@pytest.mark.parametrize(("url", "problem"), BAD.items())
def test_a_bad_proxy(url: str, problem: str) -> None:
    """A proxy that can never work is refused, without showing its password."""
    assert problem_of_proxy(url) == problem


@pytest.mark.parametrize("url", ["https://a..b/api", f"https://{'x' * 64}.example/api", "https://①.example/api", "x"])
def test_a_bad_api_url(url: str) -> None:
    """An API root with an invalid host name is refused."""
    assert problem_of_api_url(url) == "expected the URL of a CLN API root, for example https://cln.cloudlinux.com/api"


def hint(name: str) -> str:
    """Return the text of an error about the variable ``name``."""
    return f"; {name} is set but ignored: set proxy in the configuration, or use --proxy"


@pytest.mark.parametrize(
    ("url", "variables", "name"),
    [
        ("https://cln.example/api", {}, ""),
        ("https://cln.example/api", {"HTTPS_PROXY": VALUE}, "HTTPS_PROXY"),
        ("https://cln.example/api", {"https_proxy": VALUE}, "https_proxy"),
        ("https://cln.example/api", {"ALL_PROXY": VALUE}, "ALL_PROXY"),
        ("https://cln.example/api", {"all_proxy": VALUE, "HTTPS_PROXY": VALUE}, "HTTPS_PROXY"),
        ("https://cln.example/api", {"HTTP_PROXY": VALUE}, ""),
        ("http://cln.example/api", {"HTTP_PROXY": VALUE}, "HTTP_PROXY"),
        ("http://cln.example/api", {"http_proxy": VALUE}, "http_proxy"),
        ("http://cln.example/api", {"HTTPS_PROXY": VALUE}, ""),
        ("https://cln.example/api", {"HTTPS_PROXY": " "}, ""),
        ("https://cln.example/api", {"HTTPS_PROXY": VALUE, "NO_PROXY": "cln.example"}, ""),
        ("https://me:x@cln.example:8443/api", {"HTTPS_PROXY": VALUE, "no_proxy": ".example"}, ""),
        ("https://cln.example/api", {"HTTPS_PROXY": VALUE, "no_proxy": "other.example"}, "HTTPS_PROXY"),
    ],
)
def test_which_variable(url: str, variables: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the variable that other programs would use."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert ignored_proxy(url) == name


@pytest.mark.parametrize("name", ["HTTP_PROXY", "all_proxy"])
def test_unreachable(clients: Clients, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of an unreachable CLN names the ignored variable, and never its value."""
    monkeypatch.setenv(name, VALUE)
    for make in (
        clients.client(NOBODY).kernelcare.keys,
        lambda: clients.writer(NOBODY).kernelcare.delete_key("x" * 16),
    ):
        with pytest.raises(UnreachableError) as raised:
            make()
        assert raised.value.problem == f"connection refused{hint(name)}"
        assert "pl4nted" not in str(raised.value)


@pytest.mark.usefixtures("call_clock")
def test_what_it_is_not_told_of(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a configured proxy, or once CLN was reached, the variable is not mentioned."""
    monkeypatch.setenv("ALL_PROXY", VALUE)
    with pytest.raises(UnreachableError) as raised:
        read(clients.transport(NOBODY, proxy="http://127.0.0.1:9"))
    assert "ALL_PROXY" not in raised.value.problem
    silent = ScriptedServer(lambda connection: (read_head(connection), connection.recv(1)))
    with silent as server, pytest.raises(TimedOutError) as late:
        read(clients.transport(server.url, timeout=0.2))
    assert "ALL_PROXY" not in late.value.problem
    with ScriptedServer(answering(http_answer(b"<html>"))) as server, pytest.raises(ClnError) as bad:
        clients.client(server.url).kernelcare.keys()
    assert "ALL_PROXY" not in bad.value.problem


def test_a_firewall_that_swallows(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout before anything was sent mentions the variable, as it is typical of a missing proxy."""
    monkeypatch.setenv("HTTPS_PROXY", VALUE)
    with ScriptedServer(lambda connection: connection.recv(1 << 16) and connection.recv(1)) as server:
        https = server.url.replace("http:", "https:")
        with pytest.raises(TimedOutError) as raised:
            read(clients.transport(https, timeout=0.2))
    assert raised.value.problem.endswith(hint("HTTPS_PROXY"))
