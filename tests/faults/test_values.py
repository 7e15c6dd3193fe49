"""Invalid values of each field that a check uses, with plugins that query CLN and a running exporter.

A value that is not understood must never lead to OK on any surface.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cln_monitor.simulator import Simulator, serve
from cln_monitor.simulator.answers import SimulatedAnswer
from tests.checks.inside import run_in_process
from tests.checks.running import Outcome
from tests.helpers.pages import keep_block
from tests.helpers.running import running_exporter
from tests.helpers.small_cln import CLOUDLINUX_KEY, ELS_KEY, IMUNIFY_KEY, KEY, LOGIN, SECRET_KEY, UNLIMITED_KEY

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
MISSING = object()
HOUR, DAY = 3600.0, 86400.0


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M+0000")


VALUES: dict[str, object] = {
    "a number": 10,
    "a number as text": "10",
    "0": 0,
    "text": "soon",
    "true": True,
    "null": None,
    "missing": MISSING,
    "empty": "",
    "a list": ["10"],
    "an object": {"value": 10},
    "-5": -5,
    "1.5": 1.5,
    "2^53 + 1": 2**53 + 1,
    "1e400": "1e400 as a number",
    "1,000": "1,000",
    "a date": _date(time.time() - HOUR),
    "a date in 70 years": _date(time.time() + 70 * 365 * DAY),
    "a date of the year 10000": "9999-12-31T23:59-1200",
    "a date of zeros": "0000-00-00 00:00:00",
}
"""The values that replace a field, by name."""


@dataclass(frozen=True)
class Field:
    """A field of the responses at ``path`` that a probe uses; ``check`` is the plugin of the probe."""

    name: str
    path: str
    check: str
    probe: str
    good: str
    """The name in VALUES of the regular value of the field."""
    discovered: bool = False


FIELDS = {
    "flag of the status": Field("xmlrpc", "/status.json", "check_cln_status", "status", "true"),
    "KernelCare limit": Field("limit", "/kcare/key/list.json", "check_cln_kernelcare", "kernelcare", "a number"),
    "KernelCare check-in": Field(
        "last_checkin", "/kcare/key/servers.json", "check_cln_kernelcare", "kernelcare", "a date"
    ),
    "KernelCare address": Field(
        "ip", "/kcare/key/servers.json", "check_cln_kernelcare", "kernelcare", "", discovered=True
    ),
    "Imunify limit": Field("limit", "/im/key/list.json", "check_cln_imunify", "imunify", "a number"),
    "Imunify count": Field("servers", "/im/key/list.json", "check_cln_imunify", "imunify", "a number"),
    "Imunify check-in": Field("last_checkin", "/im/srv/list.json", "check_cln_imunify", "imunify", "a date"),
    "Imunify address": Field("ip", "/im/srv/list.json", "check_cln_imunify", "imunify", "", discovered=True),
    "ELS limit": Field("usageLimit", "/els/key/list.json", "check_cln_els", "els", "a number"),
    "ELS check-in": Field("lastCheckin", "/els/srv/list.json", "check_cln_els", "els", "a date"),
    "ELS address": Field("ip", "/els/srv/list.json", "check_cln_els", "els", "", discovered=True),
    "CloudLinux OS limit": Field("usage_limit", "/v2/cl/keys", "check_cln_cloudlinux", "cloudlinux", "a number"),
    "CloudLinux OS address": Field("ip", "/v2/cl/servers", "check_cln_cloudlinux", "cloudlinux", "", discovered=True),
    "IP license in use": Field("registered", "/ipl/list.json", "check_cln_ip_licenses", "ip_licenses", "true"),
    "IP license check-in": Field("last_checkin", "/ipl/server.json", "check_cln_ip_licenses", "ip_licenses", "a date"),
}

# The expected states by value. All other values are UNKNOWN.
_LIMIT = {"a number": "OK", "a number as text": "OK", "0": "OK"} | dict.fromkeys(
    ("text", "true", "a list", "an object", "-5", "1.5", "2^53 + 1", "1,000", "a date", "a date in 70 years"),
    "WARNING",
)
_LIMIT |= {"a date of zeros": "WARNING", "a date of the year 10000": "WARNING"}
_CHECKIN = {"a date": "OK", "a date in 70 years": "WARNING", "a date of the year 10000": "WARNING"}
_NEVER = ("null", "empty", "a date of zeros")
_NOT_REPORTED = ("null", "missing", "empty")
_FLAG = {"true": "OK", "missing": "WARNING"}


def expected(name: str, value: str, *, all_rows: bool) -> str:
    """Return the expected state for a value of a field, in all rows of a list or in one."""
    if value == "1e400":
        return "UNKNOWN"  # not valid JSON
    if name == "flag of the status":
        return _FLAG.get(value, "UNKNOWN")
    if name == "Imunify count":
        return "OK" if value in {*_NOT_REPORTED, "0"} else "OK, noted"
    if name.endswith("limit"):
        return ("WARNING" if all_rows else "OK, noted") if value in _NOT_REPORTED else _LIMIT[value]
    if name.endswith("address"):
        return "WARNING" if all_rows else "OK"
    if name == "IP license in use":
        return {"true": "OK", "null": "OK, noted", "missing": "OK, noted"}.get(value, "UNKNOWN")
    if value == "missing" and all_rows:
        return "WARNING"
    # KernelCare reports that the server was registered an hour ago; for Imunify and ELS, that time is unknown.
    never = "OK, noted" if name in {"Imunify check-in", "ELS check-in"} else "OK"
    return never if value in {*_NEVER, "missing"} else _CHECKIN.get(value, "UNKNOWN")


@dataclass
class Broken:
    """A CLN with a replaced field, in all rows of its list or in the first. ``config`` monitors it."""

    simulator: Simulator
    config: Path
    exporter: httpx.Client
    """Asks the exporter."""
    replaced: list[tuple[Field, object, bool]] = field(default_factory=list)

    def get(self, path: str) -> httpx.Response:
        """Return the response of the exporter."""
        return self.exporter.get(path)

    def poll(self, probe: str) -> None:
        """Poll CLN with the exporter."""
        account = "" if probe == "status" else "acme"
        assert self.get(f"/probe?account={account}&probe={probe}").status_code == 200

    def replace(self, field_: Field, value: str, *, all_rows: bool) -> None:
        """Replace the field by ``value`` from now on."""
        self.replaced = [(field_, VALUES[value], all_rows)]

    def mend(self) -> None:
        """Restore the field."""
        self.replaced = []

    def changed(self, path: str, answer: SimulatedAnswer) -> SimulatedAnswer:
        """Return the ``answer`` to ``path`` with the replaced field."""
        for field_, value, all_rows in self.replaced:
            if (field_.path, path, value) == ("/status.json", "/status.plain", "1e400 as a number"):
                return SimulatedAnswer(502, "text/html", b"<html>")  # which is asked where the other is no JSON
            if path == field_.path:
                document = json.loads(answer.body)
                data = document["data"] if isinstance(document, dict) else document  # below /v2 without an envelope
                rows = data if isinstance(data, list) else [data]
                for row in rows if all_rows else rows[:1]:
                    if value is MISSING:
                        row.pop(field_.name, None)
                    else:
                        row[field_.name] = value
                body = json.dumps(document).replace('"1e400 as a number"', "1e400").encode()
                return SimulatedAnswer(answer.status, answer.content_type, body)
        return answer


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """Yield a healthy account, an exporter that polls on demand, and plugins that query CLN or the exporter."""
    folder = tmp_path_factory.mktemp("values")
    simulator = Simulator(seed=1)
    _populate_account(simulator)
    with serve(simulator) as served:
        config = folder / "cln-monitor.yml"
        (folder / "secret").write_text(SECRET_KEY)
        (folder / "secret").chmod(0o600)
        config.write_text(f"""\
