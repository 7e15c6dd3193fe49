"""Tests of hostile responses of CLN: the exporter keeps serving valid output without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from cln_monitor.cln import mask_key
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.simulator import Fault
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, SECRETS

from .asking import ask
from .conftest import Exporting
from .parsing import Samples, parse, parse_openmetrics

pytestmark = pytest.mark.many_inputs

DEEP = "[" * 100_000
SURROGATE = "\\ud800"


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter of an account with a KernelCare key, an Imunify key and an IP license."""
    exporting.account.add_kernelcare_key(KEY, limit=4, note="Web").add_server("one", ip="192.0.2.1")
    exporting.account.add_imunify_key(IMUNIFY_KEY).add_server("two", ip="192.0.2.2")
    exporting.account.add_ip_license("192.0.2.3", 16)
    return exporting


@pytest.fixture
def app(fleet: Exporting) -> Starlette:
    """The web application of ``fleet``."""
    return make_app(fleet.service, WebOptions())


def check(app: Starlette, exporting: Exporting) -> Samples:
    """Assert that all pages are valid and without secrets; return the samples of ``/metrics``."""
    text = ask(app, "/metrics")
    openmetrics = ask(app, "/metrics", headers={"Accept": "application/openmetrics-text"})
    page = ask(app, "/")
    answers = [ask(app, f"/api/v1/observations/acme/{target.probe}") for target in exporting.service.targets]
    for answer in (text, openmetrics, page, *answers):
        assert answer.status_code == 200
        assert not [secret for secret in SECRETS if secret in answer.text]
    for answer in answers:
        json.loads(answer.text)
    samples = parse(text.text)
    assert set(samples) == set(parse_openmetrics(openmetrics.text))
    return samples


def rows(*rows: dict[str, Any]) -> str:
    """Return a successful response of CLN with ``rows`` as its data."""
    return json.dumps({"success": True, "data": rows})


