"""The clients of the ePortal and of the patch server with the simulator, a second reading of their documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from cln_monitor.cln import (
    AuthorizationError,
    Deadline,
    RateLimiter,
    Redactor,
    Secret,
    SystemClock,
    TransportSettings,
)
from cln_monitor.eportal import EportalClient, EportalCredentials
from cln_monitor.patches import PatchCatalog, PatchServer, is_behind, patch_settings, state_of_cve
from cln_monitor.simulator import Fault, Served, Simulator, serve
from tests.helpers.clock import NOW, FakeClock

NEW_CVE = "CVE-2026-11111"


@pytest.fixture
def simulator() -> Simulator:
    """The demo, whose time advances only when a test says so."""
    return Simulator.demo(clock=lambda: NOW)


@pytest.fixture
def served(simulator: Simulator) -> Iterator[Served]:
    """The demo over HTTP."""
    with serve(simulator) as served:
        yield served


@pytest.fixture
def client(simulator: Simulator, served: Served) -> Iterator[EportalClient]:
    """A client of the ePortal with its API key."""
    clock = FakeClock()
    credentials = EportalCredentials(api_key=lambda: Secret(simulator.eportal.api_key))
    settings = TransportSettings(served.eportal_url)
    client = EportalClient(settings, credentials, RateLimiter(8, 0, clock), clock, Redactor())
    yield client
    client.close()


@pytest.fixture
def catalog(served: Served) -> Iterator[PatchCatalog]:
    """A catalog of the patch server."""
    clock = FakeClock()
    server = PatchServer(patch_settings(served.patches_url), RateLimiter(8, 0, clock), clock)
    yield PatchCatalog(server)
    server.close()


def _coverage(client: EportalClient, catalog: PatchCatalog, cve: str = NEW_CVE) -> Counter[str]:
    servers = client.servers()
    loaded = {(server.kernel_id, server.patch_level or 0) for server in servers}
    patches = catalog.read(loaded, Deadline.never(SystemClock())).patches
    return Counter(
        state_of_cve(cve, server.patch_level, patches.get((server.kernel_id, server.patch_level or 0)))
        for server in servers
    )


@pytest.mark.parametrize("most_rows", [1000, 7, 1])
def test_every_server(simulator: Simulator, client: EportalClient, most_rows: int) -> None:
    """The client reads each server with its patch, its check-in, and whether it is up to date, on pages of any size."""
    eportal = simulator.eportal
    eportal.most_rows = most_rows
    read = {server.server_id: server for server in client.servers()}
    assert read.keys() == eportal.servers.keys()
    for server_id, server in eportal.servers.items():
        patched_at, level = server.loaded(NOW)
        assert read[server_id].patch_level == (level if server.reports_level else None)
        assert read[server_id].kernel_id == server.kernel.kernel_id
        assert read[server_id].hostname == server.hostname
        assert read[server_id].is_updated is eportal.is_updated(server, NOW)
        for at, expected in (
            (read[server_id].last_checkin, server.last_checkin(NOW)),
            (read[server_id].patched_at, patched_at),
        ):
            assert at == (None if expected is None else pytest.approx(expected, abs=1e-5))


def test_coverage(simulator: Simulator, client: EportalClient, catalog: PatchCatalog) -> None:
    """A CVE is fixed on exactly those servers whose loaded patch has its fix, as the model of the simulator has it."""
    expected: Counter[str] = Counter()
    for server in simulator.eportal.servers.values():
        level = server.loaded(NOW)[1]
        patch = server.kernel.patch(level)
        is_known = server.reports_level and (level == 0 or server.kernel.kernel_id in simulator.patches.kernels)
        if not is_known or (level and patch is None):
            expected["unknown"] += 1
        else:
            expected["fixed" if patch and any(NEW_CVE in cves for _, cves in patch.fixes) else "not_fixed"] += 1
    assert _coverage(client, catalog) == expected
    assert min(expected["fixed"], expected["not_fixed"], expected["unknown"]) >= 2


def test_rollout(simulator: Simulator, client: EportalClient, catalog: PatchCatalog) -> None:
    """As time passes more servers have the fix."""
    before = _coverage(client, catalog)
    simulator.advance(3 * 86400)
    after = _coverage(client, catalog)
    assert after["fixed"] > before["fixed"]
    assert after.total() == before.total()


def test_a_patch_above_the_newest_is_not_behind(
    simulator: Simulator, client: EportalClient, catalog: PatchCatalog
) -> None:
    """A server of another channel, whose patch is above the newest of the default one, is not behind."""
    servers = client.servers()
    loaded = {(server.kernel_id, server.patch_level or 0) for server in servers}
    newest = catalog.read(loaded, Deadline.never(SystemClock())).newest
    states = {server.server_id: is_behind(server.patch_level, newest.get(server.kernel_id)) for server in servers}
    levels = {server.server_id: (server.patch_level, newest.get(server.kernel_id)) for server in servers}
    above = [server_id for server_id, (level, top) in levels.items() if level and top and level > top]
    assert [states[server_id] for server_id in above] == [False]
    assert Counter(states.values())[None] == 2  # a level that is not reported, and a kernel that is not known
    assert all(states[server_id] for server_id in simulator.eportal.servers if levels[server_id][0] == 0), (
        "a server without a patch is behind"
    )


def test_the_patch_server_sees_no_credentials(
    simulator: Simulator, client: EportalClient, catalog: PatchCatalog
) -> None:
    """No request to the patch server has a header, an argument or a path with a secret of the ePortal."""
    _coverage(client, catalog)
    seen = [request for request in simulator.requests if request.path.startswith("/patches/")]
    assert seen
    for request in seen:
        assert request.headers.keys() == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert (request.method, request.query) == ("GET", {})
        text = repr((request.headers, request.target))
        assert not any(secret in text for secret in (simulator.eportal.api_key, simulator.eportal.password))
    assert {request.method for request in simulator.requests} == {"GET"}


@pytest.mark.parametrize("fault", [Fault("html", path="/patches/*"), Fault("status", path="/patches/*", status=503)])
def test_an_outage_fixes_nothing(
    simulator: Simulator, client: EportalClient, catalog: PatchCatalog, fault: Fault
) -> None:
    """While the patch server cannot be read, no CVE is fixed or not fixed anywhere, except where no patch is loaded."""
    simulator.faults.add(fault)
    coverage = _coverage(client, catalog)
    assert coverage["fixed"] == 0
    assert coverage["not_fixed"] == sum(server.patch_level == 0 for server in client.servers())


def test_an_outage_after_a_reading(simulator: Simulator, client: EportalClient, catalog: PatchCatalog) -> None:
    """What a patch fixes does not change: after one reading, an outage of the patch server changes no verdict."""
    before = _coverage(client, catalog)
    simulator.faults.add(Fault("reset", path="/patches/*"))
    assert _coverage(client, catalog) == before


def test_the_api_key_expires(simulator: Simulator, client: EportalClient) -> None:
    """An API key that expires after an hour is an error of authorization, which says so."""
    simulator.eportal.api_key_ends = NOW + 3600
    client.servers()
    simulator.advance(3600)
    with pytest.raises(AuthorizationError, match=r"the API key: it is wrong or has expired \(HTTP 401\): unauthorized"):
        client.servers()


def test_password(simulator: Simulator, served: Served) -> None:
    """The user and the password give the same list as the API key."""
    clock, eportal = FakeClock(), simulator.eportal
    credentials = EportalCredentials(username=eportal.username, password=lambda: Secret(eportal.password))
    settings = TransportSettings(served.eportal_url)
    client = EportalClient(settings, credentials, RateLimiter(8, 0, clock), clock, Redactor())
    with client.run() as run:
        assert len(run.servers()) == run.count() == len(eportal.servers)
