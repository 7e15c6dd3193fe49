"""``python -m tools.kubernetes_chart``: write what the Helm chart and the image take from the rest of the project.

These are the alert rules and dashboards of the chart, which Helm reads only below the chart, the schema of its values,
and the version of the project in the chart and in the Containerfile.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from cln_monitor import __version__
from cln_monitor.config import config_schema

ROOT = Path(__file__).parents[1]
CHART = ROOT / "packaging" / "kubernetes" / "cln-exporter"
FILES = CHART / "files"
CONTAINERFILE = ROOT / "packaging" / "container" / "Containerfile"
DASHBOARDS = ROOT / "dashboards" / "grafana"
RULES = ROOT / "dashboards" / "prometheus" / "cln.rules.yml"

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}  # labels and annotations
_NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
_OPTIONAL_NAME: Schema = {"anyOf": [{"const": ""}, _NAME]}
_PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
_OBJECT: Schema = {"type": "object"}
_OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}


def _mapping(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_VALUES = _mapping(
    demo=_BOOLEAN,
    config=_OBJECT,
    secret=_mapping(name=_NAME, loginKey={"type": "string", "pattern": r"^[-._a-zA-Z0-9]+$"}),
    image=_mapping(
        repository={"type": "string", "minLength": 1},
        tag=_TEXT,
        pullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    ),
    imagePullSecrets=_OBJECTS,
    nameOverride=_TEXT,
    fullnameOverride=_TEXT,
    args={"type": "array", "items": {"type": "string", "pattern": "^--"}},
    env={"type": "array", "items": {"type": "object", "required": ["name"]}},
    storage=_mapping(existingClaim=_OPTIONAL_NAME, sizeLimit={"type": "string", "pattern": r"^[0-9]+(Ki|Mi|Gi)?$"}),
    service=_mapping(
        type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
        port=_PORT,
        annotations=_TEXTS,
    ),
    serviceAccount=_mapping(create=_BOOLEAN, name=_OPTIONAL_NAME, annotations=_TEXTS),
    resources=_mapping(requests=_OBJECT, limits=_OBJECT),
    podAnnotations=_TEXTS,
    podLabels=_TEXTS,
    nodeSelector=_TEXTS,
    tolerations=_OBJECTS,
    affinity=_OBJECT,
    priorityClassName=_OPTIONAL_NAME,
    serviceMonitor=_mapping(
        enabled=_BOOLEAN, interval={"type": "string", "pattern": r"^([0-9]+(ms|[smh]))+$"}, labels=_TEXTS
    ),
    prometheusRule=_mapping(enabled=_BOOLEAN, labels=_TEXTS),
    dashboards=_mapping(enabled=_BOOLEAN, labels=_TEXTS, annotations=_TEXTS),
)
_OF_HELM = {"global": {"type": "object"}}  # Helm adds these values when the chart is a dependency of another one


def values_schema() -> Schema:
    """Return the JSON schema of the values, with that of the configuration file, as plain values."""
    config = _without_lookaround(config_schema())
    definitions, draft = config.pop("definitions"), config.pop("$schema")
    properties = _VALUES["properties"] | _OF_HELM | {"config": config}
    return {
        "$schema": draft,
        "title": "Values of the chart cln-exporter",
        **_VALUES,
        "properties": properties,
        "definitions": definitions,
    }


def _without_lookaround(schema: Any) -> Any:
    """Return a schema without the patterns that Go, in which Helm is written, cannot read; the exporter checks them."""
    if isinstance(schema, dict):
        return {
            name: _without_lookaround(value)
            for name, value in schema.items()
            if not (name == "pattern" and isinstance(value, str) and re.search(r"\(\?[=!<]", value))
        }
    return [_without_lookaround(item) for item in schema] if isinstance(schema, list) else schema


def generated() -> dict[Path, str]:
    """Return the generated files and their texts."""
    chart = (CHART / "Chart.yaml").read_text("utf-8")
    chart = re.sub(r"(?m)^version: .*$", f"version: {__version__}", chart)
    chart = re.sub(r"(?m)^appVersion: .*$", f'appVersion: "{__version__}"', chart)
    image = re.sub(r"(?m)^ARG VERSION=.*$", f"ARG VERSION={__version__}", CONTAINERFILE.read_text("utf-8"))
    return {
        CHART / "Chart.yaml": chart,
        CHART / "values.schema.json": json.dumps(values_schema(), indent=2, ensure_ascii=False) + "\n",
        CONTAINERFILE: image,
        FILES / RULES.name: RULES.read_text("utf-8"),
        **{FILES / "dashboards" / file.name: file.read_text("utf-8") for file in sorted(DASHBOARDS.glob("*.json"))},
    }


def values() -> dict[str, Any]:
    """Return the default values of the chart."""
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return loaded


def chart_digest() -> str:
    """Return a digest of what Helm renders, except for the dashboards and rules, which it includes as they are."""
    files = [CHART / "Chart.yaml", CHART / "values.yaml", *sorted((CHART / "templates").iterdir())]
    texts = [f"{file.relative_to(CHART)}\n{file.read_text('utf-8')}" for file in files]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def main() -> None:
    """Write the generated files, and remove those that are no longer generated."""
    texts = generated()
    for file in FILES.rglob("*"):
        if file.is_file() and file not in texts:
            file.unlink()
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
