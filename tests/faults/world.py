"""A CLN over TLS with faults, an exporter that monitors it, and plugins that query CLN or the exporter."""

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
from tests.helpers.small_cln import (
    CLOUDLINUX_KEY,
    ELS_KEY,
    IMUNIFY_KEY,
    KEY,
    LOGIN,
    REGISTRATION_TOKEN,
    SECRET_KEY,
    UNLIMITED_KEY,
)

from .eportal import API_KEY, NAME, SERVER_KEY, EportalWorld, an_eportal
from .front import Front
from .impatient import RESOLVER
from .plugins import BY_EXPORTER, DIRECT, EPORTAL_BY_EXPORTER, EPORTAL_DIRECT, Plugins

ROOT = Path(__file__).parents[2]
TIMEOUT = 5.0
"""Seconds for one call."""
INTERVAL = 1.0
"""Seconds between the polls of each probe."""
NAMES = [(name, "acme" if probe.per_account else "") for name, probe in PROBES.items()]

View = Mapping[str, Any]


def healthy_cln() -> Simulator:
    """Return a CLN of one account with all products, for which every check is OK."""
    simulator = Simulator(seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    web = account.add_kernelcare_key(key=KEY, limit=9, note="Web")
    servers = [web.add_server(ip=f"192.0.2.{number}") for number in range(1, 4)]
    account.add_kernelcare_key(key=UNLIMITED_KEY, limit=0).add_server(ip="192.0.2.9")
    account.add_imunify_key(key=IMUNIFY_KEY, limit=9).add_server(ip="198.51.100.1")
    account.add_ip_license("192.0.2.1", 1)
    account.add_els_key(ELS_KEY, code="CELS", limit=9).add_server("4711", ip="203.0.113.1")
    account.add_cloudlinux_key(CLOUDLINUX_KEY, "CL", limit=9).add_server("40211", ip="198.51.100.9")
    account.add_group("Night").add_server(servers[0])
    account.add_awp_entity("shop.example.net", username="shop")
    account.add_monitoring_key(MONITORING_KEY)
    return simulator


def configuration(folder: Path, port: int, authority: Authority, timeout: float, more: str = "") -> Path:
    """Write the configuration of the exporter and of the plugins, with ``more`` at its end, and return its path."""
    (folder / "acme.secret").write_text(f"{SECRET_KEY}\n", encoding="utf-8")
    (folder / "acme.secret").chmod(0o600)
    config = folder / "cln-monitor.yml"
    products = {"els": "CELS", "cloudlinux": "CL"}
    probes = "".join(
        f"  {name}: {{enabled: true, interval: {INTERVAL:.0f}s}}\n" for name, _ in NAMES if name not in products
    )
    probes += "".join(
        f"  {name}: {{enabled: true, interval: {INTERVAL:.0f}s, products: [{product}]}}\n"
        for name, product in products.items()
    )
    config.write_text(
        f"""\
api_url: https://localhost:{port}/api
requests_per_second: 0
timeout: {timeout * 1000:.0f}ms
tls_config: {{ca_file: {authority.file}}}
probes:
{probes}
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
    monitoring_keys: [{IMUNIFY_KEY}, {ELS_KEY}, {CLOUDLINUX_KEY}]
    probes: {{{", ".join(f"{name}: {{enabled: false}}" for name, _ in NAMES)}}}
  - name: also_known
    login: {LOGIN}3
    secret_key: "{PROXY_PASSWORD}"
    probes: {{{", ".join(f"{name}: {{enabled: false}}" for name, _ in NAMES)}}}
{more}""",
        encoding="utf-8",
    )
    return config


@dataclass(frozen=True)
class Figures:
    """The resources of the exporter's process; ``memory`` and ``peak`` are MiB."""

    memory: int
    peak: int
    threads: int
    files: int


@dataclass
class World:
    """The environment of the tests. ``elsewhere`` is the target of redirects, which must never be queried.

    ``long``: faults can take their full time. ``is_mended``: the test has left no fault of CLN.
    """

    simulator: Simulator
    front: Front
    authority: Authority
    exporter: Exporter
    plugins: Plugins
    config: Path
    resolver_fails: Path
    elsewhere: ScriptedServer
    eportal: EportalWorld
    long: bool = False
    is_mended: bool = True

    def inject(self, kind: str, path: str = "*", **fields: Any) -> None:
        """Inject a fault of the simulator into each call to ``path``."""
        self.simulator.faults.add(Fault(kind, path, **fields))

    def show_certificate(self, name: str, *, of: str = "DNS:localhost", days: int = 30) -> None:
        """Use another certificate of the trusted authority from now on."""
        self.front.listen(self.authority.server_context(name, of=of, days=days))

    def lose_name(self) -> None:
        """Make the name of CLN unresolvable for new connections from now on."""
        self.resolver_fails.touch()
        self.show_certificate("good")

    def mend(self) -> None:
        """Remove all faults of CLN."""
        self.simulator.faults.clear()
        self.resolver_fails.unlink(missing_ok=True)
        self.show_certificate("good")
        self.is_mended = True

    def views(self) -> dict[str, View]:
        """Return the state of each probe of CLN at the exporter."""
        probes = json.loads(self.exporter.ask("/api/v1/observations").text)["probes"]
        return {view["probe"]: view for view in probes if view["probe"] in PROBES}

    def run_probes(self) -> dict[str, View]:
        """Run all probes now, and return the state of each after a run that started after this call."""
        began = self.simulator.now()

        def run(name: str, account: str) -> View:
            while True:
                # The first request may return a run that had started before.
                assert self.exporter.ask(f"/probe?account={account}&probe={name}").status == 200
                view = self.views()[name]
                if (view["last_run"] or 0) >= began:
                    return view

        with ThreadPoolExecutor(len(NAMES)) as pool:
            return dict(zip(PROBES, pool.map(lambda names: run(*names), NAMES), strict=True))

    def read_eportal(self) -> View:
        """Run the probe of the ePortal now, which has no other run in these tests, and return its state."""
        assert self.exporter.ask(f"/probe?account={NAME}&probe=eportal").status == 200
        view: View = json.loads(self.exporter.ask(f"/api/v1/observations/{NAME}/eportal").text)
        return view

    def run_plugins(self) -> dict[str, Outcome]:
        """Return the outcome of each plugin that queries CLN, with the highest verbosity."""
        common = ("-C", str(self.config), "-a", "acme", "-t", "50", "-vvv")
        return self.plugins.together({name: (*common, *arguments) for name, arguments in DIRECT.items()})

    def run_plugins_by_exporter(self) -> dict[str, Outcome]:
        """Return the outcome of each plugin that queries the exporter, with the highest verbosity."""
        common = ("--exporter", f"http://{self.exporter.address}", "-t", "50", "-vvv")
        return self.plugins.together({name: (*common, *arguments) for name, arguments in BY_EXPORTER.items()})

    def run_eportal_plugins(self) -> dict[str, Outcome]:
        """Return the outcome of each plugin that reads the ePortal, with the highest verbosity."""
        common = ("-C", str(self.config), "-a", NAME, "-t", "50", "-vvv")
        return self.plugins.together(dict.fromkeys(EPORTAL_DIRECT, common))

    def run_eportal_plugins_by_exporter(self) -> dict[str, Outcome]:
        """Return the outcome of each plugin that reads data of the ePortal from the exporter."""
        common = ("--exporter", f"http://{self.exporter.address}", "-t", "50", "-vvv")
        return self.plugins.together(dict.fromkeys(EPORTAL_BY_EXPORTER, common))

    def wait_until_well(self) -> float:
        """Wait until each probe has succeeded, and return the seconds it took."""
        began = self.simulator.now()

        def well() -> bool:
            return all(view["failure"] is None and (view["last_run"] or 0) >= began for view in self.views().values())

        wait_until(well, "all probes to succeed again")
        return self.simulator.now() - began

    def pages(self) -> dict[str, str]:
        """Return all pages of the exporter by path."""
        paths = ["/", "/config", "/api/v1/observations", "/-/ready", "/probe?account=nobody&probe=status"]
        paths += [f"/api/v1/observations/{account or 'acme'}/{name}" for name, account in NAMES]
        paths += [f"/sd/{name}" for name in PROBES]
        pages = {path: self.exporter.ask(path).text for path in ("/metrics", *paths)}
        openmetrics = self.exporter.ask("/metrics", headers={"Accept": "application/openmetrics-text"})
        return pages | {"/metrics as OpenMetrics": openmetrics.text}

    def figures(self) -> Figures:
        """Return the current resources of the exporter, and the peak since the last call."""
        process = Path("/proc") / str(self.exporter.process.pid)
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        kilobytes = {name: int(status[name].split()[0]) for name in ("VmRSS", "VmHWM", "Threads")}
        (process / "clear_refs").write_text("5")  # reset the peak
        files = len(list((process / "fd").iterdir()))
        return Figures(kilobytes["VmRSS"] >> 10, kilobytes["VmHWM"] >> 10, kilobytes["Threads"], files)


@contextlib.contextmanager
def a_world(folder: Path, plugins: Plugins, resolver_fails: Path, *, long: bool) -> Iterator[World]:
    """Yield an environment in which all probes have succeeded."""
    simulator, authority = healthy_cln(), Authority(folder)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serve(simulator))
        elsewhere = stack.enter_context(ScriptedServer(answering(http_answer(b"{}"))))
        front = stack.enter_context(Front(served.port, authority.server_context("good", of="DNS:localhost")))
        eportal = stack.enter_context(an_eportal(folder))
        config = configuration(folder, front.port, authority, TIMEOUT, eportal.configuration)
        exporter = Exporter(
            folder / "exporter.log",
            f"--config.file={config}",
            "--log.level=debug",
            program=(sys.executable, "-m", "tests.faults.impatient"),
            environment={RESOLVER: str(resolver_fails), "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        )
        stack.callback(exporter.stop)
        world = World(
            *(simulator, front, authority, exporter, plugins, config, resolver_fails, elsewhere, eportal), long=long
        )
        world.wait_until_well()
        wait_until(lambda: world.read_eportal()["failure"] is None, "the ePortal to be read")
        yield world


def shown_secrets(text: str) -> list[str]:
    """Return the planted secrets in ``text``, as they are or URL-encoded."""
    planted = (*PLANTED, API_KEY, SERVER_KEY)
    return [secret for secret in planted if secret in text or quote(secret, safe="") in text]
