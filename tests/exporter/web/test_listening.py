"""Listening: valid addresses and the sockets they mean, and errors for invalid ones."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from cln_monitor.exporter.web.listening import ListenError, address_of, listen
from tests.helpers.running import Exporter, ask, free_port, running_exporter

_SOCKET = socket.socket


@contextlib.contextmanager
def listening(*addresses: str) -> Iterator[list[str]]:
    """Yield the addresses that are listened on for ``addresses``."""
    sockets = listen(*addresses)
    try:
        yield [address_of(sock) for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def reach(host: str, address: str) -> None:
    """Connect to ``host`` at the port of ``address``, or fail."""
    socket.create_connection((host, int(address.rpartition(":")[2])), timeout=5).close()


@pytest.mark.parametrize(("address", "host"), [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]"), ("::1:0", "[::1]")])
def test_one_address(address: str, host: str) -> None:
    """A host with a port, in brackets if it contains colons, is one address."""
    (sock,) = listen(address)
    with sock:
        listening_host, _, port = address_of(sock).rpartition(":")
        assert (listening_host, int(port) > 0) == (host, True)
        assert not sock.getblocking()
        assert sock.proto == socket.IPPROTO_TCP  # or asyncio leaves Nagle on, and small answers take 40 ms
        reach(sock.getsockname()[0], address_of(sock))


@pytest.mark.parametrize("address", [":0", "*:0", "[::]:0", "[*]:0"])
def test_all_addresses(address: str) -> None:
    """Without a host, or with * or [::], one socket accepts IPv6 and IPv4 regardless of net.ipv6.bindv6only."""
    with listening(address) as (only,):
        assert only.startswith("[::]:")
        for host in ("127.0.0.1", "::1"):
            reach(host, only)


def test_all_addresses_of_ipv4() -> None:
    """0.0.0.0 accepts IPv4 only."""
    with listening("0.0.0.0:0") as (only,):
        assert only.startswith("0.0.0.0:")
        reach("127.0.0.1", only)
        with pytest.raises(OSError, match="refused"):
            reach("::1", only)


class _Network:
    """A fake of the socket module: the addresses of ``names``, and an IPv6 that fails with ``no_ipv6``."""

    def __init__(self, names: dict[str, list[str]], no_ipv6: int | None = None) -> None:
        self._names = names
        self._no_ipv6 = no_ipv6
        self._getaddrinfo = socket.getaddrinfo

    def getaddrinfo(self, host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        """Return the addresses of a name in the given order."""
        names = self._names.get(host, [host])
        return [entry for name in names for entry in self._getaddrinfo(name, port, *arguments, **options)]

    def socket(self, family: int = socket.AF_INET, *arguments: Any, **options: Any) -> socket.socket:
        """Return a socket if the address family is available."""
        if family == socket.AF_INET6 and self._no_ipv6 is not None:
            raise OSError(self._no_ipv6, "Address family not supported by protocol")
        return _SOCKET(family, *arguments, **options)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that replaces the network: network(names, no_ipv6)."""

    def see(names: dict[str, list[str]], no_ipv6: int | None = None) -> None:
        fake = _Network(names, no_ipv6)
        monkeypatch.setattr(socket, "getaddrinfo", fake.getaddrinfo)
        monkeypatch.setattr(socket, "socket", fake.socket)

    return see


