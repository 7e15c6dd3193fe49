"""The Helm chart: what it takes from the project, its values, and its rendered manifests, which Helm has written.

`make test-packages` renders them again and validates them against the schemas of Kubernetes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cln_monitor.config import make_config
from cln_monitor.exporter.options import make_parser
from tests.helpers.package import ROOT
from tools.kubernetes_chart import CHART, FILES, chart_digest, generated, values, values_schema

GOLDEN = ROOT / "tests" / "golden" / "chart"
EVERYTHING = Path(__file__).parent / "everything.yml"


@pytest.mark.parametrize("file", sorted(generated()), ids=lambda file: file.name)
def test_a_generated_file(file: Path) -> None:
    """The file has what `python -m tools.kubernetes_chart` makes of the rest of the project."""
    assert file.read_text("utf-8") == generated()[file], "run python -m tools.kubernetes_chart"


def test_no_other_files() -> None:
    """The chart has no file that is not generated any more."""
    assert {file for file in FILES.rglob("*") if file.is_file()} <= set(generated())


def problems(document: object) -> list[str]:
    """Return the locations of values that the schema rejects."""
    schema = values_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return [error.json_path for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


def test_the_values_are_valid() -> None:
    """The schema accepts the default values, and those with everything enabled, and knows each of them."""
    everything = yaml.safe_load(EVERYTHING.read_text("utf-8"))
    assert problems(values()) == problems(values() | everything) == []
    assert set(values_schema()["properties"]) == {*values(), "global"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("replicas: 2", "$"),
        ("demo: 'yes'", "$.demo"),
        ("args: [log.level=debug]", "$.args[0]"),
        ("args: --log.level=debug", "$.args"),
        ("secret: {name: Cln_Exporter}", "$.secret.name"),
        ("secret: {secretKey: s3cret}", "$.secret"),
        ("service: {port: 70000}", "$.service.port"),
        ("serviceMonitor: {enabled: true, interval: 60}", "$.serviceMonitor.interval"),
        ("dashboards: {labels: {grafana_dashboard: 1}}", "$.dashboards.labels.grafana_dashboard"),
        ("storage: {sizeLimit: big}", "$.storage.sizeLimit"),
        ("config: {accounts: []}", "$.config"),
        ("config: {acounts: [{name: a, login: b, secret_key_env: C}]}", "$.config"),
        ("config: {accounts: [{name: a, secret_key_env: C}]}", "$.config.accounts[0]"),
        ("config: {accounts: [{name: a, login: b}]}", "$.config.accounts[0]"),
        ("config: {concurrency: 0, accounts: [{name: a, login: b, secret_key_env: C}]}", "$.config.concurrency"),
    ],
)
def test_values_that_are_rejected(text: str, place: str) -> None:
    """A misspelled or impossible value is an error of Helm, before anything is installed."""
    assert place in problems(values() | yaml.safe_load(text))


def test_the_default_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter accepts the default configuration."""
    monkeypatch.setenv("CLN_LOGIN", "someone")
    config = make_config(values()["config"], Path("/etc/cln-monitor"), with_secrets=False)
    assert config.login_of(config.accounts[0]).reveal() == "someone"


def rendered(name: str) -> dict[str, Any]:
    """Return the rendered objects by kind."""
    documents = yaml.safe_load_all((GOLDEN / f"{name}.yml").read_text("utf-8"))
    return {document["kind"]: document for document in documents if document}


