"""Judge services with the code of the plugins: the same state, text, and perfdata, without a process for each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace

import structlog

from cln_monitor.checks.outcome import CheckOutcome, run_check
from cln_monitor.checks.output import lay_out
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.states import State

from .exporter_reader import ExporterReader
from .key_services import KeyServices
from .result import FeedResult
from .services import Service

_log = structlog.get_logger(__name__)


class Judge:
    """Judges ``services`` by the data of an exporter, a round at a time. Not thread-safe."""

    def __init__(
        self, services: Iterable[Service], reader: ExporterReader, known_keys: KeyServices | None = None
    ) -> None:
        self.reader = reader
        self._services = [replace(service, options=self._bound(service)) for service in services]
        self.key_services = known_keys or KeyServices()
        self.key_services.keep_only(self._services)
        self._secrets: list[str] = []
        self._logged: set[str] = set()

    def _bound(self, service: Service) -> argparse.Namespace:
        """Return the options of ``service`` as for a plugin with ``--exporter``, which the reader reads instead."""
        return argparse.Namespace(
            **{
                **vars(service.options),
                "exporter": self.reader.url,
                "timeout": self.reader.timeout,
                "exporter_source": self.reader,
            }
        )

    def judge_all(self, now: float) -> list[FeedResult]:
        """Return a result for each service, by data of this moment; ``now`` is the Unix time.

        A service per license key has one for each key. Of services of one name, the first counts.
        """
        self.reader.start_round()
        self._secrets = self.reader.secrets
        self._logged.clear()
        self.key_services.start_round()
        results: dict[tuple[str, str], FeedResult] = {}
        for result in self._results(now):
            results.setdefault((result.host, result.service), result)
        return list(results.values())

    def _results(self, now: float) -> Iterator[FeedResult]:
        for service in self._services:
            if not service.per_key:
                yield self._judge(service, now)
                continue
            current, removed = self.key_services.update(service)
            for one in current:
                yield self._judge(one, now)
            for one in removed:
                yield _result(
                    one, PluginExit(), CheckOutcome(State.UNKNOWN, f"key {one.key} is no longer in CLN", _REMOVE)
                )

    def services_now(self) -> list[Service]:
        """Return the services with one for each license key that CLN has now, of each name the first.

        Raises CheckError or NoResponseError if the exporter has to be read for keys and cannot be.
        """
        self.reader.start_round()
        found: dict[tuple[str, str], Service] = {}
        for service in self._services:
            for one in self.key_services.current(service) if service.per_key else [service]:
                found.setdefault((one.host, one.service), one)
        return list(found.values())

    def _judge(self, service: Service, now: float) -> FeedResult:
        exit_ = PluginExit()
        try:
            for secret in self._secrets:
                exit_.hide(secret)
            outcome = run_check(service.plugin, service.options, exit_, now)
            return _result(service, exit_, outcome)
        except Exception as error:  # noqa: BLE001 # UNKNOWN with the error, as a plugin ends
            text = exit_.text_of(error)
            if text not in self._logged:  # thousands of services may read the same report
                self._logged.add(text)
                _log.exception("internal error", host=service.host, service=service.service)
            return _result(service, exit_, CheckOutcome(State.UNKNOWN, text))


_REMOVE = ("This is the last result of this service: remove it from the monitoring.",)


def _result(service: Service, exit_: PluginExit, outcome: CheckOutcome) -> FeedResult:
    output = lay_out(*outcome, exit_.redacted)
    return FeedResult(
        service.host, service.service, int(outcome.state), output.text, output.perfdata, service.plugin.name
    )