@pytest.mark.parametrize("error", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize("address", [":0", "*:0", "[::]:0"])
def test_all_addresses_without_ipv6(address: str, error: int, network: Any) -> None:
    """Without IPv6 in the kernel, all addresses are all IPv4 addresses."""
    network({}, error)
    with listening(address) as (only,):
        assert only.startswith("0.0.0.0:")


@pytest.mark.parametrize("names", [["127.0.0.1", "::1"], ["::1", "127.0.0.1"]])
def test_a_name_is_each_of_its_addresses(names: list[str], network: Any) -> None:
    """A host name listens on all of its addresses with the same port."""
    network({"localhost": names})
    with listening("localhost:0") as both:
        first, second = (f"[{item}]" if ":" in item else item for item in names)
        port = both[0].rpartition(":")[2]
        assert both == [f"{first}:{port}", f"{second}:{port}"]


def test_a_name_whose_ipv6_address_is_not_here(network: Any) -> None:
    """An unavailable IPv6 address of a host name is skipped: localhost resolves to ::1 even without IPv6."""
    network({"localhost": ["::1", "127.0.0.1"]}, errno.EAFNOSUPPORT)
    with structlog.testing.capture_logs() as logs, listening("localhost:0") as (only,):
        assert only.startswith("127.0.0.1:")
    assert [(entry["event"], entry["address"]) for entry in logs] == [("not listening", "[::1]:0")]


@pytest.mark.parametrize(
    ("names", "no_ipv6", "problem"),
    [
        (["127.0.0.1", "192.0.2.1"], None, " (192.0.2.1): Cannot assign requested address"),
        (["::1"], errno.EAFNOSUPPORT, ": Address family not supported by protocol"),
        (["2001:db8::1", "2001:db8::2"], None, " (2001:db8::2): Cannot assign requested address"),
    ],
)
def test_a_name_that_is_not_this_machine(names: list[str], no_ipv6: int | None, problem: str, network: Any) -> None:
    """An unavailable address of a host name is an error with that address, and no socket stays open."""
    network({"web.example.net": names}, no_ipv6)
    with pytest.raises(ListenError) as caught:
        listen("web.example.net:0")
    assert str(caught.value) == f"cannot listen on web.example.net:0{problem}"


def test_a_port_for_all_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch, network: Any) -> None:
    """With port 0, a port is chosen that is free on all addresses of the host name."""
    with listening("[::1]:0") as (taken,):
        ports = iter([int(taken.rpartition(":")[2]), 0])
        network({"localhost": ["127.0.0.1", "::1"]})

        class Choosing(_SOCKET):
            def bind(self, where: Any) -> None:
                super().bind((where[0], next(ports)) if where == ("127.0.0.1", 0) else where)

        monkeypatch.setattr(socket, "socket", Choosing)
        with listening("localhost:0") as both:
            assert both[0].rpartition(":")[2] == both[1].rpartition(":")[2] != taken.rpartition(":")[2]


def test_no_port_for_all_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch, network: Any) -> None:
    """If no port is free on all addresses, the error lists them."""
    network({"localhost": ["127.0.0.1", "::1"]})

    class Full(_SOCKET):
        def bind(self, where: Any) -> None:
            if where[0] == "::1":
                raise OSError(errno.EADDRINUSE, "Address already in use")
            super().bind(where)

    monkeypatch.setattr(socket, "socket", Full)
    with pytest.raises(ListenError) as caught:
        listen("localhost:0")
    assert str(caught.value) == (
        "cannot listen on localhost:0: no port is free on both 127.0.0.1 and ::1; specify a port"
    )


@pytest.mark.parametrize(
    ("given", "listened"),
    [
        (["127.0.0.1:{port}", "127.0.0.1:{port}"], ["127.0.0.1:{port}"]),
        (["127.0.0.1:{port}", "localhost:{port}"], ["127.0.0.1:{port}"]),
        (["127.0.0.1:{port}", "[::ffff:127.0.0.1]:{port}"], ["127.0.0.1:{port}"]),
        (["127.0.0.1:{port}", "0.0.0.0:{port}"], ["0.0.0.0:{port}"]),
        (["0.0.0.0:{port}", "127.0.0.1:{port}", "[::1]:{port}"], ["0.0.0.0:{port}", "[::1]:{port}"]),
        (["127.0.0.1:{port}", ":{port}", "0.0.0.0:{port}", "[::1]:{port}", "*:{port}"], ["[::]:{port}"]),
    ],
)
def test_what_is_covered_is_listened_on_once(given: list[str], listened: list[str], network: Any) -> None:
    """A duplicate address, or one covered by a wildcard, has one socket."""
    network({"localhost": ["127.0.0.1"]})
    port = free_port()
    with listening(*(item.format(port=port) for item in given)) as addresses:
        assert addresses == [item.format(port=port) for item in listened]


