"""Secrets in text from CLN are redacted."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cln_monitor.masking import mask_key
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault

from .conftest import LOGIN, SECRET_KEY, TOKEN, Cln

KEY = "WsTs821nSAtiastD"
PLANTED = f"key {KEY} secret {SECRET_KEY} login {LOGIN} token {TOKEN}"


def _answer(cln: Cln, path: str, data: Any) -> None:
    body = data if isinstance(data, str) else json.dumps({"success": True, "data": data})
    cln.simulator.faults.add(Fault("answer", path, body=body))


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("around", ["{}", "a-{}", "{}.example.net", "x {} y"])
def test_planted_secrets_are_replaced_in_every_text(name: str, around: str, cln: Cln) -> None:
    """A secret in any text field is not in the observation."""
    texts = [around.format(secret) for secret in (KEY, SECRET_KEY, LOGIN, TOKEN)]
    servers = [{"server_id": text, "id": text, "ip": text, "last_checkin": None} for text in texts]
    _answer(cln, "/status.json", dict.fromkeys(texts, True))
    _answer(cln, "/kcare/key/list.json", [{"key": KEY, "note": PLANTED, "limit": 1}])
    _answer(cln, "/kcare/key/servers.json", servers)
    _answer(cln, "/im/key/list.json", [{"key": KEY, "code": PLANTED, "limit": 1}])
    _answer(cln, "/im/srv/list.json", servers)
    hosts = "".join(f"\n{text} (192.0.2.1) is OUTOFDATE" for text in texts)
    _answer(cln, "/kcare/nagios*", f"9 machines are OUTOFDATE!|uptodate=0;outofdate=9;unsupported=0;inactive=0{hosts}")
    licenses = [{"ip": text, "type": 1, "registered": True, "last_checkin": None} for text in texts]
    _answer(cln, "/ipl/*", licenses)
    cln.client._caller.redactor.hide(TOKEN)
    cln.key_label = mask_key  # as it is by default
    cln.run(PROBES["kernelcare"])
    seen = msgspec.json.encode(cln.run(PROBES[name]).observation).decode()
    assert not [secret for secret in (SECRET_KEY, LOGIN, TOKEN, KEY) if secret in seen]


@pytest.mark.parametrize("ip", ["0123456789abcdef", "192.0.2.1"])
def test_a_secret_of_hex_digits_is_no_address(ip: str, cln: Cln) -> None:
    """A secret of hexadecimal digits is redacted even among addresses."""
    hexadecimal = "0123456789abcdef"
    cln.client._caller.redactor.hide(hexadecimal)
    _answer(cln, "/kcare/key/list.json", [{"key": KEY, "limit": 1}])
    _answer(cln, "/kcare/key/servers.json", [{"server_id": hexadecimal, "ip": ip}, {"server_id": "a:b"}])
    seen = msgspec.json.encode(cln.run(PROBES["kernelcare"]).observation).decode()
    assert hexadecimal not in seen


def test_what_is_no_secret_stays(cln: Cln) -> None:
    """Ordinary ids, addresses, and notes are unchanged."""
    key = cln.account.add_kernelcare_key(KEY, note="Web, Köln 🚀")
    key.add_server("s096slnkaAtoiAsd", ip="2001:db8::1")
    key.add_server("srv-1_x.y:z", ip="192.0.2.1")
    seen = cln.run(PROBES["kernelcare"]).observation.parts[0].value
    assert seen.note == "Web, Köln 🚀"
    assert [(server.server_id, server.ip) for server in seen.servers] == [
        ("s096slnkaAtoiAsd", "2001:db8::1"),
        ("srv-1_x.y:z", "192.0.2.1"),
    ]
