"""Writes each dashboard as JSON beside this module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from . import exporter, imunify, kernelcare, licenses, overview
from .alerts import annotations_of_alerts

_SCHEMA_VERSION = 39  # of Grafana 10.4: later ones read it too, and nothing here needs more
FOLDER = Path(__file__).parent


def texts() -> dict[str, str]:
    """Return the JSON of each dashboard by the name of its file."""
    dashboards = [module.dashboard() for module in (overview, kernelcare, imunify, licenses, exporter)]
    return {f"{each.uid}.json": _text(each) for each in dashboards}


def _text(made: Dashboard) -> str:
    """Return the JSON of a dashboard, without what the SDK writes of one kind of variable into all."""
    document = json.loads(JSONEncoder().encode(made))
    document |= {"schemaVersion": _SCHEMA_VERSION, "annotations": {"list": annotations_of_alerts()}}
    for variable in document["templating"]["list"]:
        for only_of_intervals in ("auto", "auto_min", "auto_count"):
            variable.pop(only_of_intervals, None)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")
