"""A report in all its forms, each made when it is first requested."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec
from msgspec.structs import replace

from cln_monitor.probes import ProbeReport

from .query import FormQuery, Limits
from .selection import INDEXED, select
from .server_index import ServerIndex
from .summary import Encoded, Summary, summarize

_MOST_SUMMARIES = 8  # thresholds whose summaries are kept
_LARGEST_KEPT = 256 << 10  # bytes of a whole report that is kept; larger ones are requested rarely


class ReportForms:
    """The JSON of ``report``, without ages, in the form of a query. Thread-safe."""

    def __init__(self, report: ProbeReport) -> None:
        observation = report.observation and report.observation.undated()
        self._report = replace(report, observation=observation)
        self._lock = threading.Lock()
        self._whole: Encoded | None = None
        self._summaries: OrderedDict[Limits, Summary] = OrderedDict()
        self._index: ServerIndex | None = None

    def known(self, query: FormQuery, at: float) -> Encoded | None:
        """Return the JSON if little work is left for it, else None; ``at`` is the Unix time of a summary."""
        if query.is_summary:
            kept = self._summaries.get(query.limits)
            return kept.body if kept is not None and kept.valid_from < at < kept.valid_until else None
        return None if query.has_filters else self._whole

    def encoded(self, query: FormQuery, at: float) -> Encoded:
        """Return the JSON, which may take as long as a large fleet needs."""
        if query.has_filters:
            return Encoded(msgspec.json.encode(select(self._report, query, self._index_of_servers())))
        if not query.is_summary:
            return self._encode_whole()
        with self._lock:  # concurrent checks need the same summary
            body = self.known(query, at)
            if body is None:
                summary = summarize(self._report, query.limits, at)
                self._summaries[query.limits] = summary
                self._summaries.move_to_end(query.limits)
                while len(self._summaries) > _MOST_SUMMARIES:
                    self._summaries.popitem(last=False)
                body = summary.body
            return body

    def _encode_whole(self) -> Encoded:
        if self._whole is not None:
            return self._whole
        whole = Encoded(msgspec.json.encode(self._report))
        if len(whole.text) <= _LARGEST_KEPT:
            self._whole = whole
        return whole

    def _index_of_servers(self) -> ServerIndex | None:
        observation = self._report.observation
        if observation is None or self._report.probe not in INDEXED:
            return None
        with self._lock:
            if self._index is None:
                self._index = ServerIndex(observation)
            return self._index
