"""`clntool eportal servers list` and `clntool cve`: conditions, counts, errors, and what is sent where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.simulator import Fault, Fixed, SimulatedKernel, Simulator, serve

from .inside import Outcome, run

DAY = 86400
NEW, OLD = "CVE-2026-11111", "CVE-2026-22222"
ACCOUNT = "accounts: [{name: acme, login: pl4nted_login, secret_key_file: no.secret}]\n"


@dataclass
class TwoEportals:
    """A configuration of the ePortals dc1 and dc2; ``simulator`` is both, as they have the same servers."""

    simulator: Simulator
    config: Path

    def ask(self, *arguments: str) -> Outcome:
        """Return the outcome of clntool."""
        return run("-C", str(self.config), *arguments)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the rows of a successful run for dc1."""
        outcome = self.ask("-a", "dc1", "-o", "json", *arguments)
        assert outcome.code == 0, outcome
        rows: list[dict[str, Any]] = outcome.json
        return rows

    def names(self, *arguments: str) -> list[str]:
        """Return the host names of the rows of a successful run for dc1."""
        return [row["hostname"] for row in self.rows(*arguments)]


@pytest.fixture
def eportals(tmp_path: Path) -> Iterator[TwoEportals]:
    """Two ePortals with servers of each kind."""
    simulator = Simulator(seed=1)
    now, eportal = simulator.now(), simulator.eportal
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64", distro="AlmaLinux"))
    kernel.add_patch(now - 30 * DAY, ("fix-a", OLD), effective_kernel="4.18.0-553.80.1.el8")
    kernel.add_patch(now - 2 * DAY, ("fix-b", NEW), effective_kernel="4.18.0-553.90.1.el8")
    key = eportal.add_key("Pl4ntedServerKey1")
    unknown = SimulatedKernel("debian12", "6.1.0-21-amd64")
    for name, kernel_, level, age in (
        ("newest", kernel, 2, 3600),
        ("older", kernel, 1, 3600),
        ("bare", kernel, 0, 3600),
        ("above", kernel, 3, 3600),
        ("foreign", unknown, 7, 3600),
        ("silent", kernel, 2, 3 * DAY),
    ):
        eportal.add_server(
            kernel_,
            key,
            registered=now - 90 * DAY,
            loads=[(now - 4 * DAY, level)],
            checkins=Fixed(now - age),
            hostname=name,
        )
    with serve(simulator) as served:
        (tmp_path / "key").write_text(eportal.api_key)
        (tmp_path / "other.key").write_text(eportal.api_key)
        config = tmp_path / "cln-monitor.yml"
        config.write_text(
            f"eportals:\n  - {{name: dc1, url: '{served.eportal_url}', api_key_file: key}}\n"
            f"  - {{name: dc2, url: '{served.eportal_url}', api_key_file: other.key}}\n"
            f"patches: {{url: '{served.patches_url}'}}\nrequests_per_second: 0\n{ACCOUNT}"
        )
        yield TwoEportals(simulator, config)


def test_a_row(eportals: TwoEportals) -> None:
    """A row has what is known about a server and its patch; accounts of CLN, whose secret is missing, are not read."""
    row = next(row for row in eportals.rows("eportal", "servers", "list") if row["hostname"] == "older")
    assert row.pop("patch_age_seconds") == pytest.approx(30 * DAY, abs=60)
    ages = [row.pop(name) for name in ("patch_built", "patched", "last_checkin")]
    assert all(age.endswith("Z") for age in ages)
    server = next(iter(server for server in eportals.simulator.eportal.servers.values() if server.hostname == "older"))
    assert row == {
        "account": "dc1",
        "id": server.server_id,
        "hostname": "older",
        "ip": server.ip,
        "key": "Pl4ntedServerKey1",
        "mask": row["mask"],
        "feed": "main",
        "cve": None,
        "cve_state": None,
        "cve_unknown_because": None,
        "effective_kernel": "4.18.0-553.80.1.el8",
        "running_kernel": "4.18.0-553.el8.x86_64",
        "kernel_id": server.kernel.kernel_id,
        "patch_level": 1,
        "newest_level": 2,
        "behind": True,
        "updated": False,
        "silent": False,
        "distro": "AlmaLinux",
        "tags": [],
    }


