"""The alerts about a fault of the ePortal or of the patch server that lasts for a day, by promtool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tests.exporter.parsing import Samples
from tests.helpers import promtool

from .eportal import NAME
from .eportal_cases import EportalCase
from .eportal_effects import EportalEffects

ALERTS = (
    *("ClnAnswerOdd", "ClnAuthFailed", "ClnCveNotFixed", "ClnDataTooOld", "ClnEportalServersSilent"),
    *("ClnProbeFailing", "ClnRateLimited", "ClnServersBehind"),
)
"""The alerts that may be about an ePortal."""

INTERVAL = 15 * 60
"""Seconds between two scrapes, and between two runs of the probe."""
_READ = r"cln_(?:probe_(?!duration).*|eportal_servers|cve_servers)"
_WELL, _HOURS = 4, 26  # scrapes before the fault; hours until the alerts are looked at, longer than any of them waits
_STEPS = _HOURS * 3600 // INTERVAL
_MAX_AGE = 4  # scrapes with the last data, which are then an hour old
_ACCOUNT = f'account="{NAME}"'
_TARGET = {"job": "cln", "instance": "x:10099"}


def story_of(faults: Mapping[str, tuple[EportalCase, EportalEffects]], well: tuple[float, Samples]) -> promtool.Story:
    """Return promtool's test that exactly the expected alerts fire; ``well`` are a time and the samples of then.

    Faults whose samples look the same to the rules are one account of the test, with the names of all of them.
    """
    now, before = well
    alike: dict[tuple[str, str], tuple[list[str], Sequence[tuple[str, str]]]] = {}
    for name, (case, effects) in faults.items():
        series = sorted(_series(case, _of_eportal(before), _of_eportal(effects.samples), now))
        alike.setdefault((case.alert, repr(series)), ([], series))[0].append(name)
    accounts = [(alert, ", ".join(names), series) for (alert, _), (names, series) in alike.items()]
    query = f'count by (alertname, account) (ALERTS{{alertstate="firing",alertname=~"{"|".join(ALERTS)}"}})'
    fires = [f'{{alertname="{alert}", account="{names}"}}' for alert, names, _ in accounts if alert]
    return {
        "interval": f"{INTERVAL}s",
        "input_series": [
            {"series": name.replace(_ACCOUNT, f'account="{names}"'), "values": values}
            for _, names, series in accounts
            for name, values in series
        ],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": f"{_HOURS}h",
                "exp_samples": [{"labels": labels, "value": 1} for labels in fires],
            }
        ],
    }


def _of_eportal(samples: Samples) -> Mapping[tuple[str, str], float]:
    """Return the samples of the ePortal that rules read, by name and by name with labels."""
    found = {}
    for (name, pairs), value in samples.items():
        labels = dict(pairs)
        if labels.get("account") == NAME and re.fullmatch(_READ, name):
            text = ",".join(f'{label}="{item}"' for label, item in sorted((labels | _TARGET).items()))
            found[name, f"{name}{{{text}}}"] = value
    return found


def _series(
    case: EportalCase, before: Mapping[tuple[str, str], float], during: Mapping[tuple[str, str], float], now: float
) -> Iterator[tuple[str, str]]:
    """Yield each series with its values: those ``before`` the fault, then those ``during`` it, scrape by scrape."""
    for key in before.keys() | during.keys():
        name, series = key
        old, new = before.get(key), during.get(key)
        values = [_value(name, old, step, now) for step in range(_WELL)]
        for step in range(_WELL, _STEPS + 1):
            if case.reason and step > _WELL + _MAX_AGE and not name.startswith("cln_probe_"):
                values.append("_")
            elif case.reason and name == "cln_probe_last_success_timestamp_seconds":
                values.append(values[_WELL - 1])
            elif name == "cln_probe_failures_total" and f'reason="{case.reason}"' in series:
                values.append(str(step - _WELL + 1))
            else:
                values.append(_value(name, new, step, now))
        yield series, " ".join(values)


def _value(name: str, value: float | None, step: int, now: float) -> str:
    if value is None:
        return "_"
    if name == "cln_probe_failures_total":  # it has also grown in the faults before
        return "0"
    if name.endswith("_timestamp_seconds"):
        return str(round((value - now) / INTERVAL) * INTERVAL + step * INTERVAL)
    return f"{value:g}"
