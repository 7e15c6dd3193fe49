"""Secrets that CLN or a proxy sends back are never shown."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from cln_monitor.cln.caller import make_token
from cln_monitor.simulator import Fault
from tests.helpers.scripted import ScriptedServer, http_answer, read_head

from .account import LOGIN, PROXY_PASSWORD, SECRET_KEY, TOKEN, Cln
from .commands import ALL
from .inside import ask, run

pytestmark = pytest.mark.many_inputs

_ECHO = " ".join([LOGIN, SECRET_KEY, TOKEN, quote(SECRET_KEY), make_token(LOGIN, SECRET_KEY, 1_714_490_800)])

_OF_NO_ACCOUNT = ("status", "kernelcare patch-status", "kernelcare monitoring-key")

BODIES = {
    "refusal": f'{{"success": false, "message": "{_ECHO}"}}',
    "nothing done": f'{{"success": true, "data": null, "message": "{_ECHO}"}}',
    "another shape": f'{{"success": true, "data": {{"{_ECHO}": "{_ECHO}"}}, "message": "{_ECHO}"}}',
    "dates": f'[{{"server_id": "1", "id": "1", "ip": "x", "type": "1", "registered": "{_ECHO}"}}]',
    "check-ins": f'[{{"server_id": "1", "id": "1", "last_checkin": "{_ECHO}"}}]',
    "plain": f"success:false\nmessage:{_ECHO}",
    "text": f"Registration token not found for reseller {_ECHO} not found",
    "page": f"<html>{_ECHO}</html>",
}


@pytest.mark.parametrize("body", BODIES)
def test_cln_that_echoes_secrets(body: str, cln: Cln) -> None:
    """Secrets and the digest of a token in responses are not shown."""
    cln.simulator.faults.add(Fault("answer", body=BODIES[body]))
    digest = _ECHO.rpartition("|")[2]
    start = [*BODIES].index(body) % 2  # every other command meets every other body
    for command in ALL[start::2]:
        outcome = ask(cln, *command.arguments)
        assert digest not in outcome.out + outcome.err, command.typed


def test_proxy_that_echoes_secrets(cln: Cln) -> None:
    """Secrets that a proxy echoes are not shown, including its password."""

    def script(connection: socket.socket) -> None:
        head = read_head(connection).decode("latin-1").replace('"', "'").replace("\r\n", " ")
        said = f"{head} {PROXY_PASSWORD} {_ECHO}"
        connection.sendall(http_answer(f'{{"success": false, "message": "{said}"}}'.encode()))

    with ScriptedServer(script) as proxy:
        address = proxy.url.replace("//", f"//me:{PROXY_PASSWORD}@")
        for command in ALL:
            assert ask(cln, "--proxy", address, *command.arguments).code != 0


def test_secret_files_that_change_while_cln_answers(tmp_path: Path) -> None:
    """Secrets that were written to the files a moment before are not shown."""
    files = [tmp_path / name for name in ("key", "token")]
    new = ["n3w-pl4nted-key", "n3w-pl4nted-token"]

    def put(file: Path, text: str) -> None:
        part = file.with_name(f"{file.name}.{threading.get_ident()}")
        part.write_text(text)
        part.replace(file)  # a reader sees the one or the other

    def script(connection: socket.socket) -> None:
        while read_head(connection):
            for file, text in zip(files, new, strict=True):
                put(file, text)
            connection.sendall(http_answer(f'{{"success": false, "message": "{" ".join(new)}"}}'.encode()))

    with ScriptedServer(script) as server:
        config = tmp_path / "files.yml"
        config.write_text(
            f"api_url: {server.url}\nrequests_per_second: 0\naccounts:\n"
            f"  - {{name: acme, login: {LOGIN}, secret_key_file: key, registration_token_file: token}}\n"
        )
        for command in ALL:
            if command.typed.startswith(_OF_NO_ACCOUNT):
                continue
            for file in files:
                put(file, "0ld-pl4nted-text")
            outcome = run("--config", str(config), *command.arguments)
            assert not [text for text in new if text in outcome.err], command.typed
            assert "<secret> <secret>" in outcome.err, command.typed
