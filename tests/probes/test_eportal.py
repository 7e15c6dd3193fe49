"""The probe of an ePortal: its servers, their patches, and what the patch server says about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import RateLimiter, ReadOnlyClient, Redactor, Secret, Threads, TransportSettings, mask_key
from cln_monitor.eportal import EportalClient, EportalCredentials
from cln_monitor.patches import PatchCatalog, PatchServer, patch_settings
from cln_monitor.probes import (
    ALL_PROBES,
    PROBES,
    EportalFleet,
    ProbeContext,
    ReusingProbe,
    Run,
    probes_of,
    run_probe,
)
from cln_monitor.probes.eportal import EportalServerState, EportalSettings
from cln_monitor.simulator import Fault, Fixed, SimulatedEportalServer, SimulatedKernel, Simulator, serve
from cln_monitor.simulator.calls import eportal as eportal_calls
from cln_monitor.source_kinds import EPORTAL
from tests.helpers.clock import NOW, FakeClock

DAY = 86400
PROBE = ALL_PROBES["eportal"]
CVE = "CVE-2026-11111"


class Eportal:
    """Both ends of a connection to an ePortal and to a patch server. ``context`` is that of a run."""

    def __init__(self, simulator: Simulator, context: ProbeContext, new_catalog: Callable[[], PatchCatalog]) -> None:
        self.simulator = simulator
        self.context = context
        self.new_catalog = new_catalog
        self.kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
        self.kernel.add_patch(NOW - 9 * DAY, ("fix-a", "CVE-2026-22222"), effective_kernel="4.18.0-553.80.1.el8")
        self.kernel.add_patch(NOW - 2 * DAY, ("fix-b", CVE), effective_kernel="4.18.0-553.90.1.el8")
        self.key = simulator.eportal.add_key("Pl4ntedServerKey1")

    def add(self, *levels: int, hostname: str = "app1", checkin: float = NOW - 3600) -> SimulatedEportalServer:
        """Add a server that has loaded the patches of ``levels``, a day ago."""
        return self.simulator.eportal.add_server(
            self.kernel,
            self.key,
            registered=NOW - 90 * DAY,
            loads=[(NOW - DAY, level) for level in levels],
            checkins=Fixed(checkin),
            hostname=hostname,
        )

    def run(self, earlier: Run[EportalFleet] | None = None) -> Run[EportalFleet]:
        """Run the probe once, after an ``earlier`` run."""
        clock = FakeClock()
        probe = ReusingProbe(PROBE, None if earlier is None else earlier.observation)
        with Threads(0) as pool:
            return run_probe(probe, self.context, pool, clock)


@pytest.fixture
def eportal() -> Iterator[Eportal]:
    """An ePortal without servers."""
    clock, redactor = FakeClock(), Redactor()
    simulator = Simulator(clock.time)
    limits = RateLimiter(4, 0, clock)
    with serve(simulator) as served:
        credentials = EportalCredentials(api_key=lambda: Secret(simulator.eportal.api_key))
        client = EportalClient(TransportSettings(served.eportal_url), credentials, limits, clock, redactor)
        server = PatchServer(patch_settings(served.patches_url), limits, clock)
        context = ProbeContext(
            cast(ReadOnlyClient, client),
            EportalSettings(),
            "dc1",
            mask_key,
            now=clock.time,
            catalog=PatchCatalog(server),
            cves=(CVE,),
        )
        yield Eportal(simulator, context, lambda: PatchCatalog(server))
        client.close()
        server.close()


def fleet_of(run: Run[EportalFleet]) -> EportalFleet:
    """Return the fleet that ``run`` read."""
    assert run.failure is None
    [part] = run.observation.parts
    return part.value


def test_servers_and_patches(eportal: Eportal) -> None:
    """The observation has each server with its patch, what these patches fix, and the newest level."""
    server = eportal.add(1)
    fleet = fleet_of(eportal.run())
    assert fleet.servers == [
        EportalServerState(
            server_id=server.server_id,
            key=mask_key("Pl4ntedServerKey1"),
            feed="main",
            ip=server.ip,
            hostname="app1",
            last_checkin=NOW - 3600,
            patched_at=NOW - DAY,
            effective_kernel="4.18.0-553.80.1.el8",
            running_kernel="4.18.0-553.el8.x86_64",
            kernel_id=eportal.kernel.kernel_id,
            patch_level=1,
            kcare_version="3.4-1",
            is_updated=False,
        )
    ]
    assert [(patch.level, patch.cves) for patch in fleet.patches] == [(1, ("CVE-2026-22222",))]
    assert fleet.newest == {eportal.kernel.kernel_id: 2}
    assert fleet.cves == [CVE]


def test_empty(eportal: Eportal) -> None:
    """An ePortal without servers is data too, and nothing is asked about patches."""
    assert fleet_of(eportal.run()) == EportalFleet([], cves=[CVE])
    assert not [request for request in eportal.simulator.requests if request.path.startswith("/patches")]


def test_patches_are_read_once(eportal: Eportal) -> None:
    """A patch is read once, also over a restart, after which it is known from the earlier observation."""
    eportal.add(1)
    run = eportal.run()
    eportal.run(run)
    eportal.context = ProbeContext(
        eportal.context.client,
        eportal.context.settings,
        "dc1",
        now=eportal.context.now,
        catalog=eportal.new_catalog(),
    )
    assert fleet_of(eportal.run(run)).patches == fleet_of(run).patches
    infos = [request for request in eportal.simulator.requests if request.path.endswith("kpatch.info")]
    assert len(infos) == 1


def test_patch_server_is_down(eportal: Eportal) -> None:
    """Without the patch server the servers and their levels are known, and a caution says what is not."""
    eportal.add(1)
    eportal.simulator.faults.add(Fault("status", path="/patches/*", status=503))
    run = eportal.run()
    fleet = fleet_of(run)
    assert ([server.patch_level for server in fleet.servers], fleet.patches, fleet.newest) == ([1], [], {})
    [caution] = run.observation.all_cautions
    assert (caution.fact, caution.count) == (facts.PATCHES_UNREADABLE, 2)
    [server] = fleet.servers
    assert f"reading /{server.kernel_id[:12]}…/1/kpatch.info at " in caution.names[0]


def test_eportal_is_down(eportal: Eportal) -> None:
    """An ePortal that refuses the API key fails the run, and nothing is asked about patches."""
    eportal.add(1)
    eportal.simulator.eportal.api_key_ends = NOW
    run = eportal.run()
    assert run.failure is not None
    assert (run.failure.reason, run.observation.parts) == ("auth", ())
    assert "the ePortal does not accept the API key" in run.failure.text
    assert not [request for request in eportal.simulator.requests if request.path.startswith("/patches")]


def test_check_in_ahead(eportal: Eportal) -> None:
    """A check-in ahead of the ePortal's clock is unknown, with a caution."""
    eportal.add(1, checkin=NOW + 2 * 3600)
    run = eportal.run()
    assert fleet_of(run).servers[0].last_checkin is UNSET
    assert [caution.fact for caution in run.observation.all_cautions] == [facts.CHECKIN_AHEAD]


@pytest.mark.parametrize(
    "field", ["id", "feed", "ip", "hostname", "euname", "release", "kcare_version", "distro", "distro_version"]
)
def test_secret_in_any_text(eportal: Eportal, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """The API key is hidden in each text of a row, as each becomes a label."""
    eportal.add(1)
    secret = eportal.simulator.eportal.api_key
    row = eportal_calls._row
    monkeypatch.setattr(eportal_calls, "_row", lambda *arguments: {**row(*arguments), field: f"x {secret}"})
    shown = repr(eportal.run().observation)
    assert ("<secret>" in shown, secret in shown) == (True, False)


def test_secrets(eportal: Eportal) -> None:
    """Neither the key of a server nor the API key is in an observation, also if it is in a host name."""
    eportal.add(1, hostname="pl4ntedserverkey1.example.net")
    shown = repr(eportal.run().observation)
    assert "l4ntedserverkey1" not in shown.lower()
    assert eportal.simulator.eportal.api_key not in shown


def test_it_reads_eportals() -> None:
    """The probe reads ePortals, and is not among those of CLN accounts."""
    assert list(probes_of(EPORTAL)) == [PROBE.name]
    assert PROBE.name not in PROBES
