"""The effects of faults on the wire."""

import gzip
import http.client
import json
import socket
import threading
import time
import zlib

import pytest

from cln_monitor.simulator import Account, Fault, Served, Simulator, fault_injection
from cln_monitor.simulator.exchange import SimulatedExchange
from cln_monitor.simulator.faults import KINDS

from .asking import NOW, await_request, fetch, reply, token

ASK = b"GET /api/status.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


def raw(served: Served, most: int = 1 << 20) -> bytes:
    """Return all bytes of the response to a request, until the server closes the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(ASK)
        while len(received) < most and (data := connection.recv(65536)):
            received += data
    return received


def test_every_kind_has_an_injection() -> None:
    """Every kind has an injection, except the two that only delay or skew a response."""
    assert set(fault_injection._INJECTIONS) == set(KINDS) - {"latency", "skew"}


def test_latency_comes_before_the_answer(simulator: Simulator, served: Served) -> None:
    """The real response is sent after the latency."""
    simulator.faults.add(Fault("latency", seconds=0.05))
    started = time.monotonic()
    assert fetch(served, "/status.json").json["success"] is True
    assert time.monotonic() - started >= 0.05


def test_status_with_retry_after(simulator: Simulator, served: Served) -> None:
    """An HTTP error has an envelope, with CLN's message for 401."""
    simulator.faults.add(Fault("status", status=429, retry_after=7, times=1))
    simulator.faults.add(Fault("status", status=401, times=1))
    limited = fetch(served, "/status.json")
    assert (limited.status, limited.headers["retry-after"]) == (429, "7")
    assert limited.json == {"message": "Too many requests", "type": None, "success": False, "data": None}
    refused = fetch(served, "/status.json")
    assert (refused.status, refused.json["message"]) == (401, "Authorization failed")
    assert "retry-after" not in refused.headers


def test_status_as_html(simulator: Simulator, served: Served) -> None:
    """An HTTP error can be an HTML page, as of a proxy in front of CLN."""
    simulator.faults.add(Fault("status", status=503, html=True))
    answer = fetch(served, "/status.json")
    assert (answer.status, answer.headers["content-type"]) == (503, "text/html;charset=UTF-8")
    assert "Service Unavailable" in answer.text


def test_any_response(simulator: Simulator, served: Served) -> None:
    """A fault can answer with any text or bytes."""
    simulator.faults.add(Fault("answer", body="Köln", status=203, content_type="text/x", times=1))
    simulator.faults.add(Fault("answer", body=b"\xff\x00"))
    text = fetch(served, "/status.json")
    assert (text.status, text.headers["content-type"], text.body) == (203, "text/x", "Köln".encode())
    assert fetch(served, "/status.json").body == b"\xff\x00"


def test_html_and_empty_come_with_200(simulator: Simulator, served: Served) -> None:
    """The HTML page has a `|` in it, and the empty body has a length of 0."""
    simulator.faults.add(Fault("html", times=1))
    simulator.faults.add(Fault("empty"))
    page = fetch(served, "/status.json")
    assert (page.status, page.headers["content-type"]) == (200, "text/html;charset=UTF-8")
    assert "maintenance | we" in page.text
    nothing = fetch(served, "/status.json", headers={"Accept-Encoding": "gzip"})
    assert (nothing.status, nothing.headers["content-length"], nothing.body) == (200, "0", b"")


def test_a_redirect_names_its_location(simulator: Simulator, served: Served) -> None:
    """A redirect has status 302 and its location."""
    simulator.faults.add(Fault("redirect", location="http://192.0.2.1/elsewhere"))
    answer = fetch(served, "/status.json")
    assert (answer.status, answer.headers["location"]) == (302, "http://192.0.2.1/elsewhere")


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_cut_answer_is_whole_to_http(simulator: Simulator, served: Served, coding: str) -> None:
    """A cut response is half of the JSON with a matching length, with and without gzip."""
    whole = fetch(served, "/status.json").body
    simulator.faults.add(Fault("cut"))
    cut = fetch(served, "/status.json", headers={"Accept-Encoding": coding}).body
    assert cut == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_cut_body_is_shorter_than_its_length(simulator: Simulator, served: Served) -> None:
    """A cut body ends before its Content-Length."""
    simulator.faults.add(Fault("cut_body"))
    with pytest.raises(http.client.IncompleteRead) as raised:
        fetch(served, "/status.json")
    assert len(raised.value.partial) > 100
    assert simulator.requests[-1].status == 200


def test_a_hang_sends_nothing(simulator: Simulator, served: Served) -> None:
    """A hang sends no byte until the client closes the connection."""
    simulator.faults.add(Fault("hang"))
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(ASK)
        await_request(simulator)
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert simulator.requests[-1].status is None


