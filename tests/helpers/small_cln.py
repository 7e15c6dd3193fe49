"""A CLN with known values, and a configuration that monitors it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cln_monitor.simulator import Simulator

LOGIN, SECRET_KEY, REGISTRATION_TOKEN = "pl4nted_login", "pl4nted-secret-key", "pl4nted-registration-token"
KEY, UNLIMITED_KEY, IMUNIFY_KEY = "WsTs821nSAtiastD", "Zq7T0p1xVb93LmKe", "IM1SOMENONSENCETEXT"
ELS_KEY = "CELS-yUDxBd5ethmGO5d3hnAZEau0"
CLOUDLINUX_KEY = "CLN7aaPl4nted0000000001"
SECRETS = (LOGIN, SECRET_KEY, REGISTRATION_TOKEN, KEY, UNLIMITED_KEY, IMUNIFY_KEY, ELS_KEY)
"""The planted secrets, which must never be shown."""

CREATED = 1398871560  # 2014-04-30T11:26-0400
STALE = 1682868360  # 2023-04-30T11:26-0400


def small_cln(now: Callable[[], float] = time.time) -> Simulator:
    """Return a CLN of one account: two KernelCare keys, one Imunify key, two IP licenses, an ELS key, a group."""
    simulator = Simulator(now, seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    web = account.add_kernelcare_key(key=KEY, limit=4, note='Web "eu" 🚀\n<b>', created=CREATED)
    fresh = web.add_server("fresh", ip="192.0.2.1", hostname="web1.example.net", created=CREATED)
    web.add_server(
        "stale",
        ip="192.0.2.2",
        hostname="web2.example.net",
        created=CREATED,
        last_checkin=STALE,
        patch_state="outofdate",
    )
    web.add_server("never", ip="2001:db8::1", hostname="web3.example.net", created=CREATED, last_checkin=None)
    account.add_kernelcare_key(key=UNLIMITED_KEY, limit=0, note="", enabled=False, created=CREATED)
    imunify = account.add_imunify_key(key=IMUNIFY_KEY, code="360_250", limit=2)
    mail = imunify.add_server("im-1", ip="198.51.100.1", created=CREATED, last_checkin=STALE)
    account.add_ip_license("192.0.2.1", 1, created=CREATED, last_checkin=STALE)
    account.add_ip_license("192.0.2.9", 5010, registered=False, created=CREATED)
    els = account.add_els_key(ELS_KEY, code="CELS", limit=2)
    els.add_server("4711", ip="203.0.113.1", hostname="old.example.net")
    group = account.add_group('Night "shift" 🚀')
    for server in (fresh, mail):
        group.add_server(server)
    account.add_group("Empty")
    account.add_awp_entity("shop.example.net", username="shop")
    account.add_awp_entity("shop.example.net", "AWP_CDN", username="shop", cdn_limit_type="50 GB")
    web_farm = account.add_cloudlinux_key(CLOUDLINUX_KEY, "CL", limit=12)
    web_farm.add_server("40211", ip="198.51.100.9", hostname="web9.example.net")
    return simulator


def write_config(folder: Path, api_url: str) -> Path:
    """Write a configuration that monitors ``api_url`` each second, and return its path."""
    (folder / "acme.secret").write_text(f"{SECRET_KEY}\n")
    config = folder / "cln-monitor.yml"
    config.write_text(f"""\
api_url: {api_url}
requests_per_second: 0
probes:
  status: {{interval: 1s}}
  kernelcare: {{interval: 1s, max_age: 1h}}
  imunify: {{interval: 1s, max_age: 1h}}
  els: {{enabled: true, products: [CELS]}}
  groups: {{enabled: true}}
  awp: {{enabled: true}}
  cloudlinux: {{enabled: true, products: [CL]}}
accounts:
  - name: acme
    login: {LOGIN}
    secret_key_file: acme.secret
    registration_token: {REGISTRATION_TOKEN}
""")
    return config
