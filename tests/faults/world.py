"""A CLN over TLS of which all can go wrong, an exporter that watches it, and plugins that ask either."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault, Simulator, serve
from tests.checks.running import API_TOKEN, EXPORTER_PASSWORD, MONITORING_KEY, PLANTED, PROXY_PASSWORD, Outcome
from tests.helpers.certificates import Authority
from tests.helpers.running import Exporter, wait_until
from tests.helpers.scripted import ScriptedServer, answering, http_answer
from tests.helpers.small_cln import ELS_KEY, IMUNIFY_KEY, KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, UNLIMITED_KEY

from .front import Front
from .impatient import RESOLVER
from .plugins import BY_EXPORTER, DIRECT, Plugins

ROOT = Path(__file__).parents[2]
TIMEOUT = 5.0
"""Seconds for one call."""
INTERVAL = 1.0
"""Seconds between the polls of each probe."""
NAMES = [(name, "acme" if probe.per_account else "") for name, probe in PROBES.items()]

View = Mapping[str, Any]


def healthy_cln() -> Simulator:
    """Return a CLN of one account with something of each product, of which every check says that all is well."""
    simulator = Simulator(seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    web = account.add_kernelcare_key(key=KEY, limit=9, note="Web")
    servers = [web.add_server(ip=f"192.0.2.{number}") for number in range(1, 4)]
    account.add_kernelcare_key(key=UNLIMITED_KEY, limit=0).add_server(ip="192.0.2.9")
    account.add_imunify_key(key=IMUNIFY_KEY, limit=9).add_server(ip="198.51.100.1")
    account.add_ip_license("192.0.2.1", 1)
    account.add_els_key(ELS_KEY, code="CELS", limit=9).add_server("4711", ip="203.0.113.1")
    account.add_group("Night").add_server(servers[0])
    account.add_awp_entity("shop.example.net", username="shop")
    account.add_monitoring_key(MONITORING_KEY)
    return simulator


def configuration(folder: Path, port: int, authority: Authority, timeout: float) -> Path:
    """Write the configuration of the exporter and of the plugins, and return its path."""
    (folder / "acme.secret").write_text(f"{SECRET_KEY}\n", encoding="utf-8")
    (folder / "acme.secret").chmod(0o600)
    config = folder / "cln-monitor.yml"
    probes = "".join(f"  {name}: {{enabled: true, interval: {INTERVAL:.0f}s}}\n" for name, _ in NAMES if name != "els")
    config.write_text(
        f"""\
api_url: https://localhost:{port}/api
requests_per_second: 0
timeout: {timeout * 1000:.0f}ms
tls_config: {{ca_file: {authority.file}}}
probes:
{probes}
  els: {{enabled: true, interval: {INTERVAL:.0f}s, products: [CELS]}}
accounts:
  - name: acme
    login: {LOGIN}
    secret_key_file: acme.secret
    registration_token: {REGISTRATION_TOKEN}
    monitoring_keys: [{MONITORING_KEY}, {KEY}, {UNLIMITED_KEY}]
  - name: known  # from which all other secrets are known that CLN may repeat; nothing is asked for it
    login: {LOGIN}2
    secret_key: "{EXPORTER_PASSWORD}"
    registration_token: {API_TOKEN}
    monitoring_keys: [{IMUNIFY_KEY}, {ELS_KEY}]
    probes: {{{", ".join(f"{name}: {{enabled: false}}" for name, _ in NAMES)}}}
  - name: also_known
    login: {LOGIN}3
    secret_key: "{PROXY_PASSWORD}"
    probes: {{{", ".join(f"{name}: {{enabled: false}}" for name, _ in NAMES)}}}
""",
        encoding="utf-8",
    )
    return config


@dataclass(frozen=True)
class Figures:
    """What the exporter's process holds; ``memory`` and ``peak`` are MiB."""

    memory: int
    peak: int
    threads: int
    files: int


