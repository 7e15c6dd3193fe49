"""``python -m tools.record_version``: record what this version writes, which later versions must read.

The directory ``tests/versions/X.Y.Z`` gets the configuration, the state directory and the JSON of an exporter of a
small simulated account, for ``tests/scenarios/test_versions.py``. Run it once for each release: the files are what its
users have. ``--again`` replaces the files of a version that is not released yet.
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
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.package import ROOT
from tests.helpers.running import Exporter, running_exporter, wait_until
from tests.helpers.small_cln import KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, small_cln

VERSIONS = ROOT / "tests" / "versions"
ACCOUNT = "acme"
_API = "/api/v1/observations"


class RecordingError(Exception):
    """The exporter gave an unexpected response, with the path and the response."""


def record(to: Path) -> None:
    """Write the files of this version to the directory `to`, which is replaced."""
    shutil.rmtree(to, ignore_errors=True)
    (to / "answers").mkdir(parents=True)
    cln = small_cln()
    with serve(cln) as served, tempfile.TemporaryDirectory() as directory:
        config, state = to / "cln-monitor.yml", Path(directory) / "state"
        config.write_text(_configuration(served.url), encoding="utf-8")
        private = Path(shutil.copy(config, directory))
        private.chmod(0o600)
        arguments = (f"--config.file={private}", f"--storage.path={state}")
        with running_exporter(Path(directory), *arguments) as exporter:
            exporter.wait_ready()
            _fail(cln, exporter)
            for name, path in _answers().items():
                answer = json.dumps(_read(exporter, path), indent=1, ensure_ascii=False)
                (to / "answers" / f"{name}.json").write_text(f"{answer}\n", encoding="utf-8")
        shutil.copytree(state, to / "state", ignore=shutil.ignore_patterns("*.lock"))


def _configuration(api_url: str) -> str:
    """Return the sample configuration with all probes, for the simulated account at `api_url`."""
    text = (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8")
    text = re.sub(r"(?m)^api_url: .*$", f"api_url: {api_url}", text)
    text = text.replace("enabled: false", "enabled: true ")
    text = text.replace("# products: [CELS, OELS", "products: [CELS, OELS").replace("UELS16, CELS_8, UELS18, ", "")
    text = text.replace("login: acme_login", f"login: {LOGIN}")
    credentials = f"secret_key: {SECRET_KEY}\n    registration_token: {REGISTRATION_TOKEN}\n"
    return re.sub(r"(?m)^ +secret_key_file: .*\n", f"    {credentials}", text).lstrip()


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
    return paths


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
