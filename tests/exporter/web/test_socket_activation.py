"""Socket activation: sockets of systemd are used, and unusable ones are errors."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor.exporter.web.listening import ListenError, address_of, listen
from cln_monitor.exporter.web.socket_activation import take_sockets
from tests.helpers.running import CLN_EXPORTER, Program, ask


def test_sockets_are_taken_once() -> None:
    """Sockets are returned in order and not inherited by child processes, and the variables are removed."""
    given = listen("127.0.0.1:0", "[::1]:0")
    addresses = [address_of(sock) for sock in given]
    first = _in_a_row([sock.detach() for sock in given])
    environment = _handed(2) | {"LISTEN_FDNAMES": "cln-exporter.socket:six", "A": "b"}
    taken = take_sockets(environment, first)
    assert environment == {"A": "b"}
    assert [address_of(sock) for sock in taken] == addresses
    assert not any(sock.getblocking() or sock.get_inheritable() for sock in taken)
    for sock in taken:
        sock.close()


@pytest.mark.parametrize(
    "environment",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid())}],
    ids=["none", "of-another-process", "no-pid", "no-number"],
)
def test_no_sockets(environment: dict[str, str]) -> None:
    """Sockets for another process are neither used nor passed on."""
    assert take_sockets(environment, 10_000) == []
    assert environment == {}


def _pipe() -> int:
    reading, writing = os.pipe()
    os.close(writing)
    return reading


@pytest.mark.parametrize(
    "make",
    [
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach(),
        lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).detach(),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach(),
        _pipe,
    ],
    ids=["datagrams", "unix", "connected", "no-socket"],
)
def test_what_cannot_be_served_on(make: Callable[[], int]) -> None:
    """An unusable socket is an error with the name of its unit and what was expected."""
    with pytest.raises(ListenError) as caught:
        take_sockets(_handed(1) | {"LISTEN_FDNAMES": "web"}, descriptor := make())
    assert str(caught.value) == (
        "cannot listen on the socket web passed by systemd: "
        "expected ListenStream=HOST:PORT and no Accept=yes in the .socket unit"
    )
    if make is _pipe:
        os.close(descriptor)


def test_a_descriptor_that_is_not_there() -> None:
    """A socket without a name is shown by its descriptor number."""
    with pytest.raises(ListenError, match="the socket 9999 passed by systemd: expected"):
        take_sockets(_handed(1), 9999)


# systemd sets LISTEN_PID to the process that it starts, whose number nobody knows before.
_START = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.processes
def test_the_program_serves_on_a_socket_of_systemd(tmp_path: Path) -> None:
    """The exporter serves on the socket of systemd instead of its default address."""
    with listen("127.0.0.1:0")[0] as sock:
        address = address_of(sock)
        os.set_inheritable(sock.fileno(), True)
        program = _Handed(sock, tmp_path / "exporter.log", "--demo")
        try:
            assert program.wait_for_log(r"msg=listening address=(\S+)")[1] == address
            assert ask(f"http://{address}/-/healthy").status == 200
        finally:
            program.stop()


@pytest.mark.processes
def test_a_socket_of_systemd_and_an_address_are_one_too_many(tmp_path: Path) -> None:
    """A socket of systemd together with --web.listen-address is an error."""
    with listen("127.0.0.1:0")[0] as sock:
        program = _Handed(sock, tmp_path / "exporter.log", "--demo", "--web.listen-address=127.0.0.1:0")
        assert program.process.wait(20) == 1
    complaint = "systemd passed sockets to listen on: remove --web.listen-address"
    assert program.log == f"cln-exporter: {complaint}\n"


@pytest.mark.processes
def test_a_socket_of_systemd_that_is_wanted(tmp_path: Path) -> None:
    """A required socket of systemd that is missing is an error."""
    with listen("127.0.0.1:0")[0] as sock:
        os.set_inheritable(sock.fileno(), True)
        program = _Handed(sock, tmp_path / "exporter.log", "--demo", "--web.systemd-socket")
        try:
            assert program.wait_for_log(r"msg=listening address=(\S+)")[1] == address_of(sock)
        finally:
            program.stop()
    alone = Program([str(CLN_EXPORTER), "--demo", "--web.systemd-socket"], tmp_path / "alone.log")
    assert alone.process.wait(20) == 1
    complaint = "systemd passed no sockets: start the exporter by a .socket unit, or remove --web.systemd-socket"
    assert alone.log == f"cln-exporter: {complaint}\n"


class _Handed(Program):
    """An exporter started like by systemd with a socket."""

    def __init__(self, sock: socket.socket, log_file: Path, *arguments: str) -> None:
        command = [sys.executable, "-c", _START, str(sock.fileno()), str(CLN_EXPORTER), *arguments]
        super().__init__(command, log_file, pass_fds=[sock.fileno()])


def _handed(count: int) -> dict[str, str]:
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count)}


def _in_a_row(descriptors: list[int]) -> int:
    """Duplicate ``descriptors`` to consecutive numbers, and return the first one."""
    first = 200
    for index, descriptor in enumerate(descriptors):
        os.dup2(descriptor, first + index)
        os.close(descriptor)
    return first
