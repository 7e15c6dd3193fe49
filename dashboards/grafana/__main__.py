"""Write each dashboard as JSON to the directory of this module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from . import exporter, imunify, kernelcare, licenses, overview, patches
from .alerts import annotations_of_alerts

_SCHEMA_VERSION = 39  # of Grafana 10.4; later versions read it as well
DIRECTORY = Path(__file__).parent


def texts() -> dict[str, str]:
    """Return the JSON of each dashboard by file name."""
    dashboards = [module.dashboard() for module in (overview, kernelcare, imunify, licenses, patches, exporter)]
    return {f"{dashboard.uid}.json": _text(dashboard) for dashboard in dashboards}


def _text(dashboard: Dashboard) -> str:
    """Return the JSON of a dashboard without the interval options that the SDK adds to all kinds of variables."""
    document = json.loads(JSONEncoder().encode(dashboard))
    document |= {"schemaVersion": _SCHEMA_VERSION, "annotations": {"list": annotations_of_alerts()}}
    for variable in document["templating"]["list"]:
        for only_of_intervals in ("auto", "auto_min", "auto_count"):
            variable.pop(only_of_intervals, None)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in texts().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{DIRECTORY / name}\n")
