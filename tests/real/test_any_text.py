"""Any Unicode text of CLN can be parsed by Prometheus."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from random import Random

import pytest

from cln_monitor.cln import Redactor
from cln_monitor.config import parse_config
from cln_monitor.exporter.service import Service
from cln_monitor.simulator import Fault, Simulator, serve
from tests.exporter.conftest import HandClock
from tests.exporter.parsing import parse
from tests.helpers import servers

_ODD = [
    '"',
    "\\",
    "\n",
    "\r",
    "\t",
    "\0",
    "{",
    "}",
    ",",
    "=",
    "#",
    "# EOF",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ud800",
    "\x7f",
]
_PROBES = ("status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els", "groups", "awp", "cloudlinux")
_ROWS = 25


def any_text(random: Random) -> str:
    """Return up to a dozen characters of any kind, often odd ones."""
    kinds = (
        lambda: random.choice(_ODD),
        lambda: chr(random.randrange(32, 127)),
        lambda: chr(random.randrange(0x110000)),
        lambda: chr(random.randrange(0xD800, 0xE000)),
        lambda: chr(random.randrange(0x1F300, 0x1F700)),
    )
    text = [random.choice(kinds)() for _ in range(random.randrange(1, 12))]
    return "".join([*text[:5], "x", *text[5:]])  # without a letter it would be no id


def odd_cln(random: Random, clock: HandClock) -> Simulator:
    """Return a CLN whose lists have rows with such texts."""

    def rows(*names: str, **fixed: object) -> str:
        rows_ = [{name: any_text(random) for name in names} | fixed for _ in range(_ROWS)]
        return json.dumps({"success": True, "data": rows_})

    simulator = Simulator(clock.time)
    simulator.add_account("login", "pl4nted-secret-key", "pl4nted-token")
    hosts = "\n".join(f"{any_text(random)} ({any_text(random)}) is OUTOFDATE" for _ in range(_ROWS))
    bodies = {
        "/status.json": json.dumps({any_text(random): random.random() < 0.5 for _ in range(_ROWS)}),
        "/kcare/key/list.json": rows("key", "note", "enabled", limit=3),
        "/im/key/list.json": rows("key", "note", "code", limit=3),
        "/kcare/key/servers.json": rows("server_id", "ip", last_checkin="2024-04-30T11:26-0400"),
        "/im/srv/list.json": rows("id", "ip", last_checkin="2024-04-30T11:26-0400", created="2024-04-30T11:26-0400"),
        "/kcare/nagios*": f"3 machines are OUTOFDATE!|uptodate=0;outofdate=3;unsupported=0;inactive=0\n{hosts}",
        "/ipl/*": rows("ip", type=16, registered=True, last_checkin="2024-04-30T11:26-0400"),
        "/els/key/list.json": rows("key", "description", "productCode", usageLimit=3),
        "/els/srv/list.json": rows("id", "key", "ip", "hostname"),
        "/group/list.json": rows("name", "description"),
        "/group/servers/list.json": rows("id", "hostName", "ip", "type"),
        "/v2/cl/keys": rows("key", "description", usage_limit=3),
        "/v2/cl/servers": rows("id", "key", "ip", "hostname"),
        "/cl/awp": rows("product", "primary_domain", "username", "cdn_limit_type"),
    }
    for path, body in bodies.items():
        simulator.faults.add(Fault("answer", path, body=body))
    return simulator


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("labels", ["masked", "full"])
def test_any_text(seed: int, labels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All families are exposed, promtool reports nothing, and two parsers read the same series."""
    clock = HandClock()
    with serve(odd_cln(Random(seed), clock)) as served:
        probes = ", ".join(f"{name}: {{enabled: true}}" for name in _PROBES)
        text = f"""\
api_url: {served.url}
requests_per_second: 0
key_labels: {labels}
probes: {{{probes}}}
accounts: [{{name: acme, login: login, secret_key: pl4nted-secret-key, registration_token: pl4nted-token}}]
"""
        service = Service(lambda: parse_config(text, Path("/nowhere")), Redactor(), clock)
        monkeypatch.setattr(service._poller, "start", lambda: None)
        service.start()
        for target in list(service.targets.values()):
            run = service.run(target)
            assert run.failure is None, run.failure
            target.context.client.close()
        page = b"".join(service.exposition().plain(b""))
        service.stop()
    names = {name for name, _ in parse(page.decode())}
    assert {
        "cln_awp_billable",
        "cln_status_flag",
        "cln_imunify_key_info",
        "cln_patch_status_host",
        "cln_group_servers",
    } <= names
    assert {"cln_ip_license_registered", "cln_els_server_info", "cln_cloudlinux_server_info"} <= names
    done = subprocess.run(
        [servers.path("promtool"), "check", "metrics"], input=page, capture_output=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
