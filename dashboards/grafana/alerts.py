"""The alerts that fire in Prometheus: as a table, as numbers, and as annotations of all graphs.

They are read from the series ``ALERTS``, so neither Grafana Alerting nor an Alertmanager is required.
"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import stat, table

from cln_monitor.policy import Severity

from .panels import DATASOURCE, GOOD, SEVERITIES, number
from .tables import Column, rows

_OF_EXPORTERS = 'alertname=~"Cln.*",job=~"$job|",instance=~"$instance|",account=~"$account|"'
"""Includes alerts without an exporter or an account."""
_SOURCE = (
    "Alerts of cln.rules.yml that fire in this Prometheus, from the series ALERTS; alerts of several exporters count "
    "once. Always empty if Prometheus does not evaluate these rules."
)


def firing(more: str = "") -> str:
    """Return the firing alerts, merged over exporters."""
    return f'max without (job, instance) (ALERTS{{alertstate="firing",{_OF_EXPORTERS}{more}}})'


def _firing_of(word: str) -> str:
    return firing(f',severity="{word}"')


def firing_number(severity: Severity, size: tuple[int, int]) -> stat.Panel:
    """Return a panel with the number of firing alerts of a severity."""
    word, color = SEVERITIES[severity]
    return number(
        f"{word.capitalize()} alerts",
        f"Number of firing alerts of severity {word}. {_SOURCE}",
        f"count({_firing_of(word)})",
        ((None, GOOD), (1, color)),
        none="none",
        size=size,
    )


def firing_table(size: tuple[int, int]) -> table.Panel:
    """Return a table of the firing alerts, the most severe first."""
    order = {"critical": "1", "warning": "2", "info": "3"}
    found = f"count by (severity, alertname, account) ({firing()})"
    for severity, level in order.items():
        found = f'label_replace({found}, "level", "{level}", "severity", "{severity}")'
    return rows(
        "Alerts firing now",
        f"By severity, alert and account. {_SOURCE}",
        [found],
        [
            Column(
                "level", "Level", width=90, shown={order[word]: (word, color) for word, color in SEVERITIES.values()}
            ),
            Column("alertname", "Alert"),
            Column("account", "Account", width=80),
            Column("Value", "Count", width=85, right=True),
            Column("severity", "severity", hidden=True),
        ],
        size=size,
        none="No alerts firing",
        sort=[("Level", False)],
    )


def annotations_of_alerts() -> list[dict[str, Any]]:
    """Return the annotations of graphs: a region while an alert fires, in the color of its severity."""
    return [
        {
            "name": f"Firing: {word}",
            "datasource": {"type": DATASOURCE.type_val, "uid": DATASOURCE.uid},
            "enable": severity is not Severity.INFO,
            "hide": False,
            "iconColor": color,
            "expr": _firing_of(word),
            "step": "5m",
            "titleFormat": "{{alertname}}",
            "textFormat": "{{account}} {{key}} {{ip}}",
            "tagKeys": "severity",
            "useValueForTime": False,
        }
        for severity, (word, color) in SEVERITIES.items()
    ]