@pytest.fixture(params=["defaults", "demo", "everything"])
def objects(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The rendered objects of some values."""
    return rendered(request.param)


def pod(objects: dict[str, Any]) -> dict[str, Any]:
    """Return the specification of the pod."""
    found: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]
    return found


def test_the_rendered_manifests_are_those_of_the_chart() -> None:
    """The chart has not changed since Helm rendered the manifests."""
    written = (GOLDEN / "digest").read_text("ascii").strip()
    assert written == chart_digest(), "run pytest tests/packages/containers/test_chart.py --update-golden"


def test_the_pod_security_standard(objects: dict[str, Any]) -> None:
    """The pod satisfies the restricted Pod Security Standard, and its root file system is read-only."""
    spec = pod(objects)
    of_pod, (container,) = spec["securityContext"], spec["containers"]
    of_container = container["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] == of_pod["runAsGroup"] == of_pod["fsGroup"] == 65534
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert {next(iter(set(volume) - {"name"})) for volume in spec["volumes"]} <= {
        *("configMap", "secret", "emptyDir", "persistentVolumeClaim")
    }
    assert spec["automountServiceAccountToken"] is objects["ServiceAccount"]["automountServiceAccountToken"] is False


def test_the_probes(objects: dict[str, Any]) -> None:
    """Restarts depend on /-/healthy alone, and readiness on /-/ready."""
    (container,) = pod(objects)["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/-/healthy", "liveness": "/-/healthy", "readiness": "/-/ready"}
    (port,) = container["ports"]
    assert {container[f"{name}Probe"]["httpGet"]["port"] for name in paths} == {port["name"]} == {"http"}
    assert port["containerPort"] == 10099


def test_the_arguments(objects: dict[str, Any]) -> None:
    """The exporter accepts the arguments, and each path in them is in a volume."""
    spec = pod(objects)
    (container,) = spec["containers"]
    options = make_parser().parse_args(container["args"])
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert {volume["name"] for volume in spec["volumes"]} == set(mounts.values())
    assert mounts[str(options.storage_path.parent)] == "state"
    if not options.demo:
        assert mounts[str(options.config_file.parent)] == "config"
        (name,) = objects["ConfigMap"]["data"]
        assert name == options.config_file.name


def test_the_secret(objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Secret is only referred to, and mounted where the configuration reads it, with an accepted mode."""
    spec = pod(objects)
    assert "Secret" not in objects
    found = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    if "ConfigMap" not in objects:
        assert found == []
        return
    assert [secret["defaultMode"] for secret in found] == [0o440]
    monkeypatch.setenv("CLN_LOGIN", "someone")
    document = yaml.safe_load(objects["ConfigMap"]["data"]["cln-monitor.yml"])
    config = make_config(document, Path("/etc/cln-monitor"), with_secrets=False)
    (container,) = spec["containers"]
    (mounted,) = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secret"]
    for account in config.accounts:
        assert account.secret_key_file is not None
        assert str(Path(account.secret_key_file).parent) == mounted
    assert {variable["name"] for variable in container["env"]} >= {"CLN_LOGIN"}


def test_the_service_selects_the_pod(objects: dict[str, Any]) -> None:
    """The Service, and a ServiceMonitor, select the pod and the Service by their labels."""
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    service = objects["Service"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert objects["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    if monitor := objects.get("ServiceMonitor"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_labels_of_a_scrape() -> None:
    """A ServiceMonitor sets the job that the alert ClnExporterDown names, and an instance that outlives a pod."""
    objects = rendered("everything")
    (endpoint,) = objects["ServiceMonitor"]["spec"]["endpoints"]
    labels = {rule["targetLabel"]: rule["replacement"] for rule in endpoint["relabelings"]}
    (port,) = objects["Service"]["spec"]["ports"]
    assert labels == {
        "job": "cln",
        "instance": f"{objects['Service']['metadata']['name']}.monitoring.svc:{port['port']}",
    }
    assert 'up{job="cln"' in (FILES / "cln.rules.yml").read_text("utf-8").replace(" ", "")


def test_large_numbers_of_a_configuration() -> None:
    """A number of a million or more is not rendered with an exponent, which YAML reads as a string."""
    document = yaml.safe_load(rendered("everything")["ConfigMap"]["data"]["cln-monitor.yml"])
    assert document["max_server_series"] == 2_000_000
    assert (CHART / "templates" / "configmap.yaml").exists()


def test_the_values_of_the_documentation() -> None:
    """The values in docs/containers.md are valid."""
    blocks = re.findall(r"(?ms)^```yaml\n(.*?)^```$", (ROOT / "docs" / "containers.md").read_text("utf-8"))
    assert [problems(values() | yaml.safe_load(block)) for block in blocks] == [[]]
