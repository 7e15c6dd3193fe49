"""A simulated CLN account in the exporter's process, for trying it out without an account or a network."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from cln_monitor.config import Config, parse_config
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Simulator, serve

_INTERVAL = "15s"  # short, as a demo rarely runs for as long as the default intervals


class Demo:
    """A context manager that serves a simulated CLN on a free loopback port."""

    def __init__(self) -> None:
        self._simulator = Simulator.demo()

    def __enter__(self) -> Self:
        self._served = serve(self._simulator)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.close()

    def config(self) -> Config:
        """Return the configuration of an exporter that monitors the simulated account."""
        account = next(iter(self._simulator.accounts.values()))
        document = {
            "api_url": self._served.url,
            "requests_per_second": 0,
            "probes": {name: {"enabled": True, "interval": _INTERVAL, "max_age": "5m"} for name in PROBES},
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