api_url: {served.url}
requests_per_second: 0
probes:
  status: {{interval: 1d, max_age: 2d}}
  kernelcare: {{interval: 1d, max_age: 2d}}
  imunify: {{interval: 1d, max_age: 2d}}
  patch_status: {{enabled: false}}
  ip_licenses: {{interval: 1d, max_age: 2d}}
  els: {{enabled: true, interval: 1d, max_age: 2d, products: [CELS]}}
  cloudlinux: {{enabled: true, interval: 1d, max_age: 2d, products: [CL]}}
accounts: [{{name: acme, login: {LOGIN}, secret_key_file: secret}}]
""")
        with (
            running_exporter(folder, f"--config.file={config}") as exporter,
            httpx.Client(base_url=f"http://{exporter.address}", timeout=30) as asking,
        ):
            exporter.wait_ready()
            broken = Broken(simulator, config, asking)
            answer: Callable[..., SimulatedAnswer] = simulator.answer

            def changed(method: str, path: str, *rest: Any) -> SimulatedAnswer:
                return broken.changed(path, answer(method, path, *rest))

            simulator.answer = changed  # type: ignore[method-assign, assignment] # in place of the real one
            yield broken


def _populate_account(simulator: Simulator) -> None:
    now = time.time()
    account = simulator.add_account(LOGIN, SECRET_KEY)
    for number, key in enumerate((KEY, UNLIMITED_KEY)):
        kernelcare = account.add_kernelcare_key(key, limit=10)
        imunify = account.add_imunify_key(f"{IMUNIFY_KEY}{number}", code="360_250", limit=20)
        for server in range(3):
            ip, checkin = f"192.0.2.{10 * number + server}", now - HOUR
            kernelcare.add_server(f"k{number}{server}", ip=ip, created=now - HOUR, last_checkin=checkin)
            imunify.add_server(f"i{number}{server}", ip=ip, created=now - HOUR, last_checkin=checkin)
            account.add_ip_license(ip, 16, created=now - HOUR, last_checkin=checkin)
        els = account.add_els_key(f"{ELS_KEY}{number}", code="CELS", limit=10)
        for server in range(2):
            ip, host = f"203.0.113.{10 * number + server}", f"old{number}{server}.example.net"
            els.add_server(f"e{number}{server}", ip=ip, hostname=host, created=now - HOUR, last_checkin=now - HOUR)
        cloudlinux = account.add_cloudlinux_key(f"{CLOUDLINUX_KEY}{number}", "CL", limit=10)
        for server in range(2):
            cloudlinux.add_server(f"4{number}{server}", ip=f"198.51.100.{10 * number + server}")


_NOTED = "CLN reports no|CLN does not report|does not tell|never checked in|cannot be read|lists fewer servers"


def _shown(outcome: Outcome, calm: str) -> str:
    """Return the state, and whether an OK has more text than for a healthy account."""
    is_noted = outcome.state == "OK" and bool(re.search(_NOTED, outcome.text))
    alike = [re.sub(r"\d+", "N", text.partition(",")[0]) for text in (outcome.text, calm)]
    assert outcome.state != "OK" or is_noted or alike[0] == alike[1]
    return f"{outcome.state}, noted" if is_noted else outcome.state


@pytest.fixture(autouse=True)
def _mended(broken: Broken) -> Iterator[None]:
    """Restore the field after each test."""
    yield
    broken.mend()
    for probe in ("status", "kernelcare", "imunify", "els", "cloudlinux", "ip_licenses"):
        broken.poll(probe)


CALM: dict[str, str] = {}
SEEN: dict[tuple[str, bool, str], str] = {}
"""The state of each field, in all rows or one, and value."""


@pytest.mark.parametrize("all_rows", [False, True], ids=["one-row", "all-rows"])
@pytest.mark.parametrize("name", FIELDS)
def test_values_that_judge(name: str, all_rows: bool, broken: Broken) -> None:
    """Each value is read correctly or rejected by plugins, exporter, page and discovery."""
    field_ = FIELDS[name]
    direct = ("-C", str(broken.config), *(() if field_.probe == "status" else ("-a", "acme")))
    through = ("--exporter", str(broken.exporter.base_url), "-a", "acme")
    broken.poll(field_.probe)
    calm = CALM.setdefault(field_.check, run_in_process(field_.check, *through).text)
    for value in VALUES:
        wanted = expected(name, value, all_rows=all_rows)
        if wanted == "UNKNOWN":  # then the exporter shows what it read before
            broken.mend()
            broken.poll(field_.probe)
        broken.replace(field_, value, all_rows=all_rows)
        broken.poll(field_.probe)
        # Of what is unreadable the exporter shows what it read before, and says on its own behalf that it fails.
        kept = {"UNKNOWN": "UNKNOWN" if field_.probe == "status" else "OK"}.get(wanted, wanted)
        result = _shown(run_in_process(field_.check, *through), calm)
        assert result == kept, value
        asked = _shown(run_in_process(field_.check, *direct), calm)
        # Only the exporter knows that CLN reported the flag, or the check-ins of ELS servers, before.
        without_history = {("flag of the status", "missing"): "OK"}
        if all_rows:
            without_history["ELS check-in", "missing"] = "OK, noted"
        assert asked == without_history.get((name, value), wanted), value
        is_first = wanted not in {SEEN.get((name, all_rows, other)) for other in VALUES}
        SEEN[name, all_rows, value] = wanted
        if is_first:
            _check_the_exporter(broken, field_, value, wanted)
    broken.mend()
    broken.poll(field_.probe)
    assert _shown(run_in_process(field_.check, *through), CALM[field_.check]) == "OK"
    assert 'class="verdict ok"' in broken.get("/").text


def _check_the_exporter(broken: Broken, field_: Field, value: str, wanted: str) -> None:
    """Check that the pages of the exporter agree with the plugin."""
    page, exporter = (
        broken.get("/").text,
        run_in_process("check_cln_exporter", "--exporter", str(broken.exporter.base_url)),
    )
    verdict = re.findall(r'class="verdict (\w+)"', page)[0]
    is_read = f'probe="{field_.probe}"}} 1' in "".join(re.findall("cln_probe_success.*\n", broken.get("/metrics").text))
    assert is_read == (wanted != "UNKNOWN"), value
    assert exporter.state == ("OK" if is_read else "WARNING"), value
    assert verdict == ("ok" if wanted.startswith("OK") else "warning"), value
    if field_.discovered:
        found = broken.get(f"/sd/{field_.probe}")
        assert found.status_code == (503 if wanted == "WARNING" else 200), value
        assert found.status_code == 503 or len(found.json()) >= 1


def test_the_table_of_the_page(request: pytest.FixtureRequest) -> None:
    """The page has the results of the tests."""
    if {key[:2] for key in SEEN} != {(name, all_rows) for name in FIELDS for all_rows in (False, True)}:
        pytest.skip("not all fields were seen in this run")
    table = ["| value | " + " | ".join(FIELDS) + " |", "| --- |" + " --- |" * len(FIELDS)]
    for value in VALUES:
        cells = []
        for name in FIELDS:
            one, every = SEEN[name, False, value], SEEN[name, True, value]
            cells.append(one if one == every else f"{one}; in all rows {every}")
        table.append(f"| {value} | " + " | ".join(cells) + " |")
    keep_block(PAGE, "values", "\n".join(table), update=request.config.getoption("--update-golden"))
