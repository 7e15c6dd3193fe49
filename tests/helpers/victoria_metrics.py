"""A real VictoriaMetrics on a loopback port, with remote write, scrapes and queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from tests.helpers import servers
from tests.helpers.running import Program, ask, free_port, wait_until


class VictoriaMetrics(Program):
    """Stores the samples sent to ``write_url``, and those of ``targets``, which it scrapes each second as job ``cln``.

    All its files are in ``directory``.
    """

    def __init__(self, directory: Path, targets: Sequence[str] = ()) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        self.write_url = f"{self.url}/api/v1/write"
        scrape = {"job_name": "cln", "static_configs": [{"targets": list(targets)}]}
        config = directory / "scrape.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
        super().__init__(
            [
                servers.path("victoria-metrics"),
                f"-httpListenAddr={address}",
                f"-storageDataPath={directory / 'victoria-metrics'}",
                *([f"-promscrape.config={config}"] if targets else []),
                "-search.latencyOffset=0s",  # by default it hides what is younger than 30 s
            ],
            directory / "victoria-metrics.log",
        )
        self.wait_for_log("started server at|started VictoriaMetrics in")

    def query(self, expression: str) -> list[float]:
        """Return the current values of ``expression`` in ascending order."""
        return sorted(value for _, value in self.series(expression))

    def series(self, expression: str) -> list[tuple[Mapping[str, str], float]]:
        """Return labels and value of each series of ``expression``."""
        answer = json.loads(ask(f"{self.url}/api/v1/query?nocache=1&query={quote(expression)}").text)
        assert answer["status"] == "success", answer
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def between(self, expression: str, start: float, end: float) -> list[float]:
        """Return the value of the only series of ``expression`` for each second from ``start`` to ``end``."""
        query = f"query={quote(expression)}&start={start}&end={end}&step=1s&nocache=1"
        answer = json.loads(ask(f"{self.url}/api/v1/query_range?{query}").text)
        (series,) = answer["data"]["result"]
        return [float(value) for _, value in series["values"]]

    def wait_for(self, expression: str, expected: list[float]) -> None:
        """Wait until ``expression`` has the ``expected`` values."""
        wait_until(lambda: self.query(expression) == expected, f"{expression} to give {expected}, in VictoriaMetrics")