def test_each_port_0_is_a_port_of_its_own() -> None:
    """Addresses with different ports do not cover each other; each port 0 is a different port."""
    with listening("127.0.0.1:0", ":0", "[::1]:0") as addresses:
        assert len({item.rpartition(":")[2] for item in addresses}) == 3


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10099",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        ":-1",
        "[::1]",
        ":١",
    ],  # a digit of Arabic, and no port
)
def test_no_address(address: str) -> None:
    """The error for an invalid address says what was expected."""
    with pytest.raises(ListenError) as caught:
        listen(address)
    expected = "expected HOST:PORT, such as 127.0.0.1:10099, or :10099 for all addresses"
    assert str(caught.value) == f"cannot listen on {address!r}: {expected}"


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'x' * 64}.example.net", "a..b"])
def test_a_name_that_does_not_resolve(host: str) -> None:
    """The error for an unresolvable host name contains the address and the reason."""
    with pytest.raises(ListenError, match=rf"^cannot listen on {host}:1: .+$"):
        listen(f"{host}:1")


def test_an_address_in_use() -> None:
    """The error for an address in use asks whether another exporter runs, and other sockets are closed."""
    free = f"127.0.0.1:{free_port()}"
    with listening("127.0.0.1:0") as (taken,), pytest.raises(ListenError) as caught:
        listen(free, taken)
    assert str(caught.value) == f"cannot listen on {taken}: Address already in use; is another exporter running?"
    with listening(free) as addresses:
        assert addresses == [free]


def test_an_address_of_somebody_else() -> None:
    """The error for an address of another host does not mention another exporter."""
    with pytest.raises(ListenError) as caught:
        listen("192.0.2.1:0")
    assert str(caught.value) == "cannot listen on 192.0.2.1:0: Cannot assign requested address"


_WITH = """
import socket, sys
real, make = socket.getaddrinfo, socket.socket
def getaddrinfo(host, *rest, **options):
    names = ["127.0.0.1", "::1"] if host == "localhost" else [host]
    return [entry for name in names for entry in real(name, *rest, **options)]
class Socket(socket.socket):
    def __init__(self, family=-1, *rest, **options):
        if family == socket.AF_INET6 and {no_ipv6}:
            raise OSError(97, "Address family not supported by protocol")
        super().__init__(family, *rest, **options)
socket.getaddrinfo, socket.socket = getaddrinfo, Socket
from cln_monitor.exporter.__main__ import run
run()
"""


def _seeing(folder: Path, address: str, *, no_ipv6: bool = False) -> Exporter:
    program = (sys.executable, "-c", _WITH.format(no_ipv6=no_ipv6))
    return Exporter(folder / "exporter.log", "--demo", address=address, program=program)


@pytest.mark.processes
@pytest.mark.parametrize("host", ["", "*", "[::]"])
def test_the_program_listens_on_all_addresses(host: str, tmp_path: Path) -> None:
    """The exporter answers scrapes over IPv6 and IPv4 on :PORT."""
    with running_exporter(tmp_path, "--demo", "--log.level=debug", address=f"{host}:0") as exporter:
        port = exporter.address.removeprefix("[::]:")
        for local in ("127.0.0.1", "[::1]"):
            assert ask(f"http://{local}:{port}/-/healthy").status == 200
        assert exporter.ask("/-/healthy").status == 200
        assert exporter.log.count("msg=listening") == 1


@pytest.mark.processes
def test_the_program_listens_on_each_address_of_localhost(tmp_path: Path) -> None:
    """The exporter logs a line for each address of localhost, with the same port."""
    exporter = _seeing(tmp_path, "localhost:0")
    try:
        port = exporter.address.removeprefix("127.0.0.1:")
        exporter.wait_for_log(rf"msg=listening address=\[::1\]:{port} ")
        for local in ("127.0.0.1", "[::1]"):
            assert ask(f"http://{local}:{port}/-/healthy").status == 200
    finally:
        exporter.stop()


@pytest.mark.processes
@pytest.mark.parametrize(("address", "listened"), [(":0", "0.0.0.0"), ("localhost:0", "127.0.0.1")])
def test_the_program_without_ipv6(address: str, listened: str, tmp_path: Path) -> None:
    """The exporter serves over IPv4 if the kernel has no IPv6."""
    exporter = _seeing(tmp_path, address, no_ipv6=True)
    try:
        assert exporter.address.startswith(f"{listened}:")
        assert exporter.ask("/-/healthy").status == 200
        assert exporter.log.count("msg=listening") == 1
    finally:
        exporter.stop()
