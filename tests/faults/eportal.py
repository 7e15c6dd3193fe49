"""An ePortal and the patch server in the environment of the tests: all is well with them until a fault is injected."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cln_monitor.simulator import Fault, Fixed, Served, SimulatedEportalServer, SimulatedKernel, Simulator, serve

NAME = "dc1"
"""The ePortal in the configuration of the tests."""
CVE = "CVE-2026-11111"
"""The CVE in the configuration of the tests; each patch fixes it."""
API_KEY, SERVER_KEY = "pl4nted-eportal-api-key", "Pl4ntedServerKey1"
"""Further planted secrets, which must never be shown."""

SERVERS = "/admin/api/servers"
PATCHES = "/patches/*"
INFO = "/patches/*/kpatch.info"
_HOUR, _DAY = 3600.0, 86400.0


@dataclass
class EportalWorld:
    """An ePortal with three servers, and a patch server. The exporter reads both, at the two ports of ``served``.

    A new patch reaches only the server ``first``; the others are in a feed that delays patches.
    """

    simulator: Simulator
    kernel: SimulatedKernel
    first: SimulatedEportalServer
    served: dict[str, Served]

    @property
    def configuration(self) -> str:
        """The part of the exporter's configuration about them; the API key is in the file ``dc1.key``."""
        eportal, patches = self.served["eportal"].eportal_url, self.served["patches"].patches_url
        return (
            f"eportals:\n  - {{name: {NAME}, url: '{eportal}', api_key_file: {NAME}.key}}\n"
            f"patches: {{url: '{patches}', cves: [{CVE}]}}\n"
        )

    @property
    def info(self) -> str:
        """The description of the newest patch, as the patch server sends it."""
        path = f"/patches/{self.kernel.kernel_id}/{self.kernel.patches[-1].level}/kpatch.info"
        return self.simulator.answer_elsewhere("GET", path, {}, {}).body.decode()

    def page(self, **fields: Any) -> str:
        """Return a page with all servers, as the ePortal sends it, with other values of ``fields``."""
        answer = self.simulator.answer_elsewhere("GET", SERVERS, {"limit": "100"}, {"x-api-key": API_KEY})
        return json.dumps(json.loads(answer.body) | fields)

    def roll_out(self) -> int:
        """Let the first server load a patch that was never read before, and return its level."""
        now = time.time()
        patch = self.kernel.add_patch(now - _HOUR, ("fix", "N/A"))
        self.first.loads.append((now - 1, patch.level))
        self.first.checkins = Fixed(now)
        return patch.level

    def inject(self, kind: str, path: str, **fields: Any) -> None:
        """Inject a fault of the simulator into each request for ``path``."""
        self.simulator.faults.add(Fault(kind, path, **fields))

    def refuse(self, name: str) -> None:
        """Refuse connections to the ``eportal`` or to the ``patches``."""
        self.served[name].close()

    def mend(self) -> None:
        """Remove all faults."""
        self.simulator.faults.clear()
        self.simulator.eportal.api_key_ends = None
        self.first.reports_level = True
        for number, server in enumerate(self.simulator.eportal.servers.values()):
            server.hostname = f"app{number}.example.net"
        for name, served in self.served.items():
            if not _accepts(served.port):
                self.served[name] = serve(self.simulator, served.port)


def _accepts(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def an_eportal(directory: Path) -> Iterator[EportalWorld]:
    """Run an ePortal and a patch server, and write the file with the API key into ``directory``."""
    simulator, now = Simulator(seed=2), time.time()
    eportal = simulator.eportal
    eportal.api_key = API_KEY
    (directory / f"{NAME}.key").write_text(API_KEY, encoding="utf-8")
    (directory / f"{NAME}.key").chmod(0o600)
    eportal.add_feed("delayed", deploy_after=48)
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(now - 9 * _DAY, ("fix", CVE))
    keys = [eportal.add_key(SERVER_KEY), *[eportal.add_key("Pl4ntedServerKey2", "delayed")] * 2]
    first, *_ = [
        eportal.add_server(
            kernel,
            key,
            registered=now - 20 * _DAY,
            loads=[(now - 8 * _DAY, 1)],
            checkins=Fixed(now),
            hostname=f"app{number}.example.net",
        )
        for number, key in enumerate(keys)
    ]
    world = EportalWorld(simulator, kernel, first, {name: serve(simulator) for name in ("eportal", "patches")})
    try:
        yield world
    finally:
        for served in world.served.values():
            served.close()
