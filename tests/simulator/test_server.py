"""The HTTP server of the simulator."""

import http.client
import socket
import threading
import time

import pytest

from cln_monitor.simulator import Account, Fault, Served, Simulator, serve
from tests.helpers.running import wait_until

from .asking import NOW, await_request, fetch, reply, token


def test_it_speaks_http_on_loopback(served: Served) -> None:
    """The URL is that of the API, the Date is the simulated one, and the body is correct."""
    assert served.url == f"http://127.0.0.1:{served.port}/api"
    answer = fetch(served, "/status.json")
    assert answer.json["data"]["xmlrpc"] is True
    assert (answer.status, answer.headers["date"]) == (200, "Tue, 30 Apr 2024 15:26:40 GMT")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert "content-encoding" not in answer.headers


def test_tokens_are_accepted_encoded_and_raw(served: Served, account: Account) -> None:
    """A token is accepted with `%7C` and with `|`."""
    assert fetch(served, "/kcare/key/list.json", token=token(account)).json["success"] is True
    raw = fetch(served, f"/kcare/key/list.json?token={token(account)}")
    assert raw.json["success"] is True


def test_a_connection_serves_many_requests(simulator: Simulator, served: Served) -> None:
    """Three calls, including an error page, use one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    for path in ("/api/status.json", "/api/nothing", "/api/status.plain"):
        connection.request("GET", path)
        reply(connection)
    connection.close()
    assert len({request.client_port for request in simulator.requests}) == 1
    assert [request.status for request in simulator.requests] == [200, 404, 200]


def test_gzip_is_sent_if_accepted(served: Served, account: Account) -> None:
    """A compressed response has the same content, and a Vary header."""
    for _ in range(50):
        account.add_kernelcare_key()
    plain = fetch(served, "/kcare/key/list.json", token=token(account))
    packed = fetch(served, "/kcare/key/list.json", token=token(account), headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.body == plain.body


def test_log_has_requests(simulator: Simulator, served: Served) -> None:
    """The log has requests decoded and as sent, with headers, without control requests."""
    fetch(served, "/kcare/nagios/a%20b?x=1%7C2&empty=", headers={"User-Agent": "me"})
    fetch(served, "/-/state")
    [request] = simulator.requests
    assert (request.method, request.path, request.status) == ("GET", "/kcare/nagios/a b", 200)
    assert request.query == {"x": "1|2", "empty": ""}
    assert request.target == "/api/kcare/nagios/a%20b?x=1%7C2&empty="
    assert request.headers["user-agent"] == "me"
    simulator.clear_requests()
    assert simulator.requests == []


def test_path_outside_of_the_api_is_404(simulator: Simulator, served: Served) -> None:
    """A path outside of /api has status 404, and the log has the whole path."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    for path in ("/", "/api", "/apistatus.json", "/status.json"):
        connection.request("GET", path)
        assert reply(connection).status == 404
    connection.close()
    assert [request.path for request in simulator.requests] == ["/", "/api", "/apistatus.json", "/status.json"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_wrong_methods_are_405_and_keep_the_connection(served: Served, method: str) -> None:
    """A wrong method has status 405, its body is read, and HEAD has no body."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request(method, "/api/status.json", body=b"x" * 1000)
    answer = reply(connection)
    connection.request("GET", "/api/status.json")
    again = reply(connection)
    connection.close()
    assert (answer.status, answer.headers["allow"], bool(answer.body)) == (405, "GET", method != "HEAD")
    assert again.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "1048577"},
        {"Content-Length": "9" * 5000},
        {"Content-Length": "-1"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_a_body_of_unknown_length_is_413(served: Served, headers: dict[str, str]) -> None:
    """A body of unknown or excessive length has status 413."""
    answer = fetch(served, "/status.json", headers=headers)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_the_callers_address_is_that_of_the_connection(served: Served, account: Account) -> None:
    """The caller's IP is that of the connection; 127.0.0.1 has a license."""
    path = "/kcare/nagios/register_key.plain?key=MonitoringKey00001"
    assert fetch(served, path).text == "success:true\ncode:0"
    account.kernelcare_ips.clear()
    assert fetch(served, path).text == "success:true\ncode:2"


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "example.com"])
def test_only_loopback_is_served(simulator: Simulator, host: str) -> None:
    """A host other than loopback is an error that says what to use."""
    with pytest.raises(ValueError, match=r"^cannot listen on '.*': use a loopback address, such as 127.0.0.1$"):
        serve(simulator, host=host)


