"""The event loop of the exporter: uvloop if it is installed, otherwise asyncio."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from pathlib import Path

import pytest
import structlog.testing

from cln_monitor.exporter.web.server import choose_loop, run_in_loop
from tests.exporter.asking import basic
from tests.helpers.running import Exporter, ask, wait_until

from .web_configs import HASH, PASSWORD, TLS, write_files

_START = "import sys; {hide}; from cln_monitor.exporter.__main__ import run; run()"
_HIDE = {"uvloop": "pass", "asyncio": "sys.modules['uvloop'] = None"}


@pytest.mark.parametrize("name", _HIDE)
def test_the_loop_is_the_one_that_is_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop in the log is the one in use."""
    if name == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)  # as if it were not installed
    ran: list[str] = []

    async def main() -> None:
        ran.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    with structlog.testing.capture_logs() as logs:
        run_in_loop(main())
    assert choose_loop()[0] == name
    assert ran == [name]
    assert [(entry["event"], entry["loop"]) for entry in logs] == [("event loop", name)]


@pytest.mark.processes
@pytest.mark.parametrize("name", _HIDE)
def test_the_program_serves_with_either_loop(name: str, tmp_path: Path) -> None:
    """TLS, passwords, IPv4 and IPv6, reload, ignored signals, and shutdown work with both event loops."""
    write_files(tmp_path)
    (tmp_path / "web.yml").write_text(f"{TLS}}}\nbasic_auth_users: {{alice: '{HASH}'}}\n")
    exporter = Exporter(
        tmp_path / "exporter.log",
        "--demo",
        f"--web.config.file={tmp_path / 'web.yml'}",
        address=":0",
        program=(sys.executable, "-c", _START.format(hide=_HIDE[name])),
    )
    try:
        exporter.wait_for_log(rf'msg="event loop" .*loop={name}\b')
        tls = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        tls.check_hostname = False
        port = exporter.address.rpartition(":")[2]

        def is_ready() -> bool:
            return ask(f"https://127.0.0.1:{port}/-/ready", headers=basic("alice", PASSWORD), tls=tls).status == 200

        wait_until(is_ready, "the exporter to be ready")
        answer = ask(f"https://[::1]:{port}/metrics", headers=basic("alice", PASSWORD), tls=tls)
        assert "cln_kernelcare_key_servers{" in answer.text
        exporter.process.send_signal(signal.SIGHUP)
        exporter.wait_for_log("configuration reloaded")
        exporter.process.send_signal(signal.SIGUSR1)
        exporter.wait_for_log("signal=SIGUSR1")
        code, _ = exporter.stop()
    finally:
        exporter.stop()
    assert code == 0
    assert "msg=stopped" in exporter.log.splitlines()[-1]
    assert "Traceback" not in exporter.log
