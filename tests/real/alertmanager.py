"""A real Alertmanager with the shipped example configuration, and a webhook that records its messages."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.helpers import servers
from tests.helpers.running import Program, ask, free_port, wait_until

SHIPPED = Path(__file__).parents[2] / "dashboards" / "prometheus"

_WAIT = re.compile(r"^( *(?:for|keep_firing_for|group_wait|group_interval): )(\d+)([mh])$", re.MULTILINE)
_FASTER = 100
_MILLISECONDS = {"m": 60_000, "h": 3_600_000}


def hurried(text: str) -> str:
    """Return shipped rules, or the shipped example of Alertmanager, with all waits divided by 100."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * _MILLISECONDS[found[3]] // _FASTER}ms"

    shortened, count = _WAIT.subn(shorter, text)
    assert count, text
    return shortened


@dataclass(frozen=True)
class ReceivedAlert:
    """An alert in a message to the webhook; ``status`` is ``firing`` or ``resolved``."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def name(self) -> str:
        """The name of the alert."""
        return self.labels["alertname"]


class Webhook:
    """Listens at ``url``, and records each alert of each message, oldest first."""

    def __init__(self) -> None:
        self.alerts: list[ReceivedAlert] = []
        alerts = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in message["alerts"]:
                    alerts.append(ReceivedAlert(alert["status"], alert["labels"], alert["annotations"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, status: str, name: str, since: int = 0, **labels: str) -> ReceivedAlert:
        """Return the first alert with that name, status and ``labels``, after the first ``since`` alerts."""

        def look() -> list[ReceivedAlert]:
            return [
                received
                for received in self.alerts[since:]
                if (received.status, received.name) == (status, name) and labels.items() <= received.labels.items()
            ]

        return wait_until(look, f"{name} {labels} as {status}, at the webhook")[0]


class Alertmanager(Program):
    """Sends its alerts to ``webhook`` with the shipped example and short waits; its files are in ``directory``."""

    def __init__(self, directory: Path, webhook: str) -> None:
        text = hurried((SHIPPED / "alertmanager.yml").read_text())
        receiver = "http://127.0.0.1:9095/"
        assert text.count(receiver) == 1
        config = directory / "alertmanager.yml"
        config.write_text(text.replace(receiver, webhook))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(
            [
                servers.path("prometheus-alertmanager"),
                f"--config.file={config}",
                f"--storage.path={directory / 'alertmanager'}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",  # it gossips on all addresses by default
            ],
            directory / "alertmanager.log",
        )
        try:
            wait_until(self._is_ready, "Alertmanager to be ready")
        except BaseException:
            self.stop()
            raise

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return ask(f"http://{self.address}/-/ready").status == 200
        return False
