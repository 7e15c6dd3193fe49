"""Results that cln-feed submits to a real Icinga 2 are those of the active plugins; silence makes them UNKNOWN."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.sinks import Delivery, Outcome
from cln_monitor.feed.sinks.icinga2 import Icinga2Sink, Settings
from tests.helpers.running import wait_until
from tests.real.feeding import fed
from tests.real.icinga import PASSWORD, Icinga, result_of
from tests.real.watched import FINE, LOST, NONE_SUCH, PLUGINS, SILENT, STATES, run_plugin, watched

pytestmark = pytest.mark.needs_server("icinga2")

DELIVERED = Outcome(Delivery.DELIVERED)
KEYS = {FINE: "OK", SILENT: "WARNING", LOST: "CRITICAL", NONE_SUCH: "UNKNOWN"}
ODD = 'WARNING - a;b "c" $d$ ¦ \U0001f600\nC:\\new \\\\ Über\n' + "\n".join(f"line {number} é" for number in range(900))
ODD_ITEMS = ["'a b'=1s;10:20;@5;0;9", "c=2%;90;100;0", "d=1.5e3B"]

TEXT = """\
const ClnPluginDir = "{plugins}"
include "{plugins}/icinga2/cln-commands.conf"
include "{plugins}/icinga2/cln-services.conf"
object ApiUser "feed" {{
  password = "{password}"
  permissions = [
    {{ permission = "actions/process-check-result"; filter = {{{{ host.vars.fed }}}} }}, "objects/query/Service"
  ]
}}
object ApiUser "certified" {{ client_cn = "feed"; permissions = [ "actions/process-check-result" ] }}
object Host "active" {{
  check_command = "dummy"
  vars.cln_config = "{config}"
  vars.cln_checks = [ "kernelcare" ]
  {keys}
}}
object Host "fed" {{ check_command = "dummy"; vars.fed = true }}
object Host "foreign" {{ check_command = "dummy" }}
template Service "fed" {{
  check_command = "dummy"
  check_interval = 1h
  max_check_attempts = 1
  vars.dummy_state = 3
  vars.dummy_text = "no result of cln-feed"
}}
for (name in {names}) {{
  object Service name {{ import "fed"; host_name = "fed" }}
}}
object Service "disabled" {{ import "fed"; host_name = "fed"; enable_passive_checks = false }}
object Service "one" {{ import "fed"; host_name = "foreign" }}
"""


@dataclass(frozen=True)
class Lab:
    """An Icinga with active services and services for results from outside, and files of its users."""

    config: Path
    icinga: Icinga
    password: Path

    def sink(self, **changes: Any) -> Icinga2Sink:
        """Return a sink for this Icinga."""
        settings: dict[str, Any] = {
            "url": [self.icinga.url],
            "username": "feed",
            "password_file": str(self.password),
            "ca_file": str(self.icinga.ca_file),
            "tls_server_name": "lab",
        }
        return Icinga2Sink(Settings(**(settings | changes)))

    def send(self, *results: FeedResult, now: float | None = None, ttl: float = 3600.0) -> list[Outcome]:
        """Send results over a new connection."""
        sink = self.sink()
        try:
            return sink.send(results, now=time.time() if now is None else now, ttl=ttl)
        finally:
            sink.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests."""
    folder = tmp_path_factory.mktemp("icinga")
    password = folder / "password"
    password.write_text(PASSWORD)
    with watched(folder) as account:
        keys = "\n  ".join(
            f'vars.cln_keys["{state}"] = {{ cln_kernelcare_key = "{key}" }}' for key, state in KEYS.items()
        )
        names = ", ".join(f'"{name}"' for name in (*KEYS.values(), "odd", "silent", "old", "restart", "one"))
        text = TEXT.format(plugins=PLUGINS, password=PASSWORD, config=account.config, keys=keys, names=f"[ {names} ]")
        icinga = Icinga(folder, text, clients=["feed"])
        try:
            yield Lab(account.config, icinga, password)
        finally:
            icinga.stop()


def short(service: str, state: int = 0) -> FeedResult:
    """Return a result with a short text."""
    return FeedResult("fed", service, state, f"{STATES[state]} - short", "a=1", "check_cln_status")


@pytest.mark.parametrize(("label", "state"), KEYS.items(), ids=KEYS.values())
def test_a_result_is_that_of_the_active_check(lab: Lab, label: str, state: str) -> None:
    """State, output and perfdata of a submitted result are those of Icinga's own check with the plugin."""
    active = lab.icinga.check(f"active!cln-key-{state}")
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.config), "--key", label)
    assert lab.send(fed("fed", state, printed)) == [DELIVERED]
    check = lab.icinga.last_check(f"fed!{state}")
    assert result_of(check).lasting == active.lasting
    assert active.state == state
    assert (check["active"], check["check_source"], check["ttl"]) == (False, "cln-feed", 3600)


def test_odd_texts(lab: Lab) -> None:
    """A long output with odd characters, and odd perfdata, arrive as they are and are understood."""
    assert len(ODD) > 9000
    assert lab.send(FeedResult("fed", "odd", 1, ODD, " ".join(ODD_ITEMS), "check_cln_kernelcare")) == [DELIVERED]
    check = lab.icinga.last_check("fed!odd")
    assert (check["output"], check["performance_data"], check["state"]) == (ODD, ODD_ITEMS, 1)
    parsed = lab.icinga.parsed_perfdata("fed!odd")
    assert [(metric["value"], metric["unit"]) for metric in parsed.values()] == [
        (1, "seconds"),
        (2, "percent"),
        (1500, "bytes"),
    ]


