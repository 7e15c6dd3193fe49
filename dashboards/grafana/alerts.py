"""Alerts that fire in Prometheus: as a table, as a number, and as annotations of all graphs.

They are read as the series ``ALERTS``, so that neither Grafana's own alerting nor an Alertmanager is needed.
"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import stat, table

from cln_monitor.policy import Severity

from .panels import DATASOURCE, GOOD, SEVERITIES, number
from .tables import Column, rows

_OF_EXPORTERS = 'alertname=~"Cln.*",job=~"$job|",instance=~"$instance|",account=~"$account|"'
"""An alert may be of no exporter, or of no account."""
_HOW_MANY = (
    "Alerts of cln.rules.yml that fire in this Prometheus, from the series ALERTS, an alert of several exporters once. "
    "There are none where Prometheus does not evaluate these rules."
)


def firing(more: str = "") -> str:
    """Return each alert that fires, once for all exporters."""
    return f'max without (job, instance) (ALERTS{{alertstate="firing",{_OF_EXPORTERS}{more}}})'


def _firing_of(word: str) -> str:
    return firing(f',severity="{word}"')


def firing_number(severity: Severity, size: tuple[int, int]) -> stat.Panel:
    """Return how many alerts of a severity fire."""
    word, color = SEVERITIES[severity]
    return number(
        f"{word.capitalize()} alerts",
        f"How many alerts of severity {word} fire. {_HOW_MANY}",
        f"count({_firing_of(word)})",
        ((None, GOOD), (1, color)),
        none="none",
        size=size,
    )


def firing_table(size: tuple[int, int]) -> table.Panel:
    """Return the alerts that fire, the most severe first."""
    order = {"critical": "1", "warning": "2", "info": "3"}
    found = f"count by (severity, alertname, account) ({firing()})"
    for severity, level in order.items():
        found = f'label_replace({found}, "level", "{level}", "severity", "{severity}")'
    return rows(
        "Alerts firing now",
        f"By severity, alert and account. {_HOW_MANY}",
        [found],
        [
            Column(
                "level", "Level", width=90, shown={order[word]: (word, color) for word, color in SEVERITIES.values()}
            ),
            Column("alertname", "Alert"),
            Column("account", "Account", width=80),
            Column("Value", "How many", width=85, right=True),
            Column("severity", "severity", hidden=True),
        ],
        size=size,
        none="No alert fires",
        sort=[("Level", False)],
    )


def annotations_of_alerts() -> list[dict[str, Any]]:
    """Return the annotations of graphs: a mark for as long as an alert fires, by severity in its color."""
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