def test_conditions(eportals: TwoEportals) -> None:
    """A server is shown if at least one condition applies; one above the newest level is not behind."""
    assert eportals.names("eportal", "servers", "list") == ["newest", "older", "bare", "above", "foreign", "silent"]
    assert eportals.names("eportal", "servers", "list", "--behind") == ["older", "bare"]
    assert eportals.names("eportal", "servers", "list", "--silent") == ["silent"]
    assert eportals.names("eportal", "servers", "list", "--silent", "--behind") == ["older", "bare", "silent"]
    assert eportals.names("eportal", "servers", "list", "--cve", NEW) == ["older", "bare", "above", "foreign"]
    assert eportals.names("eportal", "servers", "list", "--cve", OLD) == ["bare", "above", "foreign"]
    assert eportals.ask("eportal", "servers", "list", "-a", "dc2", "--cve", OLD, "-o", "csv").out.count("dc2") == 3


def test_cve(eportals: TwoEportals) -> None:
    """All servers are shown with their state, those without the fix first; the counts are on stderr."""
    rows = eportals.rows("cve", NEW.lower())
    assert [(row["hostname"], row["cve_state"]) for row in rows] == [
        ("older", "not_fixed"),
        ("bare", "not_fixed"),
        ("above", "unknown"),
        ("foreign", "unknown"),
        ("newest", "fixed"),
        ("silent", "fixed"),
    ]
    assert {row["cve"] for row in rows} == {NEW}
    outcome = eportals.ask("cve", NEW)
    assert outcome.err == (
        f"{NEW}: fixed by the live patch of 4 of 12 servers, not fixed on 4, unknown on 4\n"
        "note: unknown on 4: no description of the patch from the patch server\n"
    )
    assert eportals.ask("eportal", "servers", "list", "--cve", NEW).err == outcome.err
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].split()[:2] == ["cve", "state"]
    assert lines[2].split()[:3] == ["not_fixed", "dc1", "older"]


def test_behind_without_newest_levels(eportals: TwoEportals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the newest levels a server is behind if the ePortal says so, and the rest is counted as unknown."""
    eportal = eportals.simulator.eportal
    judge = eportal.is_updated
    unjudged = {"foreign": None}
    monkeypatch.setattr(eportal, "is_updated", lambda server, now: unjudged.get(server.hostname, judge(server, now)))
    expected = eportals.names("eportal", "servers", "list", "--behind")
    assert eportals.ask("eportal", "servers", "list", "--behind").err == (
        "note: whether 2 of 12 servers are behind is unknown\n"
    )
    eportals.simulator.faults.add(Fault("status", path="/patches/*/latest.v2", status=404))
    assert eportals.names("eportal", "servers", "list", "--behind") == expected
    outcome = eportals.ask("-a", "dc1", "eportal", "servers", "list", "--behind", "-o", "json")
    assert {(row["behind"], row["updated"]) for row in outcome.json} == {(True, False)}


def test_the_eportal_decides_what_is_behind(eportals: TwoEportals, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is up to date for its feed is not behind; one that is not judged is compared with the newest."""
    eportal = eportals.simulator.eportal
    judge = eportal.is_updated
    other = {"older": True, "bare": None}
    monkeypatch.setattr(eportal, "is_updated", lambda server, now: other.get(server.hostname, judge(server, now)))
    assert eportals.names("eportal", "servers", "list", "--behind") == ["bare"]
    rows = {row["hostname"]: row for row in eportals.rows("eportal", "servers", "list")}
    shown = {name: (rows[name]["behind"], rows[name]["updated"]) for name in ("older", "bare", "newest")}
    assert shown == {"older": (False, True), "bare": (True, None), "newest": (False, True)}


def test_many_problems(eportals: TwoEportals) -> None:
    """Of many failed requests the first five are named."""
    kernel = next(iter(eportals.simulator.eportal.servers.values())).kernel
    key = eportals.simulator.eportal.add_key("Pl4ntedServerKey2")
    now = eportals.simulator.now()
    for level in range(10, 20):
        eportals.simulator.eportal.add_server(
            kernel, key, registered=now, loads=[(now, level)], checkins=Fixed(now), hostname="many"
        )
    eportals.simulator.faults.add(Fault("html", path="/patches/*"))
    notes = eportals.ask("-a", "dc1", "cve", NEW).err.splitlines()
    assert len([note for note in notes if note.startswith("note: reading /")]) == 5
    assert "note: 11 more requests to the patch server failed" in notes


def test_patch_server_is_down(eportals: TwoEportals) -> None:
    """Without the patch server nothing is fixed, which stderr explains; the levels are shown."""
    eportals.simulator.faults.add(Fault("html", path="/patches/*"))
    outcome = eportals.ask("-a", "dc1", "-o", "json", "cve", NEW)
    assert outcome.code == 0
    assert {row["cve_state"] for row in outcome.json} == {"unknown", "not_fixed"}
    assert [row["hostname"] for row in outcome.json if row["cve_state"] == "not_fixed"] == ["bare"]
    assert "note: reading /" in outcome.err
    assert "an HTML page" in outcome.err


def test_one_eportal_fails(eportals: TwoEportals) -> None:
    """If one ePortal refuses its key, the servers of the other are shown, and the run has failed."""
    (eportals.config.parent / "key").write_text("wrong-api-key")
    outcome = eportals.ask("-o", "json", "eportal", "servers", "list")
    assert outcome.code == 1
    assert {row["account"] for row in outcome.json} == {"dc2"}
    assert "the ePortal does not accept the API key" in outcome.err
    assert "wrong-api-key" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["cve", "CVE-26-1"], "ID: expected a CVE id, for example CVE-2026-12345"),
        (["eportal", "servers", "list", "--cve", "x"], "--cve: expected a CVE id, for example CVE-2026-12345"),
        (["cve", NEW, "-a", "acme"], "--account: acme is an account, not an ePortal; known ePortals: dc1, dc2"),
    ],
)
def test_usage(eportals: TwoEportals, arguments: list[str], error: str) -> None:
    """An argument that is not a CVE id, or the name of an account of CLN, is an error of usage."""
    outcome = eportals.ask(*arguments)
    assert (outcome.code, outcome.err) == (2, f"clntool: {error}\n")
    assert eportals.simulator.requests == []


