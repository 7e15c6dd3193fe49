"""The calls of an ePortal: authorization, pages, filters, and rows as documented."""

import json
from base64 import b64encode
from typing import Any

import pytest

from cln_monitor.simulator import Fixed, Never, SimulatedEportalServer, SimulatedKernel, Simulator
from tests.simulator.asking import NOW

HOUR, DAY = 3600, 86400


@pytest.fixture
def kernel(simulator: Simulator) -> SimulatedKernel:
    """Return a kernel with two patches, the newer one 30 hours old."""
    kernel = simulator.patches.add_kernel(
        SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64", distro="AlmaLinux", distro_version="8.10")
    )
    kernel.add_patch(NOW - 20 * DAY, ("fix-a", "CVE-2026-11111"), effective_kernel="4.18.0-553.80.1.el8")
    kernel.add_patch(NOW - 30 * HOUR, ("fix-b", "N/A"), effective_kernel="4.18.0-553.90.1.el8")
    return kernel


@pytest.fixture
def servers(simulator: Simulator, kernel: SimulatedKernel) -> list[SimulatedEportalServer]:
    """Return three servers: one with the newest patch, one with the older patch, and one without a patch."""
    eportal = simulator.eportal
    eportal.add_feed("delayed", deploy_after=48)
    web, late = eportal.add_key("web"), eportal.add_key("late", "delayed")
    newest, older = (NOW - 20 * HOUR, 2), (NOW - 19 * DAY, 1)
    return [
        eportal.add_server(
            kernel, web, registered=NOW - 90 * DAY, loads=[newest, older], checkins=Fixed(NOW - HOUR), hostname="app7"
        ),
        eportal.add_server(
            kernel, late, registered=NOW - 9 * DAY, loads=[older], checkins=Fixed(NOW - 5 * HOUR), tags="blue;canary"
        ),
        eportal.add_server(kernel, web, registered=NOW - 2 * DAY, loads=[newest], checkins=Never(), ip="10.0.4.9"),
    ]


def ask(simulator: Simulator, path: str, method: str = "GET", **query: str) -> Any:
    """Return the JSON of a successful response, asked with the API key."""
    headers = {"x-api-key": simulator.eportal.api_key}
    answer = simulator.answer_elsewhere(method, f"/admin/api{path}", query, headers)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def found(simulator: Simulator, servers: list[SimulatedEportalServer], **query: str) -> list[int]:
    """Return the places in ``servers`` of those that the ePortal lists."""
    ids = [server.server_id for server in servers]
    return [ids.index(row["id"]) for row in ask(simulator, "/servers", **query)["result"]]


def test_row(simulator: Simulator, servers: list[SimulatedEportalServer], kernel: SimulatedKernel) -> None:
    """A row has all documented fields; dates are in UTC without a zone."""
    answer = ask(simulator, "/servers", service_id=servers[0].server_id)
    assert answer == {
        "count": 1,
        "limit": 10,
        "offset": 0,
        "result": [
            {
                "id": servers[0].server_id,
                "ip": servers[0].ip,
                "hostname": "app7",
                "key": "web",
                "feed": "main",
                "registered": "2024-01-31 15:26:40.000000",
                "checkin": "2024-04-30 14:26:40.000000",
                "updated": "2024-04-29 19:26:40.000000",
                "euname": "4.18.0-553.90.1.el8",
                "release": "4.18.0-553.el8.x86_64",
                "kernel_id": kernel.kernel_id,
                "patch_level": 2,
                "patch_type": "default",
                "tags": None,
                "uptime": 90 * DAY,
                "version": "#1 SMP",
                "virt": "kvm",
                "kcare_version": "3.4-1",
                "distro": "AlmaLinux",
                "distro_version": "8.10",
                "machine": "x86_64",
                "processor": "x86_64",
            }
        ],
    }


