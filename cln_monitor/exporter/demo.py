"""A simulated CLN account in the exporter's process, for trying it out without an account or a network."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from cln_monitor.config import Config, parse_config
from cln_monitor.probes import ALL_PROBES
from cln_monitor.simulator import DEMO_CVES, Simulator, serve

_INTERVAL = "15s"  # short, as a demo rarely runs for as long as the default intervals


class Demo:
    """A context manager that serves a simulated CLN, with an ePortal, on a free loopback port."""

    def __init__(self) -> None:
        self._simulator = Simulator.demo()

    def __enter__(self) -> Self:
        self._served = serve(self._simulator)
        # A file in memory, as the demo also runs in a container whose file system is read-only.
        self._api_key = os.memfd_create("eportal.key")
        os.fchmod(self._api_key, 0o600)
        os.write(self._api_key, self._simulator.eportal.api_key.encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.close()
        os.close(self._api_key)

    def config(self) -> Config:
        """Return the configuration of an exporter that monitors the simulated account."""
        account = next(iter(self._simulator.accounts.values()))
        api_key_file = f"/proc/self/fd/{self._api_key}"
        document = {
            "api_url": self._served.url,
            "requests_per_second": 0,
            "probes": {name: {"enabled": True, "interval": _INTERVAL, "max_age": "5m"} for name in ALL_PROBES},
            "patches": {"url": self._served.patches_url, "cves": list(DEMO_CVES)},
            "eportals": [{"name": "dc1", "url": self._served.eportal_url, "api_key_file": api_key_file}],
            "accounts": [
                {
                    "name": "demo",
                    "login": account.login,
                    "secret_key": account.secret_key,
                    "registration_token": account.registration_token,
                    "monitoring_keys": sorted(account.monitoring_keys),
                }
            ],
        }
        return parse_config(yaml.safe_dump(document), Path())