@dataclass
class World:
    """All of it. ``elsewhere`` is the server that CLN may send us to, and that must never be asked.

    ``long``: faults may take their time.
    """

    simulator: Simulator
    front: Front
    authority: Authority
    exporter: Exporter
    plugins: Plugins
    config: Path
    resolver_fails: Path
    elsewhere: ScriptedServer
    long: bool = False

    def strike(self, kind: str, path: str = "*", **fields: Any) -> None:
        """Let each call to ``path`` meet a fault of the simulator."""
        self.simulator.faults.add(Fault(kind, path, **fields))

    def show_certificate(self, name: str, *, of: str = "DNS:localhost", days: int = 30) -> None:
        """Show another certificate of the trusted authority from now on."""
        self.front.listen(self.authority.server_context(name, of=of, days=days))

    def lose_name(self) -> None:
        """Let the name of CLN not resolve from now on, when a connection is opened anew."""
        self.resolver_fails.touch()
        self.show_certificate("good")

    def mend(self) -> None:
        """End all faults."""
        self.simulator.faults.clear()
        self.resolver_fails.unlink(missing_ok=True)
        self.show_certificate("good")

    def views(self) -> dict[str, View]:
        """Return how each probe of the exporter stands."""
        probes = json.loads(self.exporter.ask("/api/v1/observations").text)["probes"]
        return {each["probe"]: each for each in probes}

    def run_probes(self) -> dict[str, View]:
        """Run each probe now, all at a time; return how each stands when a run that began from now on has ended."""
        began = self.simulator.now()

        def run(name: str, account: str) -> View:
            while True:
                # The first request may be told of a run that was under way before.
                assert self.exporter.ask(f"/probe?account={account}&probe={name}").status == 200
                view = self.views()[name]
                if (view["last_run"] or 0) >= began:
                    return view

        with ThreadPoolExecutor(len(NAMES)) as pool:
            return dict(zip(PROBES, pool.map(lambda names: run(*names), NAMES), strict=True))

    def run_plugins(self) -> dict[str, Outcome]:
        """Return how each plugin ends that asks CLN, at its loudest."""
        common = ("-C", str(self.config), "-a", "acme", "-t", "50", "-vvv")
        return self.plugins.together({name: (*common, *arguments) for name, arguments in DIRECT.items()})

    def run_plugins_by_exporter(self) -> dict[str, Outcome]:
        """Return how each plugin ends that asks the exporter, at its loudest."""
        common = ("--exporter", f"http://{self.exporter.address}", "-t", "50", "-vvv")
        return self.plugins.together({name: (*common, *arguments) for name, arguments in BY_EXPORTER.items()})

    def wait_until_well(self) -> float:
        """Wait, asking for nothing, until each probe has succeeded; return the seconds it took."""
        began = self.simulator.now()

        def well() -> bool:
            return all(view["failure"] is None and (view["last_run"] or 0) >= began for view in self.views().values())

        wait_until(well, "all probes to succeed again")
        return self.simulator.now() - began

    def pages(self) -> dict[str, str]:
        """Return all that the exporter shows, by path."""
        paths = ["/", "/config", "/api/v1/observations", "/-/ready", "/probe?account=nobody&probe=status"]
        paths += [f"/api/v1/observations/{account or 'acme'}/{name}" for name, account in NAMES]
        paths += [f"/sd/{name}" for name in PROBES]
        pages = {path: self.exporter.ask(path).text for path in ("/metrics", *paths)}
        openmetrics = self.exporter.ask("/metrics", headers={"Accept": "application/openmetrics-text"})
        return pages | {"/metrics as OpenMetrics": openmetrics.text}

    def figures(self) -> Figures:
        """Return what the exporter holds now, and its peak since the last look."""
        process = Path("/proc") / str(self.exporter.process.pid)
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        kilobytes = {name: int(status[name].split()[0]) for name in ("VmRSS", "VmHWM", "Threads")}
        (process / "clear_refs").write_text("5")  # the peak begins anew
        files = len(list((process / "fd").iterdir()))
        return Figures(kilobytes["VmRSS"] >> 10, kilobytes["VmHWM"] >> 10, kilobytes["Threads"], files)


@contextlib.contextmanager
def a_world(folder: Path, plugins: Plugins, resolver_fails: Path, *, long: bool) -> Iterator[World]:
    """Give a world in which all is well, and each probe has run."""
    simulator, authority = healthy_cln(), Authority(folder)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serve(simulator))
        elsewhere = stack.enter_context(ScriptedServer(answering(http_answer(b"{}"))))
        front = stack.enter_context(Front(served.port, authority.server_context("good", of="DNS:localhost")))
        config = configuration(folder, front.port, authority, TIMEOUT)
        exporter = Exporter(
            folder / "exporter.log",
            f"--config.file={config}",
            "--log.level=debug",
            program=(sys.executable, "-m", "tests.faults.impatient"),
            environment={RESOLVER: str(resolver_fails), "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        )
        stack.callback(exporter.stop)
        world = World(simulator, front, authority, exporter, plugins, config, resolver_fails, elsewhere, long)
        world.wait_until_well()
        yield world


def shown_secrets(text: str) -> list[str]:
    """Return what of the planted secrets stands in ``text``, as it is or as a URL spells it."""
    return [secret for secret in PLANTED if secret in text or quote(secret, safe="") in text]