def test_silence_becomes_unknown(lab: Lab) -> None:
    """Without a new result the service is UNKNOWN after the time to live, and the next result ends that."""
    began = time.monotonic()
    assert lab.send(short("silent"), ttl=3.0) == [DELIVERED]
    assert result_of(lab.icinga.last_check("fed!silent")).state == "OK"
    silent = lab.icinga.wait_for("fed!silent", "UNKNOWN")
    assert silent.text == "no result of cln-feed"
    assert time.monotonic() - began >= 2.5
    assert lab.send(short("silent")) == [DELIVERED]
    assert result_of(lab.icinga.last_check("fed!silent")).state == "OK"


def test_an_older_result_is_not_taken(lab: Lab) -> None:
    """A result that is older than the newest one is ignored; newer versions say so, which is a refusal."""
    now = time.time()
    assert lab.send(short("old", 2), now=now) == [DELIVERED]
    (outcome,) = lab.send(short("old"), now=now - 100)
    assert result_of(lab.icinga.last_check("fed!old")).state == "CRITICAL"
    (about,) = lab.icinga.ask("/")
    version = tuple(map(int, re.findall(r"\d+", about["version"])[:2]))
    if version < (2, 16):
        assert outcome == DELIVERED
    else:
        assert outcome.delivery is Delivery.REFUSED
        assert "code 409" in outcome.reason


def test_refusals(lab: Lab) -> None:
    """A service that is unknown, not permitted, or without passive checks is a refusal that names it."""
    foreign = FeedResult("foreign", "one", 0, "OK", "", "check_cln_status")
    outcomes = lab.send(short("none"), foreign, short("disabled"), short("one"))
    assert [outcome.delivery.name for outcome in outcomes] == ["REFUSED", "REFUSED", "REFUSED", "DELIVERED"]
    where = lab.icinga.url.removeprefix("https://")
    reasons = [outcome.reason for outcome in outcomes]
    assert reasons[0].startswith(f"fed!none: {where}: No objects found. (HTTP 404)")
    assert reasons[1].startswith(f"foreign!one: {where}: No objects found. (HTTP 404)")
    assert reasons[2].startswith(f"fed!disabled: {where}: Passive checks are disabled for object")


def test_check(lab: Lab) -> None:
    """The check names what is missing, and the permission that a user lacks."""
    where = lab.icinga.url.removeprefix("https://")
    sink = lab.sink()
    results = [short(name) for name in ("one", "none", "disabled")]
    assert sink.check(results) == [
        f"{where}: no service 'fed!none'",
        f"{where}: passive checks are disabled for the service 'fed!disabled'",
    ]
    assert sink.check([short("one"), short("old")]) == []
    sink.close()
    certified = lab.sink(username=None, password_file=None, **certificate_of(lab))
    assert certified.check(results) == [f"{where}: the API user certified lacks the permission objects/query/Service"]
    certified.close()


def certificate_of(lab: Lab) -> dict[str, str]:
    """Return the settings of the client certificate."""
    certificates = lab.icinga.ca_file.parent
    return {"cert_file": str(certificates / "feed.crt"), "key_file": str(certificates / "feed.key")}


def test_a_client_certificate(lab: Lab) -> None:
    """A client certificate of Icinga's authority is enough."""
    sink = lab.sink(username=None, password_file=None, **certificate_of(lab))
    assert sink.send([short("one", 1)], now=time.time(), ttl=3600.0) == [DELIVERED]
    sink.close()
    assert result_of(lab.icinga.last_check("fed!one")).state == "WARNING"


def test_a_wrong_user(lab: Lab) -> None:
    """A wrong user is a refusal."""
    sink = lab.sink(username="nobody-known")
    (outcome,) = sink.send([short("one")], now=time.time(), ttl=3600.0)
    sink.close()
    assert outcome.delivery is Delivery.REFUSED
    assert "(HTTP 401)" in outcome.reason


def test_the_name_in_the_certificate(lab: Lab) -> None:
    """Without the name in Icinga's certificate, the sink does not send the password."""
    sink = lab.sink(tls_server_name=None)
    (outcome,) = sink.send([short("one")], now=time.time(), ttl=3600.0)
    assert outcome.delivery is Delivery.FAILED
    assert "TLS certificate verification failed: IP address mismatch" in outcome.reason


def test_a_restart_of_icinga(lab: Lab) -> None:
    """While Icinga is away results fail, and the same sink delivers the next ones when it is back."""
    sink = lab.sink()
    assert sink.send([short("restart")], now=time.time(), ttl=3600.0) == [DELIVERED]
    lab.icinga.stop()
    (away,) = sink.send([short("restart", 1)], now=time.time(), ttl=3600.0)
    assert (away.delivery, "connection refused" in away.reason) == (Delivery.FAILED, True)
    lab.icinga.start()

    def send() -> bool:
        return sink.send([short("restart", 2)], now=time.time(), ttl=3600.0) == [DELIVERED]

    wait_until(send, "a delivery after the restart")
    sink.close()
    assert result_of(lab.icinga.last_check("fed!restart")).state == "CRITICAL"
