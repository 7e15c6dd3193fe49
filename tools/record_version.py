"""``python -m tools.record_version``: record what this version writes, which later versions must read.

The directory ``tests/versions/X.Y.Z`` gets the configuration, the state directory and the JSON of an exporter of a
small simulated account and ePortal, for ``tests/scenarios/test_versions.py``. Run it once for each release: the files
are what its users have. ``--again`` replaces the files of a version that is not released yet.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cln_monitor import __version__
from cln_monitor.probes import ALL_PROBES, PROBES
from cln_monitor.simulator import Fault, Served, SimulatedKernel, Simulator, serve
from tests.helpers.package import ROOT
from tests.helpers.running import Exporter, running_exporter, wait_until
from tests.helpers.small_cln import KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, small_cln

VERSIONS = ROOT / "tests" / "versions"
ACCOUNT, EPORTAL = "acme", "dc1"
CVE = "CVE-2026-11111"
_DAY = 86400
_API = "/api/v1/observations"


class RecordingError(Exception):
    """The exporter gave an unexpected response, with the path and the response."""


def record(to: Path) -> None:
    """Write the files of this version to the directory `to`, which is replaced."""
    shutil.rmtree(to, ignore_errors=True)
    (to / "answers").mkdir(parents=True)
    cln = small_cln()
    _add_eportal(cln)
    with serve(cln) as served, tempfile.TemporaryDirectory() as directory:
        config, state = to / "cln-monitor.yml", Path(directory) / "state"
        config.write_text(_configuration(served), encoding="utf-8")
        (to / f"{EPORTAL}.key").write_text(f"{cln.eportal.api_key}\n", encoding="utf-8")
        private, key = (Path(shutil.copy(file, directory)) for file in (config, to / f"{EPORTAL}.key"))
        for file in (private, key):
            file.chmod(0o600)
        arguments = (f"--config.file={private}", f"--storage.path={state}")
        with running_exporter(Path(directory), *arguments) as exporter:
            exporter.wait_ready()
            _fail(cln, exporter)
            for name, path in _answers().items():
                answer = json.dumps(_read(exporter, path), indent=1, ensure_ascii=False)
                (to / "answers" / f"{name}.json").write_text(f"{answer}\n", encoding="utf-8")
        shutil.copytree(state, to / "state", ignore=shutil.ignore_patterns("*.lock"))


def _add_eportal(cln: Simulator) -> None:
    """Add three servers to the ePortal: one with the newest patch, one with the patch before, and one without any."""
    now = cln.now()
    kernel = cln.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(now - 30 * _DAY, ("fix-a", "N/A"))
    kernel.add_patch(now - 9 * _DAY, ("fix-b", CVE))
    key = cln.eportal.add_key("Pl4ntedServerKey1")
    for number, levels in enumerate(((1, 2), (1,), ())):
        loads = [(now - (29 if level == 1 else 8) * _DAY, level) for level in levels]
        cln.eportal.add_server(
            kernel, key, registered=now - 90 * _DAY, loads=loads, hostname=f"app{number}.example.net"
        )


def _configuration(served: Served) -> str:
    """Return the sample configuration with all probes, for the simulated account and ePortal that are `served`."""
    text = (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8")
    text = re.sub(r"(?m)^api_url: .*$", f"api_url: {served.url}", text)
    text = re.sub(r"(?m)^(patches:.*\n  url: ).*$", rf"\g<1>{served.patches_url}", text)
    text = text.replace("cves: []", f"cves: [{CVE}]")
    text = text.replace("enabled: false", "enabled: true ")
    text = text.replace("# products: [CELS, OELS", "products: [CELS, OELS").replace("UELS16, CELS_8, UELS18, ", "")
    text = text.replace("login: acme_login", f"login: {LOGIN}")
    credentials = f"secret_key: {SECRET_KEY}\n    registration_token: {REGISTRATION_TOKEN}\n"
    text = re.sub(r"(?m)^ +secret_key_file: .*\n", f"    {credentials}", text).lstrip()
    eportal = f"  - name: {EPORTAL}\n    url: {served.eportal_url}\n    api_key_file: {EPORTAL}.key\n"
    return f"{text}\neportals:\n{eportal}"


def _fail(cln: Simulator, exporter: Exporter) -> None:
    """Let the list of one key fail, so that a report has a missing part with earlier data."""
    cln.faults.add(Fault("html", match=KEY))
    exporter.ask(f"/probe?account={ACCOUNT}&probe=kernelcare")
    wait_until(lambda: _read(exporter, f"{_API}/{ACCOUNT}/kernelcare")["missing"], "the missing part")


def _answers() -> dict[str, str]:
    """Return the paths that plugins read, by the name of the file."""
    paths = {"index": _API}
    for name, probe in PROBES.items():
        paths[name] = f"{_API}/{ACCOUNT}/{name}" if probe.per_account else f"{_API}/{name}"
    return paths | {name: f"{_API}/{EPORTAL}/{name}" for name in ALL_PROBES if name not in PROBES}


def _read(exporter: Exporter, path: str) -> dict[str, object]:
    answer = exporter.ask(path)
    if answer.status != 200:
        raise RecordingError(f"{path}: HTTP {answer.status}: {answer.text}")
    value: dict[str, object] = json.loads(answer.text)
    return value


def main(arguments: Sequence[str]) -> int:
    """Record this version, unless it has been recorded and `arguments` lack ``--again``; return the exit code."""
    to = VERSIONS / __version__
    if to.exists() and "--again" not in arguments:
        sys.stderr.write(
            f"{to} exists: its users have these files; use --again to record an unreleased version again\n"
        )
        return 1
    record(to)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
