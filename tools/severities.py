"""Write docs/severities.md from `cln_monitor.policy` with `python -m tools.severities`."""

from __future__ import annotations

from pathlib import Path

from cln_monitor import policy

PAGE = Path(__file__).parents[1] / "docs" / "severities.md"
_HEAD = """# Severities

What is a problem, how bad it is, and from when on. The status page and the defaults of the plugins follow this table;
the alert rules and the dashboards are compared with it. `python -m tools.severities` writes this page from
`cln_monitor/policy.py`.

- `critical` is CRITICAL in the plugins, `warning` is WARNING, and `info` is OK with a phrase on the first line.
- "For alerts" is how long a fact has to last before its alert fires; the page and the plugins show it at once.
- `stale_after` is that of the probe in the configuration. A plugin takes it from `--config` or `--exporter`.
- An option replaces the row it names: with `-w` or `-c` all silence is judged by those ranges, with `--limit-warning`
  the use of limits, and with `--key` a disabled key is judged like any other.
- A superseded server, or one of a disabled key, counts in that row alone. A server is superseded when its address has a
  single fresh registration that was made after its last check-in; an address with several is shared, as by NAT.

| what | severity | from |
| --- | --- | --- |
"""


def render() -> str:
    """Return the page."""
    return _HEAD + "".join(
        f"| {row.fact} | {row.severity.word if row.severity is not None else 'none'} | {row.since} |\n"
        for row in policy.TABLE
    )


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
