"""Write docs/alerts.md from the alert rules and the runbook: `python -m tools.alerts_page`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cln_monitor import policy
from tests.helpers.alert_rules import alerts_of, load_rules

PAGE = Path(__file__).parents[1] / "docs" / "alerts.md"
_RUNBOOK = PAGE.parent / "runbook.md"
_UNITS = {"m": "minutes", "h": "hours"}

ROWS = {
    "ClnAuthFailed": policy.AUTH_REFUSED,
    "ClnProbeFailing": policy.PROBE_FAILS,
    "ClnDataTooOld": policy.PROBE_FAILS,
    "ClnRateLimited": policy.RATE_LIMITED,
    "ClnDown": policy.CLN_UNREADABLE,
    "ClnExporterDown": policy.EXPORTER_DOWN,
    "ClnShardMissing": policy.SHARD_MISSING,
    "ClnStateNotWritten": policy.STATE_NOT_WRITTEN,
    "ClnTlsVerificationDisabled": policy.TLS_UNVERIFIED,
    "ClnClockSkew": policy.CLOCK_SKEW,
    "ClnSeriesDropped": policy.SERIES_DROPPED,
    "ClnAwpBillJumped": policy.AWP_JUMPED,
    "ClnConfigReloadFailed": policy.RELOAD_FAILED,
    "ClnServiceBad": policy.FLAG_BAD,
    "ClnRegistrationOverloaded": policy.FLAG_BAD,
    "ClnAnswerOdd": policy.ANSWER_CHANGED,
    "ClnServerStale": policy.SERVER_SILENT,
    "ClnServersLongStale": policy.MANY_LONG_SILENT,
    "ClnServersGone": policy.SERVER_GONE,
    "ClnKeyServersStale": policy.SERVER_SILENT,
    "ClnKeyAllServersStale": policy.KEY_SILENT,
    "ClnManyServersStale": policy.MANY_SILENT,
    "ClnServersNeverCheckedIn": policy.NEVER_CHECKED_IN,
    "ClnKeyFull": policy.KEY_FULL,
    "ClnKeyNearlyFull": policy.KEY_NEARLY_FULL,
    "ClnServersOutOfDate": policy.KERNEL_OUT_OF_DATE,
    "ClnServersUnsupported": policy.KERNEL_UNSUPPORTED,
    "ClnServersInactive": policy.KERNEL_INACTIVE,
    "ClnIpLicensesUnused": policy.LICENSE_UNUSED,
    "ClnServersBehind": policy.EPORTAL_OUTDATED,
    "ClnEportalServersSilent": policy.EPORTAL_SILENT,
}
"""The row of the policy that an alert reports. Alerts of several rows, or of none, are left out."""
_DELAYS = {"ClnDataTooOld": "4 intervals"}
"""Delays of alerts that have another one than their row."""

_HEAD = """# Alerts

[cln.rules.yml](../dashboards/prometheus/cln.rules.yml) has the alert rules, for Prometheus 2.42 or newer and for
[vmalert](vmalert.md). The [runbook](runbook.md) has a section for each alert. `python -m tools.alerts_page` writes this
page from both.

| alert | severity | fires after | meaning |
| --- | --- | --- | --- |
"""
_TAIL = """
## Install the rules

Copy `cln.rules.yml` to the directory of `prometheus.yml` and add it to `rule_files`;
[prometheus.yml](../dashboards/prometheus/prometheus.yml) shows how. ClnExporterDown expects the scrape job to be named
`cln`; the other alerts work with any name. Then check and reload:

```sh
promtool check rules /etc/prometheus/cln.rules.yml
systemctl reload prometheus
```

[alertmanager.yml](../dashboards/prometheus/alertmanager.yml) has the grouping and inhibition that fit the alerts: one
notification per alert and account; `info` alerts repeat every four days.

## How they behave

- Up to 25 silent servers have an alert each. If many servers of an account, or all servers of a key, fell silent
  within the last three days, a single critical alert fires instead. Servers that are gone for good or have registered
  again are one alert of severity `info`.
- A server is judged as of the time it was last polled. An outage of CLN is one alert about CLN, and none about servers.
- Restarting the exporter does not cause alerts to fire or to be sent again.
- Without per-server series (`server_series: false`) alerts name keys and numbers instead of servers.
- An alert resolves 5 minutes after its condition clears (ClnServerStale: 20 minutes; ClnExporterDown: immediately).

## Silence one server

```sh
amtool --alertmanager.url=http://127.0.0.1:9093 silence add -d 7d -c 'being replaced' \\
    alertname=ClnServerStale ip=192.0.2.1
```

In Nagios or Icinga, schedule a downtime of the service.

Other useful labels are `account`, `key` (masked, as the alert shows it), `probe` and `server_id`. To stop monitoring a
server for good, remove it from CLN: `clntool servers prune` finds servers that are gone.

## Change a threshold

- `stale_after` is set in the configuration of the exporter, per probe or per account; the rules read it from a metric.
- All other thresholds are numbers in the rules, marked `# threshold: NAME`. The top of `cln.rules.yml` lists them.
- Change the address of the runbook in all alerts at once with the `sed` command at the top of `cln.rules.yml`.

The files `cln.rules*.test.yml` next to the rules show when each alert fires. After a change, run `promtool test rules`
with them.
"""


def _meaning(name: str, runbook: str) -> str:
    """Return the first sentence of the section of the alert ``name``, after its bold introduction."""
    section = runbook.split(f"\n## {name}\n")[1].split("\n## ", maxsplit=1)[0]
    paragraph = " ".join(section.strip().split("\n\n", maxsplit=1)[0].split())
    sentence = re.split(r"(?<=\.) (?=[A-Z`\[])", re.sub(r"^\*\*[^*]+\*\* ", "", paragraph))[0]
    return sentence.replace("](#", "](runbook.md#")


def _delay(name: str, rule: Mapping[str, Any]) -> str:
    """Return how long the condition of the alert ``name`` has to last: by the policy, else the ``for`` of its rule."""
    if name in _DELAYS:
        return _DELAYS[name]
    since = ROWS[name].since.removesuffix(" for alerts") if name in ROWS else ""
    if re.match(r"\d+ (?:runs|minutes|hours|days)|`stale_after`", since):
        return since
    return re.sub(r"[mh]$", lambda unit: f" {_UNITS[unit[0]]}", rule["for"])


def render() -> str:
    """Return the page."""
    runbook = _RUNBOOK.read_text(encoding="utf-8")
    lines = []
    for name, rule in alerts_of(load_rules()).items():
        severity = " or ".join(re.findall(r"critical|warning|info", rule["labels"]["severity"]))
        cells = (f"[{name}](runbook.md#{name.lower()})", severity, _delay(name, rule), _meaning(name, runbook))
        lines.append(f"| {' | '.join(cells)} |\n")
    return _HEAD + "".join(lines) + _TAIL


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
