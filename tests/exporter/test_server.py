"""Listening: the addresses that are understood, and words for those that are not."""

from __future__ import annotations

import socket

import pytest

from cln_monitor.exporter.server import ListenError, address_of, listen


@pytest.mark.parametrize(
    ("address", "host"),
    [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]"), ("::1:0", "[::1]"), ("localhost:0", None), (":0", None)],
)
def test_listen(address: str, host: str | None) -> None:
    """A host with a port, in brackets when it holds colons; without a host on all addresses."""
    with listen(address) as sock:
        listening_host, _, port = address_of(sock).rpartition(":")
        assert int(port) > 0
        assert host is None or listening_host == host
        assert not sock.getblocking()
        assert sock.proto == socket.IPPROTO_TCP  # or asyncio leaves Nagle on, and small answers take 40 ms
        with socket.create_connection(("localhost" if host is None else sock.getsockname()[0], int(port)), timeout=5):
            pass


@pytest.mark.parametrize(
    "address", ["", "10099", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", ":-1", "[::1]"]
)
def test_no_address(address: str) -> None:
    """What would be right is said."""
    with pytest.raises(ListenError) as caught:
        listen(address)
    expected = "expected HOST:PORT, such as 127.0.0.1:10099, or :10099 for all addresses"
    assert str(caught.value) == f"cannot listen on {address!r}: {expected}"


def test_a_name_that_does_not_resolve() -> None:
    """The address is in the error, with the reason."""
    with pytest.raises(ListenError, match=r"^cannot listen on no-such-host\.invalid:1: .+$"):
        listen("no-such-host.invalid:1")


def test_an_address_in_use() -> None:
    """The usual cause is named."""
    with listen("127.0.0.1:0") as sock, pytest.raises(ListenError) as caught:
        listen(address_of(sock))
    assert str(caught.value).endswith(": Address already in use; is another exporter running?")


def test_an_address_of_somebody_else() -> None:
    """And it is not named where it is not the cause."""
    with pytest.raises(ListenError) as caught:
        listen("192.0.2.1:0")
    assert str(caught.value) == "cannot listen on 192.0.2.1:0: Cannot assign requested address"
