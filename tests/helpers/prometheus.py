"""A real Prometheus on a loopback port, and queries to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.helpers import servers
from tests.helpers.running import Program, ask, free_port, wait_until


class Prometheus(Program):
    """Scrapes ``targets`` each second as job ``cln``, and the ``jobs``; its files are in ``directory``.

    It loads the files ``*.rules.yml`` in that directory at a reload, and sends alerts to ``alertmanagers``. It writes
    all samples to the URL ``remote_write``, if given.
    """

    def __init__(
        self,
        directory: Path,
        targets: list[str],
        alertmanagers: list[str] | None = None,
        jobs: Sequence[Mapping[str, Any]] = (),
        remote_write: str | None = None,
    ) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        self._alertmanagers = alertmanagers or []
        config = directory / "prometheus.yml"
        scrape = {"job_name": "cln", "static_configs": [{"targets": targets}]}
        every_second = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config.write_text(
            json.dumps(
                {
                    "global": every_second,
                    "scrape_configs": [scrape, *jobs],
                    "rule_files": ["*.rules.yml"],
                    "remote_write": [{"url": remote_write}] if remote_write else [],
                    "alerting": {"alertmanagers": [{"static_configs": [{"targets": self._alertmanagers}]}]},
                }
            )
        )
        super().__init__(
            [
                servers.path("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
                "--web.enable-lifecycle",
            ],
            directory / "prometheus.log",
        )
        self.wait_for_log("Server is ready to receive web requests")

    def reload(self) -> None:
        """Reload the configuration and the rules, and wait for its Alertmanagers, which takes up to 5 s."""
        answer = ask(f"{self.url}/-/reload", "POST")
        assert answer.status == 200, answer
        if self._alertmanagers:  # an alert that fires before is not sent for a whole minute
            wait_until(self._has_found_alertmanagers, "Prometheus to find Alertmanager")

    def _has_found_alertmanagers(self) -> bool:
        found = json.loads(ask(f"{self.url}/api/v1/alertmanagers").text)["data"]["activeAlertmanagers"]
        return len(found) == len(self._alertmanagers)

    def query(self, expression: str) -> list[tuple[Mapping[str, str], float]]:
        """Return labels and value of each series of ``expression``."""
        answer = ask(f"{self.url}/api/v1/query?query={quote(expression)}")
        result: dict[str, Any] = json.loads(answer.text)
        assert result["status"] == "success", result
        return [(series["metric"], float(series["value"][1])) for series in result["data"]["result"]]

    def targets(self, job: str) -> list[Mapping[str, str]]:
        """Return the labels of the targets of ``job``, including discovered ones, ordered by address."""
        answer = ask(f"{self.url}/api/v1/targets?state=active")
        found = [target for target in json.loads(answer.text)["data"]["activeTargets"] if target["scrapePool"] == job]
        return sorted(
            (target["discoveredLabels"] | target["labels"] for target in found),
            key=lambda target: target["__address__"],
        )

    def wait_for(self, expression: str, expected: object, of: str | None = None) -> None:
        """Wait until ``expression`` has the ``expected`` values, or values of the label ``of``, in order."""

        def look() -> bool:
            series = self.query(expression)
            return sorted(labels[of] if of else value for labels, value in series) == expected

        wait_until(look, f"{expression} to give {expected}, in Prometheus")
