"""A simulated CLN with several accounts in different states, and an exporter that has polled them once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cln_monitor.simulator import Account, Fault, Fixed, Served, SimulatedKernel, Simulator, serve
from tests.helpers.running import running_exporter
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, REGISTRATION_TOKEN, SECRET_KEY, UNLIMITED_KEY

DAY, HOUR = 86400.0, 3600.0
HOSTILE = "a|b 'c' = \"d\" 🚀"
ACCOUNTS = ("fine", "mixed", "hostile", "empty", "broken", "barred", "bare")
EPORTALS = ("dc1", "dc2")
"""The ePortal of the simulator, and once more with a wrong API key."""
CVE, OLD_CVE = "CVE-2026-11111", "CVE-2026-22222"
_PROBES = ("status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els", "awp", "cloudlinux", "eportal")


@dataclass(frozen=True)
class Watched:
    """The two data sources: the ``config`` of the direct one, and the ``url`` of the exporter."""

    config: Path
    url: str
    simulator: Simulator

    def direct(self, account: str) -> tuple[str, ...]:
        """Return the options for reading ``account`` from CLN."""
        return "--config", str(self.config), "--account", account

    def through_exporter(self, account: str) -> tuple[str, ...]:
        """Return the options for reading ``account`` from the exporter."""
        return "--exporter", self.url, "--account", account


def key_of(account: str, key: str) -> str:
    """Return the key of an account for ``key``, as keys are unique in all of CLN."""
    return f"{key[:-2]}{ACCOUNTS.index(account):02d}"


@contextlib.contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    """Simulate the accounts and run an exporter that monitors them, with files in ``directory``."""
    simulator = Simulator(seed=3)
    _furnish(simulator)
    with serve(simulator) as served:
        config = directory / "cln-monitor.yml"
        config.write_text(_config(simulator, served, directory))
        with running_exporter(directory, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            yield Watched(config, f"http://{exporter.address}", simulator)


def _config(simulator: Simulator, served: Served, directory: Path) -> str:
    (directory / "secret").write_text(SECRET_KEY)
    (directory / "wrong").write_text("pl4nted-secret-kez")
    accounts = "\n".join(
        f"  - {{name: {name}, login: pl4nted_login.{name}, registration_token: {REGISTRATION_TOKEN}, "
        f"secret_key_file: {'wrong' if name == 'barred' else 'secret'}}}"
        for name in ACCOUNTS
    )
    probes = "\n".join(f"  {name}: {{enabled: true, interval: 1h, max_age: 2h}}" for name in _PROBES)
    (directory / "dc1.key").write_text(simulator.eportal.api_key)
    (directory / "dc2.key").write_text("pl4nted-wrong-api-key")
    eportals = "\n".join(
        f"  - {{name: {name}, url: '{served.eportal_url}', api_key_file: {name}.key}}" for name in EPORTALS
    )
    return (
        f"api_url: {served.url}\nrequests_per_second: 0\nprobes:\n{probes}\naccounts:\n{accounts}\n"
        f"eportals:\n{eportals}\npatches: {{url: '{served.patches_url}', cves: [{OLD_CVE}]}}\n"
    )


def _furnish(simulator: Simulator) -> None:
    now = time.time()
    for name in ACCOUNTS:
        account = simulator.add_account(f"pl4nted_login.{name}", SECRET_KEY, REGISTRATION_TOKEN)
        if name == "bare":
            account.add_kernelcare_key(key_of(name, KEY))
            account.add_ip_license("198.51.100.1", 1, created=now - 20.5 * DAY, last_checkin=now - 2.5 * HOUR)
            account.add_ip_license("198.51.100.77", 16, registered=False, created=now - 20.5 * DAY)
        elif name != "empty":
            _fill(account, name, now)
    _furnish_eportal(simulator, now)
    # As errors that CLN says no with are the same words in both ways, with no time in them.
    for path in ("/kcare/key/servers.json", "/im/srv/list.json", "/kcare/nagios/*"):
        simulator.faults.add(Fault("status", path, match=key_of("broken", KEY), status=404))
        simulator.faults.add(Fault("status", path, match=key_of("broken", IMUNIFY_KEY), status=404))
    for path in ("/ipl/list.json", "/els/srv/list.json", "/cl/awp", "/v2/cl/servers"):
        simulator.faults.add(Fault("html", path, match="login.broken"))
    simulator.faults.add(Fault("html", "/ipl/server.json", match="login.bare"))
    simulator.faults.add(Fault("html", "/kcare/nagios-res/*", match="login.broken"))


def _furnish_eportal(simulator: Simulator, now: float) -> None:
    """Give the ePortal servers with each kind of patch, two of one name, and a silent one."""
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(now - 30.5 * DAY, ("fix-a", OLD_CVE), effective_kernel="4.18.0-553.80.1.el8")
    kernel.add_patch(now - 2.5 * DAY, ("fix-b", CVE), effective_kernel="4.18.0-553.90.1.el8")
    unknown = SimulatedKernel("debian12", "6.1.0-21-amd64")
    key = simulator.eportal.add_key("Pl4ntedServerKey1")
    for number, (name, kernel_, level, age) in enumerate(
        (
            ("newest", kernel, 2, 2.5 * HOUR),
            ("older", kernel, 1, 2.5 * HOUR),
            ("older", kernel, 1, 3.5 * HOUR),
            ("bare", kernel, 0, 2.5 * HOUR),
            ("foreign", unknown, 7, 2.5 * HOUR),
            (HOSTILE, kernel, 2, 3.5 * DAY),
        )
    ):
        simulator.eportal.add_server(
            kernel_,
            key,
            registered=now - 90 * DAY,
            loads=[(now - 4.5 * DAY, level)] if level else [],
            checkins=Fixed(now - age),
            hostname=name,
            ip=f"10.0.4.{number}",
        )


def _fill(account: Account, name: str, now: float) -> None:
    """Give an account servers with ages far from those at which the output changes."""
    ages: tuple[float | None, ...] = (2.5 * HOUR, 3.5 * HOUR)
    if name != "fine":
        ages = (*ages, 30.5 * HOUR, 9.5 * DAY, None)
    web = account.add_kernelcare_key(key_of(name, KEY), limit=10 if name == "fine" else 6, note=HOSTILE)
    other = account.add_kernelcare_key(key_of(name, UNLIMITED_KEY), limit=0)
    imunify = account.add_imunify_key(key_of(name, IMUNIFY_KEY), code="360_250", limit=5)
    for number, age in enumerate(ages):
        host = f"{HOSTILE}\n{number}" if name == "hostile" else f"192.0.2.{number}"
        checkin = None if age is None else now - age
        state = "outofdate" if name == "mixed" and number == 1 else "uptodate"
        web.add_server(
            f"{name}{number}", ip=host, hostname=host, created=now - 20.5 * DAY, last_checkin=checkin, patch_state=state
        )
        imunify.add_server(f"{name}{number}", ip=host, created=now - 20.5 * DAY, last_checkin=checkin)
        account.add_ip_license(f"198.51.100.{number}", 1, created=now - 20.5 * DAY, last_checkin=checkin)
    els = account.add_els_key(f"CELS-{name}-1", limit=10 if name == "fine" else 5)
    for number, _ in enumerate(ages):
        els.add_server(ip=f"192.0.2.{number}")
    farm = account.add_cloudlinux_key(f"CLN7-{name}-1", "CL", limit=10 if name == "fine" else 5, note=HOSTILE)
    for number, _ in enumerate(ages):
        farm.add_server(str(40_000 + number), ip=f"192.0.2.{number}")
    account.add_awp_entity(f"{name}.example.net", username=HOSTILE)
    other.add_server(f"{name}-other", ip="192.0.2.99", created=now - 20.5 * DAY, last_checkin=now - 1.5 * HOUR)
    if name != "fine":
        account.add_ip_license("198.51.100.77", 16, registered=False, created=now - 20.5 * DAY)