def test_a_drip_sends_headers_then_a_byte_at_a_time(
    simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow body adds up to the real response, and the connection is kept."""
    *waits, last = [threading.Event() for _ in range(4)]
    asked = iter([*waits, last])
    waited: list[float] = []

    def wait(_: SimulatedExchange, seconds: float) -> bool:
        waited.append(seconds)
        event = next(asked, None)
        return event is None or event.wait(20)

    monkeypatch.setattr(SimulatedExchange, "wait", wait)
    simulator.faults.add(Fault("drip", seconds=7, times=1))
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", "/api/status.json")
    response = connection.getresponse()
    first = b""
    for event in waits:
        event.set()
        first += response.read1()
    assert len(first) == len(waits)
    assert set(waited) == {7}
    last.set()
    assert json.loads(first + response.read())["success"] is True
    connection.request("GET", "/api/status.json")
    assert reply(connection).json["success"] is True
    connection.close()


def test_dripping_headers_start_with_the_status_line(simulator: Simulator, served: Served) -> None:
    """Slow headers arrive byte by byte from the first byte."""
    simulator.faults.add(Fault("drip_headers", seconds=0.0001, times=1))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(ASK)
        assert connection.recv(4) in {b"H", b"HT", b"HTT", b"HTTP"}
    simulator.faults.add(Fault("drip_headers", seconds=0.0))
    assert fetch(served, "/status.json").json["success"] is True


def test_a_reset_is_a_reset(simulator: Simulator, served: Served) -> None:
    """A reset is an RST, and the server continues."""
    simulator.faults.add(Fault("reset", times=1))
    with pytest.raises(ConnectionResetError):
        raw(served)
    assert simulator.requests[-1].status is None
    assert fetch(served, "/status.json").status == 200


def test_garbage_is_not_http(simulator: Simulator, served: Served) -> None:
    """An HTTP client cannot parse garbage."""
    simulator.faults.add(Fault("garbage"))
    assert raw(served).startswith(b"SSH-2.0-")
    with pytest.raises(http.client.BadStatusLine):
        fetch(served, "/status.json")


def test_skew_moves_date_and_token_clock(simulator: Simulator, served: Served, account: Account) -> None:
    """Skew moves the Date header and the clock for tokens, but not check-ins."""
    account.add_kernelcare_key("K").add_server(last_checkin=NOW)
    simulator.faults.add(Fault("skew", seconds=-7200))
    ours = fetch(served, "/kcare/key/list.json", token=token(account))
    assert ours.headers["date"] == "Tue, 30 Apr 2024 13:26:40 GMT"
    assert (ours.json["success"], ours.json["message"]) == (False, "Authorization failed")
    theirs = fetch(served, "/kcare/key/servers.json", token=token(account, NOW - 7200), key="K")
    assert theirs.json["data"][0]["last_checkin"] == "2024-04-30T11:26-0400"


@pytest.mark.parametrize("size", [200, 100_000, 1_000_000])
def test_a_huge_answer_is_json_of_its_size(simulator: Simulator, served: Served, size: int) -> None:
    """A huge response is JSON of the exact size, without a Content-Length."""
    simulator.faults.add(Fault("huge", size=size))
    answer = fetch(served, "/status.json")
    assert "content-length" not in answer.headers
    assert len(answer.body) == size
    assert answer.json["success"] is True
    assert answer.json["data"][0]["server_id"] == "s096slnkaAtoiAsd"


def test_a_huge_answer_is_an_empty_list_at_the_least(simulator: Simulator, served: Served) -> None:
    """A small size is padded with blanks, and is at least an envelope."""
    simulator.faults.add(Fault("huge", size=100, times=1))
    simulator.faults.add(Fault("huge", size=0))
    hundred, least = fetch(served, "/status.json"), fetch(served, "/status.json")
    assert len(hundred.body) == 100
    assert hundred.json == least.json == {"message": None, "type": None, "success": True, "data": []}


def test_a_bomb_is_small_on_the_wire(simulator: Simulator, served: Served) -> None:
    """A gzip bomb has a hundredth of its size, and is sent to clients without gzip too."""
    simulator.faults.add(Fault("huge", size=2_000_000, gzip=True))
    head, _, body = raw(served).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 20_000
    assert len(gzip.decompress(body)) == 2_000_000
    assert json.loads(gzip.decompress(body))["success"] is True


def test_two_hundred_million_bytes_are_the_default(simulator: Simulator, served: Served) -> None:
    """The default size of a huge response is 200 000 000 bytes."""
    simulator.faults.add(Fault("huge", gzip=True))
    packed = raw(served, most=1 << 24).partition(b"\r\n\r\n")[2]
    unpacker = zlib.decompressobj(wbits=31)
    size = 0
    while packed:
        size += len(unpacker.decompress(packed, 1 << 20))
        packed = unpacker.unconsumed_tail
    assert size == 200_000_000


def test_a_fault_applies_only_to_matching_requests(simulator: Simulator, served: Served, account: Account) -> None:
    """A fault applies only to matching requests, and never to control requests."""
    account.add_kernelcare_key("A")
    account.add_kernelcare_key("B")
    simulator.faults.add(Fault("status", path="/kcare/key/servers.json", match="key=A"))
    simulator.faults.add(Fault("status", path="/-/*"))
    assert fetch(served, "/kcare/key/servers.json", token=token(account), key="A").status == 500
    assert fetch(served, "/kcare/key/servers.json", token=token(account), key="B").status == 200
    assert fetch(served, "/-/state").status == 200


def test_gzip_without_its_end(simulator: Simulator, served: Served) -> None:
    """The whole text is there, with a matching length, but without the gzip trailer."""
    whole = fetch(served, "/status.json").body
    simulator.faults.add(Fault("cut_gzip"))
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request("GET", "/api/status.json")
    packed = connection.getresponse().read()
    connection.close()
    unpacker = zlib.decompressobj(31)
    assert unpacker.decompress(packed) == whole
    assert not unpacker.eof


def test_an_interim_answer_comes_first(simulator: Simulator, served: Served) -> None:
    """An interim response is followed by the real one on the same connection."""
    simulator.faults.add(Fault("interim", status=102))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(ASK)
        heads = connection.makefile("rb")
        assert heads.readline() == b"HTTP/1.1 102 Processing\r\n"
        while heads.readline().strip():
            pass
        assert heads.readline() == b"HTTP/1.1 200 OK\r\n"


def test_raw_bytes_leave_the_connection_open(simulator: Simulator, served: Served) -> None:
    """Raw bytes are sent, and the connection stays open."""
    simulator.faults.add(Fault("raw", body="HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"))
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(ASK)
        assert connection.recv(1 << 16) == b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