def test_localhost_and_ipv6_are_loopback(simulator: Simulator) -> None:
    """localhost and ::1 are served, and their URLs work."""
    with serve(simulator, host="localhost") as served:
        assert served.url.startswith("http://127.0.0.1:")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serve(simulator, host="::1") as served:
        assert served.url == f"http://[::1]:{served.port}/api"
        connection = http.client.HTTPConnection("::1", served.port, timeout=5)
        connection.request("GET", "/api/status.json")
        assert reply(connection).status == 200
        connection.close()


def test_a_port_in_use_is_an_error_that_names_it(simulator: Simulator, served: Served) -> None:
    """A port in use is an error that names host and port."""
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{served.port}: Address already in use"):
        serve(simulator, port=served.port)


def test_it_can_be_served_again_after_closing(simulator: Simulator) -> None:
    """A port can be served again after closing; closing twice is allowed."""
    served = serve(simulator)
    served.close()
    served.close()
    with pytest.raises(ConnectionRefusedError):
        fetch(served, "/status.json")
    with serve(simulator, port=served.port) as again:
        assert fetch(again, "/status.json").status == 200


@pytest.mark.parametrize(
    "fault",
    [
        Fault("hang"),
        Fault("latency", seconds=60),
        Fault("drip", seconds=60),
        Fault("drip_headers", seconds=60),
        Fault("huge"),
    ],
    ids=lambda fault: fault.kind,
)
def test_closing_ends_connections_of_faults(simulator: Simulator, served: Served, fault: Fault) -> None:
    """Closing ends connections held by faults and idle ones, and leaves no thread."""
    threads = threading.active_count()
    simulator.faults.add(fault)
    with (
        socket.create_connection(("127.0.0.1", served.port), timeout=5) as busy,
        socket.create_connection(("127.0.0.1", served.port), timeout=5),
    ):
        busy.sendall(b"GET /api/status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await_request(simulator)
        started = time.monotonic()
        served.close()
        assert time.monotonic() - started < 10
    # It waits for its threads for less than a second, in which a busy machine may not have come to all of them.
    wait_until(lambda: threading.active_count() == threads - 1, "the end of the threads")


def test_a_client_that_disconnects(simulator: Simulator, served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that disconnects causes no output, and the server continues."""
    simulator.faults.add(Fault("huge", times=1))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as hasty:
        hasty.sendall(b"GET /api/status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        hasty.recv(100)
    assert fetch(served, "/status.json").status == 200
    served.close()
    assert capfd.readouterr() == ("", "")


def test_a_bug_of_the_simulator_is_shown(
    simulator: Simulator, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    """An exception in the simulator is printed with its traceback; the server continues."""
    simulator.flags = None  # type: ignore[assignment] # as wrong as can be
    with pytest.raises(http.client.RemoteDisconnected):
        fetch(served, "/status.json")
    assert fetch(served, "/nothing").status == 404
    served.close()
    assert "TypeError: 'NoneType' object is not iterable" in capfd.readouterr().err


def test_the_fleet_may_change_while_it_serves(served: Served, account: Account) -> None:
    """A list is consistent while servers are added and removed."""
    key = account.add_kernelcare_key("K")
    done = threading.Event()

    def churn() -> None:
        while not done.wait(0.0002):
            key.add_server("s")
            account.add_kernelcare_key("OTHER")
            key.remove_server("s")
            account.remove_kernelcare_key("OTHER")

    changer = threading.Thread(target=churn)
    changer.start()
    try:
        lengths = {
            len(fetch(served, "/kcare/key/servers.json", token=token(account), key="K").json["data"]) for _ in range(30)
        }
        lengths |= {
            len(fetch(served, "/kcare/key/list.json", token=token(account)).json["data"]) - 1 for _ in range(30)
        }
    finally:
        done.set()
        changer.join()
    assert lengths <= {0, 1}


def test_many_clients_are_served_at_once(simulator: Simulator, served: Served) -> None:
    """While one client hangs, twenty others get their responses."""
    simulator.faults.add(Fault("hang", times=1))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as stuck:
        stuck.sendall(b"GET /api/status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await_request(simulator)
        statuses: list[int] = []
        clients = [
            threading.Thread(target=lambda: statuses.append(fetch(served, "/status.json").status)) for _ in range(20)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert statuses == [200] * 20


def test_date_header_follows_the_simulated_time(simulator: Simulator, served: Served) -> None:
    """The Date header follows the simulated clock."""
    simulator.advance(3600)
    assert fetch(served, "/status.json").headers["date"] == "Tue, 30 Apr 2024 16:26:40 GMT"
    assert simulator.now() == NOW + 3600
