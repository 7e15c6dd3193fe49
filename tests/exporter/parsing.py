"""Parses expositions with ``prometheus_client``, with additional checks for duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

_parse_text: Callable[[str], Iterable[Metric]] = text_string_to_metric_families
_parse_openmetrics: Callable[[str], Iterable[Metric]] = openmetrics_parser.text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name and labels."""


def parse(text: str) -> Samples:
    """Return all samples of ``text`` in the text format; duplicate series or families are an error."""
    return _samples(text, _parse_text)


def parse_openmetrics(text: str) -> Samples:
    """Return all samples of ``text`` in the OpenMetrics format, which must end with # EOF."""
    assert text.endswith("\n# EOF\n")
    assert text.count("\n# EOF\n") == 1
    return _samples(text, _parse_openmetrics)


def _samples(text: str, parser: Callable[[str], Iterable[Metric]]) -> Samples:
    families = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert len(families) == len(set(families)), "a family has two TYPE lines"
    samples = [sample for family in parser(text) for sample in family.samples]
    keys = Counter((sample.name, frozenset(sample.labels.items())) for sample in samples)
    assert [key for key, count in keys.items() if count > 1] == []
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