def test_no_eportals(tmp_path: Path) -> None:
    """A configuration without ePortals is an error that says what to add."""
    config = tmp_path / "cln-monitor.yml"
    config.write_text(ACCOUNT)
    outcome = run("-C", str(config), "cve", NEW)
    assert (outcome.code, outcome.err) == (2, "clntool: no ePortals are configured; add one to eportals\n")


def test_without_accounts(eportals: TwoEportals) -> None:
    """The commands of ePortals need no account; what reads accounts says that it has no account to read."""
    before = eportals.names("cve", NEW)
    eportals.config.write_text(eportals.config.read_text().replace(ACCOUNT, ""))
    assert eportals.names("cve", NEW) == before != []
    assert eportals.names("eportal", "servers", "list", "--behind") == ["older", "bare"]
    none = "no accounts are configured; add one to accounts"
    outcome = eportals.ask("kernelcare", "keys", "list")
    assert (outcome.code, outcome.err) == (2, f"clntool: {none}\n")
    outcome = eportals.ask("-a", "dc1", "check", "account")
    assert (outcome.code, outcome.err) == (2, f"clntool: --account: dc1 is an ePortal, not an account; {none}\n")
    outcome = eportals.ask("check", "config")
    assert (outcome.code, outcome.out) == (0, f"{eportals.config}: ok, 2 ePortals: dc1, dc2\n")


def test_nothing_is_sent_elsewhere(eportals: TwoEportals) -> None:
    """Only GETs of the ePortals and of the patch server are sent, and the latter gets no credentials."""
    eportals.ask("cve", NEW)
    requests = eportals.simulator.requests
    assert {(request.method, request.path.split("/")[1]) for request in requests} == {
        ("GET", "admin"),
        ("GET", "patches"),
    }
    seen = json.dumps([dict(request.headers) for request in requests if request.path.startswith("/patches")])
    assert eportals.simulator.eportal.api_key not in seen
    descriptions = [request.path for request in requests if request.path.endswith("kpatch.info")]
    assert len(descriptions) == len(set(descriptions))  # those of unknown patches, too, for both ePortals
