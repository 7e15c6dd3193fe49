"""The texts of CLN for Nagios: each known one, and texts that must never count as good."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import (
    STATES,
    AuthorizationError,
    BadAnswerError,
    ClnError,
    PatchedHost,
    PatchStatus,
    RefusedError,
    ResellerNotFoundError,
    ServersNotFoundError,
)
from cln_monitor.cln.http.answer import HttpAnswer
from cln_monitor.cln.patch_status import parse_patch_status
from cln_monitor.simulator import Account, Fault, Served, Simulator

from .asking import KEY, MONITORING_KEY, REGISTRATION_TOKEN, Clients


def parse(text: str | bytes, status: int = 200) -> PatchStatus:
    """Return the patch status in a text."""
    return parse_patch_status(HttpAnswer(status, text if isinstance(text, bytes) else text.encode()))


def counts(uptodate: int, outofdate: int, unsupported: int, inactive: int) -> dict[str, int]:
    """Return numbers of servers by state."""
    return dict(zip(STATES, (uptodate, outofdate, unsupported, inactive), strict=True))


GOOD = {
    "the document": ("KernelCare OK - all servers are up to date!", None),
    "a screenshot": (
        "All 1 servers are up to date|uptodate=1;outofdate=0;unsupported=0;inactive=0",
        counts(1, 0, 0, 0),
    ),
    "a screenshot, counts on a line of their own": (
        "All 1 servers are up to date\nuptodate=1;outofdate=0;unsupported=0;inactive=0",
        counts(1, 0, 0, 0),
    ),
    "a reseller": ("uptodate=9;outofdate=0;unsupported=0;inactive=0", counts(9, 0, 0, 0)),
    "a reseller without servers": ("uptodate=0;outofdate=0;unsupported=0;inactive=0\n", counts(0, 0, 0, 0)),
    "blanks and ends of lines": (
        "\r\nKernelCare OK - all servers are up to date! | uptodate=2; outofdate=0; unsupported=0; inactive=0;\r\n",
        counts(2, 0, 0, 0),
    ),
    "counts in another order": (
        "All 2 machines are up to date.|inactive=0;unsupported=0;outofdate=0;uptodate=2",
        counts(2, 0, 0, 0),
    ),
    "a count nobody knows, of none": (
        "uptodate=9;outofdate=0;unsupported=0;inactive=0;rebootrequired=0",
        counts(9, 0, 0, 0),
    ),
    "hosts that are fine": (
        "All 1 servers are up to date\nweb1.example.net (192.0.2.14) is UPTODATE",
        None,
    ),
}


@pytest.mark.parametrize(("text", "expected"), GOOD.values(), ids=GOOD.keys())
def test_good(text: str, expected: dict[str, int] | None) -> None:
    """The status is good only if the text says so in known words, or in counts."""
    status = parse(text)
    assert (status.ok, status.counts) == (True, expected)
    assert status.counts is None or list(status.counts) == list(STATES)


BAD = {
    "out of date, by key": (
        (
            "3 machines are OUTOFDATE!|uptodate=6;outofdate=3;unsupported=2;inactive=1\n"
            "host.example.com (192.0.2.14) is OUTOFDATE"
        ),
        counts(6, 3, 2, 1),
    ),
    "a reseller": ("uptodate=9;outofdate=1;unsupported=3;inactive=2", counts(9, 1, 3, 2)),
    "the style of Nagios, warning": ("KernelCare WARNING - 2 servers are out of date", None),
    "the style of Nagios, critical": ("KernelCare CRITICAL - 1 server is inactive", None),
    "one machine": ("1 machine is OUTOFDATE!|uptodate=0;outofdate=1;unsupported=0;inactive=0", counts(0, 1, 0, 0)),
    "only unsupported, in words nobody knows": (
        "Some words|uptodate=1;outofdate=0;unsupported=2;inactive=0",
        counts(1, 0, 2, 0),
    ),
    "only inactive, in words nobody knows": (
        "Some words\nuptodate=1;outofdate=0;unsupported=0;inactive=4",
        counts(1, 0, 0, 4),
    ),
    "words bad, counts good": (
        "3 machines are OUTOFDATE!|uptodate=6;outofdate=0;unsupported=0;inactive=0",
        counts(6, 0, 0, 0),
    ),
    "words good, counts bad": (
        "All 9 servers are up to date|uptodate=9;outofdate=0;unsupported=0;inactive=1",
        counts(9, 0, 0, 1),
    ),
    "words good, a host bad": (
        "KernelCare OK - all servers are up to date!\nweb1.example.net (192.0.2.14) is INACTIVE",
        None,
    ),
    "words good, words bad on the next line": (
        "KernelCare OK - all servers are up to date!\n3 machines are OUTOFDATE!",
        None,
    ),
    "a count nobody knows": ("uptodate=9;outofdate=0;unsupported=0;inactive=0;rebootrequired=4", counts(9, 0, 0, 0)),
    "a count nobody knows, among the others": (
        "All 9 servers are up to date|uptodate=9;lve_old=1;outofdate=0;unsupported=0;inactive=0",
        counts(9, 0, 0, 0),
    ),
    "a count nobody knows, on a line of its own": (
        "All 9 servers are up to date|uptodate=9;outofdate=0;unsupported=0;inactive=0\nrebootrequired=4",
        counts(9, 0, 0, 0),
    ),
    "a count nobody knows, in words nobody knows": (
        "4 machines need a REBOOT|uptodate=9;outofdate=0;unsupported=0;inactive=0;rebootrequired=4",
        counts(9, 0, 0, 0),
    ),
    "a count nobody knows, and a bad one": (
        "uptodate=9;outofdate=1;unsupported=0;inactive=0;rebootrequired=0",
        counts(9, 1, 0, 0),
    ),
    "words good, no count but one nobody knows": ("KernelCare OK\nrebootrequired=4", None),
    "words bad, and more that nobody knows": ("3 machines are OUTOFDATE!\nError: backend timeout", None),
    "words bad, counts cut": ("3 machines are OUTOFDATE!|uptodate=6;outofd", None),
}


GOES_ON = {
    "an error": "Error: backend timeout, list is partial",
    "a bad count among words": "but see: outofdate=1",
    "words before counts": "Error: partial|uptodate=1;outofdate=0;unsupported=0;inactive=0",
    "a host in words nobody knows": "web1.example.net (192.0.2.14) needs a reboot",
    "a page": "<html>",
    "half of the counts' line": "uptodate=1;outofd",
    "a number": "12",
}


@pytest.mark.parametrize("line", GOES_ON.values(), ids=GOES_ON.keys())
@pytest.mark.parametrize(
    "first",
    [
        "KernelCare OK - all servers are up to date!",
        "All 1 servers are up to date",
        "All 1 machines are up to date",
        "uptodate=1;outofdate=0;unsupported=0;inactive=0",
    ],
)
@pytest.mark.parametrize(
    "between",
    ["\n", "\n\n  \n", "\nuptodate=1;outofdate=0;unsupported=0;inactive=0\n"],
    ids=["next", "blank", "counts"],
)
def test_good_that_goes_on(line: str, first: str, between: str) -> None:
    """Any other line after a good first line is a bad answer that quotes the line."""
    with pytest.raises(BadAnswerError, match=r"^unexpected response from CLN: ") as caught:
        parse(f"{first}{between}{line}")
    assert f"'{line}'" in str(caught.value) or "incomplete or duplicate counts" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "All 3 servers are up to date|uptodate=1;outofdate=0;unsupported=0;inactive=0",
        "All 1 servers are up to date\nuptodate=3;outofdate=0;unsupported=0;inactive=0",
        "KernelCare OK - all 2 servers are up to date!|uptodate=0;outofdate=0;unsupported=0;inactive=0",
        "All 0 servers are up to date|uptodate=1;outofdate=0;unsupported=0;inactive=0",
    ],
)
def test_words_and_counts_that_contradict_each_other(text: str) -> None:
    """A first line that contradicts the counts is a bad answer that quotes it."""
    with pytest.raises(BadAnswerError, match=r"^unexpected response from CLN: counts that contradict '.* up to date"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["All 0 servers are up to date", "All 00 machines are up to date!", "KernelCare OK - all 0 servers are up to date"],
)
def test_all_of_none(text: str) -> None:
    """A text about 0 servers has counts of 0, which the checks do not take for good."""
    assert parse(text) == PatchStatus(ok=True, counts=counts(0, 0, 0, 0), hosts=[])


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("status", [200, 500])
def test_bad(text: str, expected: dict[str, int] | None, status: int) -> None:
    """A bad state in words, counts or hosts counts, with HTTP 200 and with an error status."""
    seen = parse(text, status)
    assert (seen.ok, seen.counts) == (False, expected)


NO_ANSWERS = {
    "other text": "Everything is fine",
    "other text, good counts": "Everything is fine|uptodate=9;outofdate=0;unsupported=0;inactive=0",
    "good words that go on": "All 10 servers are up to date except web1",
    "good words that go on with a state": "KernelCare OK - 2 servers are inactive",
    "good words in a longer word": "KernelCare OKAY",
    "good words, counts cut": "All 9 servers are up to date|uptodate=9;outofdate=1;unsupp",
    "good words behind others": "Not so: KernelCare OK - all servers are up to date!",
    "counts cut": "uptodate=9;outofdate=1;unsupp",
    "counts cut in one nobody knows": "uptodate=9;outofdate=0;unsupported=0;inactive=0;reboot",
    "counts that are not parted": "uptodate=9outofdate=0unsupported=0inactive=0",
    "good words, no count but one nobody knows": "KernelCare OK|vanished=0",
    "no more than a word of the API": "All the API (v1) is unavailable",
    "an unknown state": "vanished=1",
    "counts in words": "The page shows uptodate=9;outofdate=0;unsupported=0;inactive=0 here",
}


@pytest.mark.parametrize("text", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_never_good(text: str) -> None:
    """Any other text is a bad answer, and never good."""
    with pytest.raises(BadAnswerError) as raised:
        parse(text)
    assert str(raised.value) == "unexpected response from CLN: undocumented text (HTTP 200)"


@pytest.mark.parametrize(
    "text",
    [
        "uptodate=9;outofdate=0",
        "uptodate=9;outofdate=0;unsupported=0;vanished=0",
        "uptodate=9;outofdate=0;unsupported=0;inactive=0;rebootrequired=4;outofdate=0",
        "uptodate=9;outofdate=0;unsupported=0;inactive=0;inactive=1",
        "uptodate=9;uptodate=9;outofdate=0;unsupported=0",
        "uptodate=1;outofdate=0;unsupported=0;inactive=0\nuptodate=0;outofdate=9;unsupported=0;inactive=0",
    ],
)
def test_counts_that_do_not_add_up(text: str) -> None:
    """Incomplete or duplicate counts are a bad answer."""
    with pytest.raises(BadAnswerError) as raised:
        parse(text)
    assert str(raised.value) == "unexpected response from CLN: incomplete or duplicate counts (HTTP 200)"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 200, "unexpected response from CLN: an empty body (HTTP 200)"),
        ("<html>KernelCare OK", 200, "unexpected response from CLN: an HTML page (HTTP 200)"),
        ("<html>", 404, "unexpected response from CLN: an HTML page (HTTP 404); check api_url"),
        (
            "KernelCare OK - all servers are up to date!",
            500,
            "unexpected response from CLN: a text that reports a good status (HTTP 500)",
        ),
        (b"\xff\xfe\x00", 200, "unexpected response from CLN: undocumented text (HTTP 200)"),
    ],
)
def test_not_an_answer(body: str | bytes, status: int, text: str) -> None:
    """HTML pages, empty bodies, and good texts with an error status are bad answers."""
    with pytest.raises(BadAnswerError) as raised:
        parse(body, status)
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (
            "Servers not found for key WsTs821nSAtiastD",
            ServersNotFoundError,
            "CLN refused the request: Servers not found for key WsTs821nSAtiastD",
        ),
        ("Reseller not found", ResellerNotFoundError, "CLN refused the request: Reseller not found"),
        (
            "Registration token not found for reseller acme not found",
            AuthorizationError,
            "CLN refused the token: Registration token not found for reseller acme not found",
        ),
        ("Authorization failed", AuthorizationError, "CLN refused the token: Authorization failed"),
        (
            '{"success": false, "message": "Authorization failed"}',
            AuthorizationError,
            "CLN refused the token: Authorization failed",
        ),
        ('{"success": false, "message": "Key disabled"}', RefusedError, "CLN refused the request: Key disabled"),
        (
            "success:false message:Unexpected\nserver error",
            RefusedError,
            "CLN refused the request: Unexpected server error",
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_refusals(text: str, kind: type[ClnError], said: str, status: int) -> None:
    """An unknown key, an unknown login and a wrong token have different types, with any status."""
    if status == 401 and text.startswith(("{", "success")):
        kind = AuthorizationError
        said = said.replace("refused the request", "refused the token")
    with pytest.raises(ClnError) as raised:
        parse(text, status)
    assert type(raised.value) is kind
    assert str(raised.value) == said


JSON = "JSON instead of plain text"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('{"success": true, "data": []}', JSON),
        ('{"success": true, "data": "KernelCare OK"}', JSON),
        ('["uptodate=1"]', JSON),
        ('{"success": true, "da', "truncated or malformed JSON"),
        ("success:true code:0", "undocumented text"),
    ],
)
def test_success_of_another_call(body: str, what: str) -> None:
    """The response of another call is a bad answer."""
    with pytest.raises(BadAnswerError) as raised:
        parse(body)
    assert str(raised.value) == f"unexpected response from CLN: {what} (HTTP 200)"


def test_hosts() -> None:
    """Each host line gives host, address and state; other lines are ignored."""
    status = parse(
        "2 machines are OUTOFDATE!|uptodate=6;outofdate=2;unsupported=1;inactive=1\n"
        "host.example.com (192.0.2.14) is OUTOFDATE\n"
        "  web2 (2001:db8::1) is UNSUPPORTED.\n"
        "(192.0.2.15) is INACTIVE\n"
        "\u202eköln (192.0.2.16) is Out Of Date!\n"
        "and some more\n"
        "web3 (192.0.2.17) is\n"
    )
    assert status.hosts == [
        PatchedHost("host.example.com", "192.0.2.14", "outofdate"),
        PatchedHost("web2", "2001:db8::1", "unsupported"),
        PatchedHost("", "192.0.2.15", "inactive"),
        PatchedHost("köln", "192.0.2.16", "outofdate"),
    ]


WORDS = [
    "KernelCare OK - all servers are up to date!",
    "All 3 servers are up to date",
    "3 machines are OUTOFDATE!",
    "uptodate=3;outofdate=0;unsupported=0;inactive=0",
    "uptodate=3;outofdate=1;unsupported=0;inactive=0",
    ";rebootrequired=4",
    "web1 (192.0.2.1) is OUTOFDATE",
    "Servers not found for key X",
    "|",
    "\n",
    " ",
    "<html>",
]


@given(
    st.binary() | st.lists(st.sampled_from(WORDS) | st.text(max_size=5)).map("".join).map(lambda text: text.encode())
)
def test_any_bytes(body: bytes) -> None:
    """Any bytes give a status or a ClnError, and a good status only without a bad word, count or host."""
    try:
        status = parse(body)
    except ClnError:
        return
    if status.ok:
        text = body.decode("utf-8", "replace")
        assert "are OUTOFDATE" not in text.splitlines()[0]
        assert "outofdate=1" not in text
        assert "rebootrequired=4" not in text
        assert text.lstrip().startswith(("KernelCare OK", "All 3 servers", "uptodate=3"))


@pytest.mark.parametrize(
    "line",
    [
        "h (1) is a" + " " * 100_000 + "1",
        "h (1) is" + " a" * 100_000 + "1",
        "(" * 200_000,
        "|" * 200_000,
        "a" * 200_000,
        "a=11" * 50_000 + "!",
        "a=11;" * 50_000 + "!",
        "a=1" + ";" * 200_000 + "!",
    ],
    ids=["blanks", "words", "brackets", "bars", "a long word", "counts not parted", "counts", "semicolons"],
)
def test_text_that_is_slow_to_search(line: str) -> None:
    """No text takes long to search, as no timeout could interrupt it."""
    started = time.thread_time()
    status = parse("3 machines are OUTOFDATE!|uptodate=6;outofdate=3;unsupported=2;inactive=1\n" + line)
    assert not status.ok
    assert time.thread_time() - started < 1


def test_of_key(clients: Clients, account: Account, served: Served) -> None:
    """The patch status of the servers of a key is read from the simulator."""
    key = account.add_kernelcare_key(KEY)
    client = clients.client(served.url)
    with pytest.raises(ServersNotFoundError) as raised:
        client.patch_status.for_key(KEY)
    assert raised.value.problem == "CLN refused the request: Servers not found for key Pl4n-87d3e7eb"
    key.add_server(hostname="web1.example.net", ip="192.0.2.1")
    assert client.patch_status.for_key(KEY) == PatchStatus(True, counts(1, 0, 0, 0), [])
    key.add_server(hostname="web2.example.net", ip="192.0.2.2", patch_state="outofdate")
    assert client.patch_status.for_key(KEY) == PatchStatus(
        False, counts(1, 1, 0, 0), [PatchedHost("web2.example.net", "192.0.2.2", "outofdate")]
    )


def test_of_monitoring_key(clients: Clients, account: Account, served: Served) -> None:
    """A monitoring key gives the status of all servers, without credentials."""
    account.add_kernelcare_key(KEY).add_server(patch_state="unsupported")
    account.add_monitoring_key(MONITORING_KEY)
    assert clients.client(served.url).patch_status.for_key(MONITORING_KEY).counts == counts(0, 0, 1, 0)


@pytest.mark.parametrize("token", [None, REGISTRATION_TOKEN], ids=["a fresh token", "the registration token"])
def test_of_reseller(
    clients: Clients, simulator: Simulator, account: Account, served: Served, token: str | None
) -> None:
    """The status of the whole account is read with the static token if set, else with a new token."""
    account.add_kernelcare_key(KEY).add_server()
    status = clients.client(served.url, registration_token=token).patch_status.for_reseller()
    assert status == PatchStatus(True, counts(1, 0, 0, 0), [])
    sent = simulator.requests[0].path.rpartition("/")[2] if token is None else REGISTRATION_TOKEN
    assert simulator.requests[0].path.endswith(sent)
    assert ("|" in simulator.requests[0].path) is (token is None)


def test_wrong_registration_token(clients: Clients, served: Served) -> None:
    """A wrong registration token is reported as auth, without showing the login."""
    client = clients.client(served.url, registration_token="wrong token")
    with pytest.raises(AuthorizationError) as raised:
        client.patch_status.for_reseller()
    host = served.url.split("/")[2]
    assert str(raised.value) == (
        f"reading /kcare/nagios-res/{{login}}/{{token}} at {host}: "
        "CLN refused the token: Registration token not found for reseller <login> not found"
    )


def test_latin_1_is_no_crash(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Bytes that are not UTF-8 are replaced."""
    simulator.faults.add(
        Fault("answer", body=b"1 machines are OUTOFDATE!\nk\xf6ln (192.0.2.1) is OUTOFDATE", content_type="text/plain")
    )
    assert clients.client(served.url).patch_status.for_key(KEY).hosts == [
        PatchedHost("k\ufffdln", "192.0.2.1", "outofdate")
    ]


@pytest.mark.parametrize("status", [203, 206])
def test_part_that_says_all_is_well(status: int) -> None:
    """A good text with status 206 is a bad answer, as it is partial."""
    with pytest.raises(BadAnswerError, match=rf"a text that reports a good status \(HTTP {status}\)"):
        parse_patch_status(HttpAnswer(status, b"KernelCare OK - all servers are up to date!"))
