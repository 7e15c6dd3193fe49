"""Write docs/metrics.md from the families of the exporter: `python -m tools.metrics_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.metrics.families import POLLED, POLLED_FROM_EPORTAL
from cln_monitor.exporter.self_metrics import SelfMetrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

_SECTIONS = {
    "cln_status_": "CLN status",
    "cln_kernelcare_": "KernelCare",
    "cln_imunify_": "Imunify",
    "cln_patch_": "Patch status",
    "cln_ip_": "IP licenses",
    "cln_els_": "Extended Lifecycle Support",
    "cln_cloudlinux_": "CloudLinux OS",
    "cln_group_": "Groups",
    "cln_awp_": "AccelerateWP",
    "cln_eportal_": "ePortals",
    "cln_cve_": "CVE coverage",
    "cln_probe_": "Probes",
    "cln_api_": "API requests",
    "cln_exporter_": "Exporter",
}
"""The title of the section of each prefix, in the order of the page."""
_OTHER_SECTIONS = {"cln_patch_built_timestamp_seconds": "cln_eportal_"}
_HEAD = """# Metrics

All metrics of `cln-exporter` at `/metrics`. `python -m tools.metrics_page` writes this page from their HELP texts.

- All are gauges unless the name is followed by another type. `_bucket` series have no type: they are the buckets of a
  gauge histogram, which the text format cannot express. Query them without `rate`.
- Metrics about an account have the label `account`. `key` is the license key, masked unless `key_labels: full` is set.
- The data are polled. `cln_probe_last_success_timestamp_seconds` shows their age.
- The usual `process_*` and `python_*` metrics are exposed as well.
- Names and labels are stable: a change is announced as breaking in the [changelog](../CHANGELOG.md).

[Sizing](sizing.md#series) has the number of series per metric.
"""


class _Metric(NamedTuple):
    """A row of the page."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str

    def __str__(self) -> str:
        kind = f" ({self.kind})" if self.kind else ""
        return f"| `{self.name}`{kind} | {', '.join(f'`{label}`' for label in self.labels)} | {self.help} |\n"


def _metrics() -> Iterator[_Metric]:
    """Yield the metrics in the order of the exposition."""
    for family in ALL_FAMILIES:
        text = family.help.removesuffix(POLLED).removesuffix(POLLED_FROM_EPORTAL)
        yield _Metric(family.name, "", family.labels, text.strip())
    for own, names in SelfMetrics().registry._collector_to_names.items():  # noqa: SLF001 # the only list of them
        if names and names[0].startswith("cln_"):
            assert isinstance(own, MetricWrapperBase)  # noqa: S101 # for the type checker
            is_counter = own._type == "counter"  # noqa: SLF001
            name = f"{names[0]}_total" if is_counter else names[0]
            kind = "" if own._type == "gauge" else f"{own._type}"  # noqa: SLF001
            yield _Metric(name, kind, tuple(own._labelnames), own._documentation)  # noqa: SLF001


def render() -> str:
    """Return the page."""
    sections: dict[str, list[_Metric]] = {prefix: [] for prefix in _SECTIONS}
    for metric in _metrics():
        prefix = _OTHER_SECTIONS.get(metric.name, "_".join(metric.name.split("_")[:2]) + "_")
        sections[prefix].append(metric)
    return _HEAD + "".join(
        f"\n## {_SECTIONS[prefix]}\n\n| metric | labels | meaning |\n| --- | --- | --- |\n{''.join(map(str, metrics))}"
        for prefix, metrics in sections.items()
    )


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