def test_a_server_that_never_checked_in(simulator: Simulator, servers: list[SimulatedEportalServer]) -> None:
    """Of a server that never checked in the ePortal knows neither a check-in nor a patch."""
    row = ask(simulator, "/servers", service_id=servers[2].server_id)["result"][0]
    assert (row["checkin"], row["updated"], row["patch_level"]) == (None, None, 0)
    assert row["euname"] == "4.18.0-553.el8.x86_64"
    servers[2].reports_level = False
    assert ask(simulator, "/servers", service_id=servers[2].server_id)["result"][0]["patch_level"] is None


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, [0, 1, 2]),
        ({"hostname": "app7"}, [0]),
        ({"hostname": "a%"}, [0]),
        ({"hostname": "[a]%"}, []),
        ({"ip": "10.0.4.%"}, [2]),
        ({"feed": "delayed"}, [1]),
        ({"key": "web"}, [0, 2]),
        ({"tag": "canary"}, [1]),
        ({"tag": "can"}, []),
        ({"registered_age": "5"}, [0, 1]),
        ({"registered_age": "-5"}, [2]),
        ({"checkin_age": "4h"}, [1, 2]),
        ({"checkin_age": "-4h"}, [0]),
        ({"updated_age": "1"}, [1, 2]),
        ({"is_updated": "true"}, [0, 1]),
        ({"is_updated": "false"}, [2]),
        ({"is_updated": "true", "key": "web"}, [0]),
        ({"limit": "2"}, [0, 1]),
        ({"limit": "2", "offset": "2"}, [2]),
        ({"offset": "3"}, []),
    ],
)
def test_filters(
    simulator: Simulator, servers: list[SimulatedEportalServer], query: dict[str, str], places: list[int]
) -> None:
    """Filters and pages are those of the documentation; a server of a delayed feed is up to date without the newest."""
    assert found(simulator, servers, **query) == places


def test_counts(simulator: Simulator, servers: list[SimulatedEportalServer]) -> None:
    """The count is that of all servers that match, also beside a page, and alone with only_count."""
    assert ask(simulator, "/servers", limit="1")["count"] == len(servers)
    assert ask(simulator, "/servers", only_count="true", is_updated="false") == {"count": 1}


def test_limit(simulator: Simulator, servers: list[SimulatedEportalServer]) -> None:
    """A page has 10 rows by default, and no more than the ePortal allows."""
    simulator.eportal.most_rows = 2
    assert ask(simulator, "/servers", limit="1000")["limit"] == 2
    assert found(simulator, servers, limit="1000") == [0, 1]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": "all"}, "invalid limit all"),
        ({"offset": "-1"}, "invalid offset -1"),
        ({"is_updated": "no"}, "invalid flag no"),
        ({"checkin_age": "4d"}, "invalid age 4d"),
    ],
)
@pytest.mark.usefixtures("servers")
def test_refusals(simulator: Simulator, query: dict[str, str], error: str) -> None:
    """An invalid argument is refused with HTTP 400 and an error."""
    headers = {"x-api-key": simulator.eportal.api_key}
    answer = simulator.answer_elsewhere("GET", "/admin/api/servers", query, headers)
    assert (answer.status, answer.body.decode()) == (400, f'{{"error": "{error}"}}')


@pytest.mark.usefixtures("servers")
def test_feeds_keys_and_patchsets(simulator: Simulator, kernel: SimulatedKernel) -> None:
    """The other lists have no count; a feed that delays patches has not deployed the newest one."""
    assert ask(simulator, "/feeds/")["result"] == [
        {"name": "main", "auto": True, "deploy_after": 0},
        {"name": "delayed", "auto": True, "deploy_after": 48},
    ]
    assert ask(simulator, "/keys/")["result"][1] == {"key": "late", "feed": "delayed", "note": None, "server_limit": 0}
    kernel.add_patch(NOW + DAY)
    assert ask(simulator, "/patchsets/", feed="delayed")["result"] == [
        {"patchset": "K20240410_01", "status": "enabled", "distros": ["almalinux8"]},
        {"patchset": "K20240429_01", "status": "undeployed", "distros": ["almalinux8"]},
    ]
    assert [row["status"] for row in ask(simulator, "/patchsets/")["result"]] == ["enabled", "enabled"]
    assert ask(simulator, "/patchsets/", product="qemu") == ask(simulator, "/patchsets/", distro="x") == {"result": []}


def test_authorization(simulator: Simulator) -> None:
    """The API key or the user with the password is required; a key that has expired is refused."""
    eportal = simulator.eportal

    def status(**headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return simulator.answer_elsewhere("GET", "/admin/api/servers", {}, names).status

    def basic(text: str) -> str:
        return f"Basic {b64encode(text.encode()).decode()}"

    assert status(x_api_key=eportal.api_key) == 200
    assert status(authorization=basic(f"monitoring:{eportal.password}")) == 200
    for refused in (basic("monitoring:x"), basic("monitoring"), "Basic %", "Bearer x", ""):
        assert status(authorization=refused) == 401
    assert status() == status(x_api_key="x") == 401
    eportal.api_key_ends = NOW
    assert status(x_api_key=eportal.api_key) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_changes(simulator: Simulator, servers: list[SimulatedEportalServer], method: str) -> None:
    """A change is not made; an unknown path is not found."""
    headers = {"x-api-key": simulator.eportal.api_key}
    query = {"id": servers[0].server_id}
    assert simulator.answer_elsewhere(method, "/admin/api/servers", query, headers).status == 405
    assert len(simulator.eportal.servers) == 3
    assert simulator.answer_elsewhere("GET", "/admin/api/delete_server", query, headers).status == 404