BODIES = {
    "html": "<!DOCTYPE html><html><body>maintenance</body></html>",
    "empty": "",
    "blanks": " \r\n\t",
    "cut": '{"success": true, "data": [{"key": "WsTs',
    "number": "7",
    "text": '"all is well"',
    "null": "null",
    "nan": '{"success": true, "data": NaN}',
    "bytes": b"\xff\xfe\x00\x01" * 20,
    "byte-order-mark": b"\xef\xbb\xbf" + b'{"success": true, "data": []}',
    "deep": DEEP,
    "deep-data": '{"success": true, "data": ' + DEEP + "}",
    "success-as-text": '{"success": "true", "data": []}',
    "success-null": '{"success": null, "data": []}',
    "success-1": '{"success": 1, "data": []}',
    "no-success": '{"data": []}',
    "no-data": '{"success": true}',
    "data-null": '{"success": true, "data": null}',
    "data-false": '{"success": true, "data": false}',
    "data-object": '{"success": true, "data": {"key": "a"}}',
    "data-text": '{"success": true, "data": "a"}',
    "rows-of-lists": '{"success": true, "data": [[], []]}',
    "rows-of-null": '{"success": true, "data": [null]}',
    "rows-empty": '{"success": true, "data": [{}]}',
    "doubled-keys": '{"success": true, "success": false, "data": [], "data": [1]}',
    "message-object": '{"success": false, "message": {"a": ["pl4nted"]}}',
    "message-hostile": '{"success": false, "message": "<script>\\u0000\\n\\ud800|\\u202e"}',
    "counts-cut": "uptodate=1;outofdate=",
    "counts-huge": "uptodate=" + "9" * 5000,
    "all-is-well-in-other-words": "OK\nOK\nOK",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_any_body(body: str | bytes, app: Starlette, fleet: Exporting) -> None:
    """Any body in place of every response, before and after good data, leaves valid pages without secrets."""
    fault = fleet.simulator.faults.add(Fault("answer", body=body))
    fleet.run()
    check(app, fleet)
    fleet.simulator.faults.remove(fault)
    fleet.run()
    assert len(parse(fleet.metrics())) > 40
    fleet.simulator.faults.add(Fault("answer", body=body))
    fleet.run()
    check(app, fleet)


def test_secrets_that_cln_echoes(app: Starlette, fleet: Exporting) -> None:
    """Secrets echoed by CLN are redacted: those of the configuration at once, license keys when they are known."""
    for known in ((LOGIN, SECRET_KEY, REGISTRATION_TOKEN), (LOGIN, SECRET_KEY, REGISTRATION_TOKEN, KEY, IMUNIFY_KEY)):
        body = json.dumps({"success": False, "message": f"bad call of {' '.join(known)}"})
        fleet.simulator.faults.add(Fault("answer", body=body))
        fleet.run()
        check(app, fleet)
        assert "bad call of &lt;login&gt; &lt;secret&gt; &lt;secret&gt;" in ask(app, "/").text
        fleet.simulator.faults.clear()
        fleet.run()


@pytest.mark.parametrize("status", [204, 302, 400, 403, 404, 429, 500, 503, 599])
def test_any_status(status: int, app: Starlette, fleet: Exporting) -> None:
    """Any status leaves valid pages, and an error status keeps the last good data even with a valid body."""
    fleet.run()
    good = {key for key in check(app, fleet) if key[0].startswith(("cln_kernelcare", "cln_imunify"))}
    for body in (rows({"key": "EVILKEY000000001"}), ""):
        fleet.simulator.faults.add(Fault("answer", status=status, body=body))
        fleet.run()
        samples = check(app, fleet)
        if status >= 300:
            assert good == {key for key in samples if key[0].startswith(("cln_kernelcare", "cln_imunify"))}
        fleet.simulator.faults.clear()


@pytest.mark.parametrize("kind", ["cut_body", "garbage", "reset", "huge", "skew"])
def test_any_wire(kind: str, app: Starlette, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invalid HTTP, truncated or endless responses, and a clock skew of a day fail the probes and keep their data."""
    monkeypatch.setattr("cln_monitor.cln.http.answer.LARGEST_BODY", 1 << 20)
    fields: dict[str, Any] = {"huge": {"size": 3 << 20, "gzip": True}, "skew": {"seconds": -86400}}.get(kind, {})
    fleet.run()
    fleet.simulator.faults.add(Fault(kind, **fields))
    fleet.run()
    assert "cln_kernelcare_key_info" in {name for name, _ in check(app, fleet)}
    failed = {line.split('probe="')[1] for line in fleet.samples("cln_probe_success{") if line.endswith(" 0")}
    assert {'kernelcare"} 0', 'imunify"} 0'} <= failed


HOSTILE = {
    "markup": ("<script>alert('1')</script>", "<script>alert('1')</script>"),
    "quotes": ('say "hi" \\" \\', 'say "hi" \\" \\'),
    "newlines": ("one\ntwo\r\nthree", "one two three"),
    "label-syntax": ('x"} 1\ncln_fake{a="', 'x"} 1 cln_fake{a="'),
    "emoji": ("🚀 Köln クラウド", "🚀 Köln クラウド"),
    "control-characters": ("a\x00b\x1b[31mc\x7f", "a b [31mc"),
    "bidirectional": ("safe\u202eexe.txt", "safe exe.txt"),
    "separators": ("a\u2028b\u0085c", "a b c"),
    "braces": ("{{ 7 * 7 }} %s {0}", "{{ 7 * 7 }} %s {0}"),
    "exemplar": ('# {trace_id="1"} 1 1', '# {trace_id="1"} 1 1'),
    "end-mark": ("\n# EOF\n", "# EOF"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts(text: str, shown: str, app: Starlette, fleet: Exporting) -> None:
    """Hostile texts are single-line label values, and are never markup."""
    body = rows({"key": "SOMEKEY000000001", "note": text, "enabled": text, "limit": "5", "code": text, "servers": "1"})
    servers = rows(
        {"server_id": text, "id": text, "ip": text, "created": None, "last_checkin": "2024-04-30T11:26-0400"}
    )
    fleet.simulator.flags = {text: True}
    fleet.simulator.faults.add(Fault("answer", "/*/key/list.json", body=body))
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", body=servers))
    fleet.simulator.faults.add(Fault("answer", "/im/srv/list.json", body=servers))
    fleet.run("status", "kernelcare", "imunify")
    labels = {name: dict(pairs) for name, pairs in check(app, fleet)}
    assert labels["cln_kernelcare_key_info"]["note"] == shown
    assert labels["cln_imunify_key_info"]["product"] == shown
    assert labels["cln_status_flag"]["flag"] == shown
    for product in ("kernelcare", "imunify"):
        labels_of_server = labels[f"cln_{product}_server_last_checkin_timestamp_seconds"]
        assert (labels_of_server["server_id"], labels_of_server["ip"]) == (shown, shown)
    assert ask(app, "/").text.count("<script>") == 1  # the one of the page


def test_lone_surrogates(app: Starlette, fleet: Exporting) -> None:
    """A lone surrogate in JSON is replaced, and the list is read."""
    fleet.simulator.faults.add(
        Fault(
            "answer",
            "/kcare/key/list.json",
            body=f'{{"success": true, "data": [{{"key": "k1234567", "note": "a{SURROGATE}b"}}]}}',
        )
    )
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", body=rows()))
    fleet.run("kernelcare")
    (note,) = {dict(pairs)["note"] for name, pairs in check(app, fleet) if name == "cln_kernelcare_key_info"}
    assert note.startswith("a")
    assert note.endswith("b")


def test_doubled_rows(app: Starlette, fleet: Exporting) -> None:
    """Duplicate rows are one key, and one server with the latest check-in."""
    key = {"key": "SOMEKEY000000001", "limit": 5, "note": "first"}
    server = {"server_id": "s1", "id": "s1", "ip": "192.0.2.1", "last_checkin": "2024-04-30T11:26-0400"}
    later = server | {"last_checkin": "2024-04-30T11:27-0400", "ip": "192.0.2.2"}
    fleet.simulator.faults.add(Fault("answer", "/*/key/list.json", body=rows(key, key | {"note": "second"})))
    fleet.simulator.faults.add(Fault("answer", "*/s*.json", body=rows(server, later, server)))
    fleet.run("kernelcare", "imunify")
    samples = check(app, fleet)
    label = mask_key("SOMEKEY000000001")
    for product in ("kernelcare", "imunify"):
        labels_of_key = {("account", "acme"), ("key", label)}
        assert samples[f"cln_{product}_key_servers", frozenset(labels_of_key | {("checkin", "fresh")})] == 1
        labels_of_server = frozenset(labels_of_key | {("server_id", "s1"), ("ip", "192.0.2.2")})
        assert samples[f"cln_{product}_server_last_checkin_timestamp_seconds", labels_of_server] == 1714490820


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "many"),
        ("limit", -1),
        ("limit", 1.5),
        ("limit", []),
        ("limit", True),
        ("limit", "1e999"),
        ("key", None),
        ("key", ""),
        ("key", {}),
        ("created", "yesterday"),
        ("created", 0),
        ("enabled", [1]),
        ("note", {"a": 1}),
    ],
    ids=repr,
)
def test_a_field_of_another_type(field: str, value: object, app: Starlette, fleet: Exporting) -> None:
    """A field of an unexpected type is converted, or fails the poll and keeps the data."""
    fleet.run("kernelcare")
    row = {"key": KEY, "limit": 4, "note": "Web", "enabled": True, "created": "2014-04-30T11:26-0400"}
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=rows(row | {field: value})))
    fleet.run("kernelcare")
    assert "cln_kernelcare_key_info" in {name for name, _ in check(app, fleet)}


@pytest.mark.parametrize("limit", [10**9, "99999999999999999999", 1e300, 2**63, 2**64, 10**30], ids=str)
def test_huge_limits(limit: object, app: Starlette, fleet: Exporting) -> None:
    """A huge limit is exposed exactly, or rejected."""
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=rows({"key": KEY, "limit": limit})))
    fleet.run("kernelcare")
    values = [value for (name, _), value in check(app, fleet).items() if name == "cln_kernelcare_key_servers_limit"]
    assert values in ([float(str(limit))], [])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00+0000", "9999-12-31T23:59-0000", "2014-04-30T11:26-2359"])
def test_dates_at_the_edge(moment: str, app: Starlette, fleet: Exporting) -> None:
    """Dates in the years 1 and 9999 are valid; dates before 1970 mean never."""
    server = {"server_id": "s1", "ip": "192.0.2.1", "last_checkin": moment, "created": moment}
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", body=rows(server)))
    fleet.run("kernelcare")
    names = {name for name, _ in check(app, fleet)}
    assert "cln_kernelcare_key_servers" in names
    assert ("cln_kernelcare_server_created_timestamp_seconds" in names) != moment.startswith("0001")


def test_no_dates(app: Starlette, fleet: Exporting) -> None:
    """A null, missing or empty check-in means never."""
    servers: list[dict[str, Any]] = [
        {"server_id": "a", "last_checkin": None},
        {"server_id": "b"},
        {"server_id": "c", "last_checkin": ""},
    ]
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", body=rows(*servers)))
    fleet.run("kernelcare")
    samples = check(app, fleet)
    never = [
        value for (name, pairs), value in samples.items() if ("checkin", "never") in pairs and "kernelcare" in name
    ]
    assert never == [3]
    assert "cln_kernelcare_server_last_checkin_timestamp_seconds" not in {name for name, _ in samples}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROW = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("key", "limit", "note", "enabled", "created", "code", "servers", "server_id", "id", "ip"), JSON
    )
    | {"last_checkin": JSON, "surprise": JSON},
)


@example_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries({"success": st.just(value=True) | JSON}, optional={"data": JSON | st.lists(ROW, max_size=3)})
)
def test_any_json(app: Starlette, fleet: Exporting, document: dict[str, object]) -> None:
    """Any JSON in place of every list leaves valid metrics and observations."""
    fleet.simulator.faults.clear()
    fleet.simulator.faults.add(Fault("answer", body=json.dumps(document)))
    fleet.run("kernelcare", "imunify", "ip_licenses")
    assert parse(ask(app, "/metrics").text)
    for probe in ("kernelcare", "imunify", "ip_licenses"):
        json.loads(ask(app, f"/api/v1/observations/acme/{probe}").text)
