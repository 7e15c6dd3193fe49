"""An exporter of the demo's account in the process of the tests, whose data and clock do not change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult

from cln_monitor.cln import Redactor, SystemClock
from cln_monitor.exporter.demo import Demo
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.probes import Run
from tests.exporter.asking import ask
from tests.helpers.clock import FakeClock


class StandingClock(FakeClock, SystemClock):
    """A clock that begins at the time of the simulator's, which is the real one."""

    def __init__(self) -> None:
        FakeClock.__init__(self, SystemClock().time())
        SystemClock.__init__(self)


class DemoExporter:
    """The web application of an exporter; ``paths`` are those that were requested.

    ``is_away`` lets each request fail, as without a process that listens.
    """

    url = "http://exporter.example.net:10099"

    def __init__(self, service: Service, clock: StandingClock) -> None:
        self._app = make_app(service, WebOptions())
        self.service = service
        self.clock = clock
        self.paths: list[str] = []
        self.is_away = False

    def get(
        self, parts: SplitResult, path: str, seconds: float, headers: Mapping[str, str], **_: Any
    ) -> tuple[int, bytes]:
        """Return the response to a request, as `cln_monitor.checks.data.exporter.get` does."""
        del seconds, headers
        self.paths.append(path)
        if self.is_away:
            raise ConnectionRefusedError(111, "Connection refused")
        response = ask(self._app, parts.path + path)
        return response.status_code, response.content

    def run(self) -> list[Run[Any]]:
        """Run each probe once."""
        return [self.service.run(target) for target in self.service.targets.values()]


@contextmanager
def demo_exporter() -> Iterator[DemoExporter]:
    """Provide an exporter that has run each probe once."""
    clock = StandingClock()
    with Demo() as demo:
        service = Service(demo.config, Redactor(), clock)
        service._poller.start = lambda: None  # type: ignore[method-assign] # the tests run the probes
        service.start()
        exporter = DemoExporter(service, clock)
        exporter.run()
        clock.advance(200)
        try:
            yield exporter
        finally:
            targets = list(service.targets.values())
            service.stop()
            for target in targets:
                target.context.client.close()
