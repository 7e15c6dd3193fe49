"""The HTTP paths of the exporter: their responses, their errors, and that they contain no secrets."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import Message

from cln_monitor import __version__
from cln_monitor.cln import mask_key
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.exporter.web.status_page import POLICY, RUNBOOK_POLICY
from cln_monitor.probes import ALL_PROBES
from cln_monitor.simulator import Fault
from tests.exporter.asking import ask, client, wait_for_visitors
from tests.exporter.conftest import Exporting
from tests.exporter.parsing import parse, parse_openmetrics
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, SECRETS

from .paths import GET_PATHS, METRICS, TEXT

SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
POLICIES = {"/": POLICY, "/?account=nobody": POLICY, "/runbook": RUNBOOK_POLICY}
"""What a browser may do with the pages."""
NO_EPORTALS = "no ePortals are configured; add one to eportals"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """Return an exporter of an account with a key of each product and a server on each."""
    exporting.account.add_kernelcare_key(KEY, limit=4, note="Web").add_server("one", ip="192.0.2.1")
    exporting.account.add_imunify_key(IMUNIFY_KEY).add_server("two", ip="192.0.2.2")
    return exporting


@pytest.fixture
def app(fleet: Exporting) -> Starlette:
    """Return the application with default options."""
    return make_app(fleet.service, WebOptions())


@pytest.mark.parametrize("path", GET_PATHS)
def test_paths(path: str, app: Starlette) -> None:
    """Each path answers GET with its status and content type, and forbids browsers to sniff another type."""
    answer = ask(app, path)
    assert (answer.status_code, answer.headers["content-type"]) == GET_PATHS[path]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if path in POLICIES:
        others = SAFE | {"content-security-policy": POLICIES[path]}
        assert others.items() <= dict(answer.headers).items()
    elif answer.headers["content-type"] != METRICS:
        assert SAFE.items() <= dict(answer.headers).items()


def test_the_page_of_an_account(app: Starlette) -> None:
    """The page of an account is selected by name; for an unknown account the page says so."""
    assert ask(app, "/?account=acme").text == ask(app, "/?account=other&account=acme").text
    assert "show all accounts" in ask(app, "/?account=acme").text
    assert "No account or ePortal “x\ufffd”" in ask(app, "/?account=x%FF").text
    assert ask(app, "/?account=").text == ask(app, "/").text


@pytest.mark.parametrize("path", GET_PATHS)
def test_head(path: str, app: Starlette) -> None:
    """HEAD returns the headers of GET without the body; Content-Length is that of the body."""
    answer = ask(app, path, "HEAD")
    assert (answer.status_code, answer.headers["content-type"]) == GET_PATHS[path]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *((method, path, {"GET", "HEAD"}) for path in GET_PATHS for method in ("POST", "DELETE")),
        ("GET", "/-/reload", {"POST"}),
        ("PUT", "/-/reload", {"POST"}),
    ],
)
def test_other_methods(method: str, path: str, allowed: set[str], app: Starlette) -> None:
    """Other methods return 405 with the allowed methods."""
    answer = ask(app, path, method)
    assert (answer.status_code, answer.text) == (405, "method not allowed\n")
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert SAFE.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/metrics/", "/sd", "/sd/", "/metricsx", "/METRICS", "/-/", "/-/nothing", "/api", "/api/v1"],
)
def test_other_paths(path: str, app: Starlette) -> None:
    """Other paths return 404 as text and never redirect, which would use the Host header of the request."""
    answer = ask(app, path, headers={"Host": "evil.example.com"})
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (404, TEXT, "Not Found\n")
    assert SAFE.items() <= dict(answer.headers).items()


def test_an_error_of_ours(app: Starlette, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response of an internal error contains no traceback; the log has it."""

    def broken() -> None:
        raise ValueError("pl4nted")

    monkeypatch.setattr(fleet.service, "exposition", broken)
    answer = ask(app, "/metrics")
    assert (answer.status_code, answer.text) == (
        500,
        "internal error; see the log of the exporter, and please report it\n",
    )


class TestMetrics:
    """Tests of the metrics path that Prometheus scrapes."""

    def test_all_there_is(self, app: Starlette, fleet: Exporting) -> None:
        """The metrics contain the polled data and the metrics of the exporter itself, all of them valid."""
        fleet.run()
        samples = parse(ask(app, "/metrics").text)
        names = {name for name, _ in samples}
        assert {"cln_kernelcare_key_info", "cln_status_ok", "cln_probe_success"} <= names
        assert {"cln_api_requests_total", "cln_exporter_build_info", "process_cpu_seconds_total"} <= names

    def test_before_the_first_poll(self, app: Starlette) -> None:
        """Before the first poll the metrics contain no data, and the response is no error."""
        names = {name for name, _ in parse(ask(app, "/metrics").text)}
        assert "cln_kernelcare_key_info" not in names
        assert "cln_probe_interval_seconds" in names

    @pytest.mark.parametrize("accept", [OPENMETRICS, PROMETHEUS, "application/openmetrics-text"])
    def test_openmetrics(self, accept: str, app: Starlette, fleet: Exporting) -> None:
        """Clients that accept OpenMetrics get the same samples of polled data in a valid document."""
        fleet.run()
        answer = ask(app, "/metrics", headers={"Accept": accept})
        assert answer.headers["content-type"] == OPENMETRICS
        polled = re.compile("cln_(kernelcare|imunify|patch_status|status|probe_(?!failures))")
        openmetrics, text = parse_openmetrics(answer.text), parse(ask(app, "/metrics").text)
        ours = {key: value for key, value in text.items() if polled.match(key[0])}
        assert ours == {key: value for key, value in openmetrics.items() if polled.match(key[0])}
        assert len(ours) > 40
        assert {name for name, _ in openmetrics} == {name for name, _ in text}

    @pytest.mark.parametrize(
        "accept",
        [
            "",
            "*/*",
            "text/plain",
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain;version=x",
            "text/html",
            "application/openmetrics-text;q=0",
            "application/openmetrics-textual",
            ",;,=;",
            "\x00",
        ],
    )
    def test_the_text_format_for_all_others(self, accept: str, app: Starlette) -> None:
        """All other clients get the text format, also those with an invalid Accept header."""
        answer = ask(app, "/metrics", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, METRICS)
        assert "# EOF" not in answer.text

    @pytest.mark.parametrize(
        "accept", ["application/openmetrics-text;version=x", "application/openmetrics-text;version"]
    )
    def test_versions_that_are_none(self, accept: str, app: Starlette) -> None:
        """An unknown version in the Accept header is no error."""
        answer = ask(app, "/metrics", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, OPENMETRICS)

    @pytest.mark.parametrize("path", ["/metrics", "/probe?account=acme&probe=kernelcare"])
    def test_gzip(self, path: str, app: Starlette, fleet: Exporting) -> None:
        """Clients that accept gzip get the same text compressed, with the correct Content-Length and Vary."""
        fleet.run()
        plain = ask(app, path)
        assert "content-encoding" not in plain.headers
        assert int(plain.headers["content-length"]) == len(plain.content)
        raw = _raw(app, path, {"accept-encoding": "gzip, deflate"})
        assert raw.headers["content-encoding"] == "gzip"
        assert raw.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"
        assert int(raw.headers["content-length"]) == len(raw.body) < len(plain.content)
        assert set(parse(gzip.decompress(raw.body).decode())) == set(parse(plain.text))

    @pytest.mark.many_inputs
    def test_a_page_of_many_pieces(self, app: Starlette, fleet: Exporting) -> None:
        """A page larger than one write is complete, and small pieces are merged."""
        key = fleet.account.add_kernelcare_key("LARGEKEY00000001")
        for number in range(10_000):
            key.add_server(str(number), last_checkin=1e9)
        fleet.run("kernelcare")
        raw = _raw(app, "/metrics")
        assert len(raw.body) > 2 * (1 << 20)
        assert max(map(len, raw.pieces)) <= 1 << 20
        assert len(raw.pieces) < 12
        assert len(parse(raw.body.decode())) > 20_000

    def test_another_path(self, fleet: Exporting) -> None:
        """--web.telemetry-path changes the path of the metrics, and the link on the status page."""
        app = make_app(fleet.service, WebOptions(telemetry_path="/all/metrics"))
        assert ask(app, "/all/metrics").status_code == 200
        assert ask(app, "/metrics").status_code == 404
        assert 'href="all/metrics"' in ask(app, "/").text


class TestMaxRequests:
    """Tests of the limit of parallel scrapes, each of which counts until its last byte is sent."""

    @pytest.mark.parametrize(("most", "statuses"), [(1, [200, 503]), (2, [200, 200]), (0, [200, 200])])
    def test_a_slow_reader_counts(self, most: int, statuses: list[int], fleet: Exporting) -> None:
        """A slow reader counts toward the limit of parallel scrapes until its response is sent."""
        app = make_app(fleet.service, WebOptions(max_requests=most))

        async def scrape() -> tuple[list[int], int]:
            reading, go_on = asyncio.Event(), asyncio.Event()

            async def take_time() -> None:
                reading.set()
                await go_on.wait()

            slow = asyncio.create_task(_send(app, "/metrics", pause=take_time))
            await asyncio.wait_for(reading.wait(), 5)
            other = await _send(app, "/metrics")
            go_on.set()
            return [(await slow).status, other.status], (await _send(app, "/metrics")).status

        assert asyncio.run(scrape()) == (statuses, 200)

    def test_the_refusal_says_which_switch(self, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error of the limit names its flag, and other paths are not limited."""
        app = make_app(fleet.service, WebOptions(max_requests=1))
        begun, go_on = threading.Event(), threading.Event()
        exposition = fleet.service.exposition

        def slow() -> Any:
            begun.set()
            assert go_on.wait(5)
            return exposition()

        monkeypatch.setattr(fleet.service, "exposition", slow)

        async def scrape() -> tuple[str, int]:
            async with client(app) as asking:
                first = asyncio.create_task(asking.get("/metrics"))
                await asyncio.to_thread(begun.wait, 5)
                refused, healthy = await asking.get("/metrics"), await asking.get("/-/healthy")
                go_on.set()
                assert (await first).status_code == 200
                return refused.text, healthy.status_code

        text, healthy = asyncio.run(scrape())
        assert (text, healthy) == (
            "limit of parallel scrape requests reached (1, see --web.max-requests); try again later\n",
            200,
        )

    def test_a_reader_that_leaves_frees_its_place(self, fleet: Exporting) -> None:
        """A disconnected client frees its slot, however the scrape ends."""
        app = make_app(fleet.service, WebOptions(max_requests=1))

        async def leave() -> None:
            raise OSError("gone")

        async def scrape() -> int:
            for _ in range(3):
                with pytest.raises(ClientDisconnect):
                    await _send(app, "/metrics", pause=leave)
            return (await _send(app, "/metrics")).status

        assert asyncio.run(scrape()) == 200


class TestProbe:
    """Tests of /probe, which runs one probe immediately."""

    def test_it_runs_and_shows_that_probe_alone(self, app: Starlette, fleet: Exporting) -> None:
        """/probe returns fresh data of this probe only, without metrics of other probes or the exporter."""
        assert fleet.simulator.requests == []
        samples = parse(ask(app, "/probe?account=acme&probe=imunify").text)
        assert {request.path for request in fleet.simulator.requests} == {"/im/key/list.json", "/im/srv/list.json"}
        names = {name for name, _ in samples}
        assert "cln_imunify_key_info" in names
        assert not [name for name in names if not name.startswith(("cln_imunify_", "cln_probe_"))]
        assert {dict(labels)["account"] for _, labels in samples} == {"acme"}

    def test_a_failed_probe(self, app: Starlette, fleet: Exporting) -> None:
        """/probe of a failing probe returns success 0 with the last good data."""
        fleet.run("imunify")
        fleet.simulator.faults.add(Fault("html"))
        answer = ask(app, "/probe?account=acme&probe=imunify")
        values = {name: value for (name, _), value in parse(answer.text).items()}
        assert (answer.status_code, values["cln_probe_success"]) == (200, 0)
        assert "cln_imunify_key_info" in values

    def test_it_is_kept_as_a_poll_is(self, app: Starlette, fleet: Exporting) -> None:
        """The data of /probe appear on /metrics as well."""
        ask(app, "/probe?account=acme&probe=imunify")
        assert fleet.samples("cln_imunify_key_info")

    def test_of_cln_itself(self, app: Starlette) -> None:
        """The status probe runs without an account if there is one API root, or with an account that uses it."""
        for query in ("probe=status", "account=&probe=status", "account=acme&probe=status"):
            assert "cln_status_ok" in ask(app, f"/probe?{query}").text

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("", f"unknown probe; expected one of: {', '.join(ALL_PROBES)}"),
            ("account=acme", f"unknown probe; expected one of: {', '.join(ALL_PROBES)}"),
            ("account=acme&probe=<b>", f"unknown probe; expected one of: {', '.join(ALL_PROBES)}"),
            (
                "account=acme&probe=eportal",
                f"acme is an account, not an ePortal; {NO_EPORTALS}",
            ),
            ("probe=eportal", NO_EPORTALS),
            ("probe=kernelcare", "the probe kernelcare needs an account; configured accounts: acme"),
            ("account=nobody&probe=kernelcare", "unknown account; configured accounts: acme"),
            ("account=<b>&probe=kernelcare", "unknown account; configured accounts: acme"),
        ],
    )
    def test_not_found(self, query: str, told: str, app: Starlette) -> None:
        """/probe of an unknown target returns 404 with the known names, without repeating the query."""
        answer = ask(app, f"/probe?{query}")
        assert (answer.status_code, answer.text) == (404, f"{told}\n")

    def test_off(self, fleet: Exporting) -> None:
        """A disabled probe is distinguished from an unknown one, with how to enable it."""
        fleet.configure("", account="probes: {awp: {enabled: false}}")
        assert fleet.service.reload() is None
        app = make_app(fleet.service, WebOptions())
        text = "the probe awp of acme is disabled; to enable it, set probes.awp.enabled: true"
        assert ask(app, "/probe?account=acme&probe=awp").text == f"{text}\n"
        assert ask(app, "/api/v1/observations/acme/awp").json() == {"error": text}

    def test_no_target_can_be_named(self, app: Starlette, fleet: Exporting) -> None:
        """/probe does not accept a target URL, because the exporter holds credentials."""
        query = "account=acme&probe=imunify&target=http://evil.example.com/&api_url=http://evil.example.com/"
        assert ask(app, f"/probe?{query}").status_code == 200
        assert all("evil" not in request.target for request in fleet.simulator.requests)

    def test_those_who_come_together_share_one_run(self, app: Starlette, fleet: Exporting) -> None:
        """Parallel requests for the same probe share one run."""
        hold = fleet.hold("/im/srv/list.json")

        async def probe() -> list[int]:
            async with client(app) as asking:
                first = asyncio.create_task(asking.get("/probe?account=acme&probe=imunify"))
                assert await asyncio.to_thread(hold.asked.wait, 5)
                rest = [asyncio.create_task(asking.get("/probe?account=acme&probe=imunify")) for _ in range(9)]
                await asyncio.to_thread(wait_for_visitors, fleet.target("imunify").flight, 9)
                assert not any(task.done() for task in rest)
                hold.release()
                return [(await task).status_code for task in (first, *rest)]

        assert asyncio.run(probe()) == [200] * 10
        assert [request.path for request in fleet.simulator.requests] == ["/im/key/list.json", "/im/srv/list.json"]

    def test_those_who_wait_do_not_hold_up_scrapes(self, app: Starlette, fleet: Exporting) -> None:
        """Requests that wait for a hanging CLN do not delay scrapes."""
        hold = fleet.hold("/im/srv/list.json")

        async def probe() -> list[int]:
            async with client(app) as asking:
                waiting = [asyncio.create_task(asking.get("/probe?account=acme&probe=imunify")) for _ in range(100)]
                assert await asyncio.to_thread(hold.asked.wait, 5)
                answers = [await asyncio.wait_for(asking.get(path), 5) for path in ("/metrics", "/", "/config")]
                assert not [task for task in waiting if task.done()]
                hold.release()
                await asyncio.gather(*waiting)
                return [answer.status_code for answer in answers]

        assert asyncio.run(probe()) == [200] * 3

    def test_a_stop_breaks_it_off(self, app: Starlette, fleet: Exporting) -> None:
        """A shutdown ends a waiting /probe request with 503 immediately, without waiting for CLN."""
        hold = fleet.hold("/im/srv/list.json")

        async def probe() -> tuple[int, str]:
            async with client(app) as asking:
                waiting = asyncio.create_task(asking.get("/probe?account=acme&probe=imunify"))
                assert await asyncio.to_thread(hold.asked.wait, 5)
                waiting.cancel()
                answer = await asyncio.wait_for(waiting, 5)
                hold.release()
                return answer.status_code, answer.text

        assert asyncio.run(probe()) == (503, "the exporter is shutting down\n")


class TestReady:
    """Tests of /-/ready, which returns 200 after each enabled probe has run."""

    def test_before_and_after(self, app: Starlette, fleet: Exporting) -> None:
        """/-/ready lists the probes that have not run yet; a failed run counts as a run."""
        names = list(_enabled(fleet))
        api = fleet.target("status").id.api
        waiting = [f"status of {api}", *(f"{name} of acme" for name in names if name != "status")]
        answer = ask(app, "/-/ready")
        assert answer.text == f"not ready: {len(names)} probes have not run yet: {', '.join(waiting)}\n"
        fleet.simulator.faults.add(Fault("html"))
        fleet.run(*names[1:])
        assert ask(app, "/-/ready").text == f"not ready: 1 probes have not run yet: status of {api}\n"
        fleet.run("status")
        answer = ask(app, "/-/ready")
        assert (answer.status_code, answer.text) == (200, "ready\n")

    def test_the_list_is_short(self, fleet: Exporting) -> None:
        """/-/ready lists at most ten probes."""
        fleet.configure(accounts="\n".join(f"  - {{name: a{number}, login: l, secret_key: s}}" for number in range(20)))
        fleet.service.reload()
        text = ask(make_app(fleet.service, WebOptions()), "/-/ready").text
        assert text.count(" of ") == 10


class TestReload:
    """Tests of POST /-/reload."""

    def test_off(self, app: Starlette, fleet: Exporting) -> None:
        """A reload returns 403 with how to enable it, and loads nothing."""
        fleet.configure("surprise: 1")
        answer = ask(app, "/-/reload", "POST")
        assert answer.status_code == 403
        assert answer.text == "reload over HTTP is disabled; start with --web.enable-lifecycle, or send SIGHUP\n"
        assert "last_reload_successful 1.0" in fleet.own_metrics()

    def test_on(self, fleet: Exporting) -> None:
        """A successful reload returns 200, and the new configuration is in use."""
        app = make_app(fleet.service, WebOptions(enable_lifecycle=True))
        fleet.configure("max_server_series: 7")
        answer = ask(app, "/-/reload", "POST")
        assert (answer.status_code, answer.text) == (200, "reloaded\n")
        assert fleet.service.config.max_server_series == 7

    def test_a_bad_configuration(self, fleet: Exporting) -> None:
        """An invalid configuration returns 500 with one problem per line, and the old one stays in use."""
        app = make_app(fleet.service, WebOptions(enable_lifecycle=True))
        fleet.configure("surprise: 1\nconcurrency: none")
        answer = ask(app, "/-/reload", "POST")
        assert (answer.status_code, answer.headers["content-type"]) == (500, TEXT)
        first, *problems = answer.text.splitlines()
        assert first == "failed to reload the configuration:"
        assert [problem.partition(": ")[2].partition(":")[0] for problem in problems] == ["surprise", "concurrency"]
        assert fleet.service.config.concurrency == 8


class TestObservation:
    """Tests of the JSON that plugins read."""

    def test_before_the_first_run(self, app: Starlette) -> None:
        """Before the first run the JSON has the configuration, and null for everything unknown."""
        answer = json.loads(ask(app, "/api/v1/observations/acme/kernelcare").text)
        del answer["api"]
        assert answer == {
            "format": 1,
            "exporter_version": __version__,
            "ages": {"last_run": None, "last_success": None, "oldest_part": None},
            "account": "acme",
            "probe": "kernelcare",
            "interval": 900.0,
            "max_age": 3600.0,
            "stale_after": 86400.0,
            "last_run": None,
            "duration": None,
            "last_success": None,
            "failure": None,
            "read": 0,
            "lacking": 0,
            "missing": [],
            "shard": None,
            "observation": None,
            "host_names": {},
        }

    def test_what_was_seen(self, app: Starlette, fleet: Exporting) -> None:
        """The JSON has the observation with its times and masked labels."""
        fleet.run("kernelcare")
        answer = json.loads(ask(app, "/api/v1/observations/acme/kernelcare").text)
        now = fleet.clock.time()
        assert (answer["last_run"], answer["last_success"], answer["failure"]) == (now, now, None)
        (part,) = answer["observation"]["parts"]
        assert (part["name"], part["observed_at"]) == (mask_key(KEY), now)
        assert part["value"]["key"] == mask_key(KEY)
        assert part["value"]["servers"][0]["ip"] == "192.0.2.1"

    def test_a_failure(self, app: Starlette, fleet: Exporting) -> None:
        """The JSON of a failing probe has its reason and text, with the last good data."""
        fleet.run("kernelcare")
        fleet.simulator.faults.add(Fault("html"))
        fleet.run("kernelcare")
        answer = json.loads(ask(app, "/api/v1/observations/acme/kernelcare").text)
        assert answer["failure"]["reason"] == "bad_answer"
        assert len(answer["observation"]["parts"]) == 1
        assert (answer["read"], answer["lacking"]) == (1, 0)
        assert answer["observation"]["missing"][0]["name"] == ""

    def test_what_is_too_old_is_not_told(self, app: Starlette, fleet: Exporting) -> None:
        """Expired data are not in the JSON, so that no plugin reports OK from old data."""
        fleet.run("kernelcare")
        fleet.clock.advance(3601)
        answer = json.loads(ask(app, "/api/v1/observations/acme/kernelcare").text)
        assert (answer["read"], answer["observation"]["parts"]) == (0, [])
        assert answer["last_success"] == fleet.clock.time() - 3601

    def test_of_cln_itself(self, app: Starlette, fleet: Exporting) -> None:
        """The observation of the status probe is available under each account with the API root, and under none."""
        fleet.run("status")
        answer = json.loads(ask(app, "/api/v1/observations/acme/status").text)
        assert answer == ask(app, "/api/v1/observations/status").json()
        assert (answer["account"], answer["probe"]) == ("", "status")
        assert answer["observation"]["parts"][0]["value"][0] == {
            "name": "db_clweb_connected",
            "value": True,
            "good": True,
        }

    def test_some_servers(self, app: Starlette, fleet: Exporting) -> None:
        """Filters select servers by key, address and id; a key is named by its mask."""
        fleet.account.kernelcare_keys[KEY].add_server("other", ip="192.0.2.7")
        fleet.run("kernelcare")
        for query, expected in (
            (f"key={mask_key(KEY)}", ["one", "other"]),
            ("ip=192.0.2.7", ["other"]),
            ("server_id=one&server_id=none", ["one"]),
            ("server_id=one&ip=192.0.2.7", []),
        ):
            answer = ask(app, f"/api/v1/observations/acme/kernelcare?{query}").json()
            parts = answer["observation"]["parts"]
            assert [one["server_id"] for part in parts for one in part["value"]["servers"]] == expected

    def test_a_summary(self, app: Starlette, fleet: Exporting) -> None:
        """A summary follows the data and the time, with gzip if it is long and the client accepts it."""
        path = "/api/v1/observations/acme/kernelcare?form=summary"
        assert ask(app, path).json()["observation"] is None
        fleet.run("kernelcare")
        for number in range(200):
            fleet.account.kernelcare_keys[KEY].add_server(f"s{number}", ip=f"10.0.0.{number}")
        before = ask(app, path).json()["summary"]
        fleet.run("kernelcare")
        after = ask(app, path, headers={"Accept-Encoding": "gzip"})
        assert after.headers["content-encoding"] == "gzip"
        assert [sum(group["size"] for group in one["groups"]) for one in (before, after.json()["summary"])] == [1, 201]
        plain = ask(app, path)
        assert "content-encoding" not in plain.headers
        assert plain.json() == after.json()
        assert plain.headers["vary"] == after.headers["vary"] == "Accept-Encoding"
        later = ask(app, f"{path}&at={fleet.clock.time() + 90000}").json()["summary"]
        assert {group["found"] for group in later["groups"]} == {1}

    @pytest.mark.parametrize("query", ["keys=x", "form=short", "form=summary&ip=192.0.2.1", "at=1"])
    def test_bad_parameters(self, query: str, app: Starlette) -> None:
        """An unknown or invalid parameter is an error, so that a typo does not return all servers."""
        answer = ask(app, f"/api/v1/observations/acme/kernelcare?{query}")
        assert answer.status_code == 400
        assert list(answer.json()) == ["error"]

    @pytest.mark.parametrize(
        "path", ["nobody/kernelcare", "acme/nothing", "acme/%3Cb%3E", "%2E%2E/kernelcare", "acme", "kernelcare"]
    )
    def test_not_found(self, path: str, app: Starlette) -> None:
        """An unknown observation returns 404 with the known names."""
        answer = ask(app, f"/api/v1/observations/{path}")
        assert answer.status_code == 404
        assert re.search("; (expected one of|configured accounts): ", answer.json()["error"])
        assert "<b>" not in answer.text


def test_what_was_told_before_expires(app: Starlette, fleet: Exporting) -> None:
    """Expired data appear neither in the metrics nor in the JSON, even if no probe has run since."""
    fleet.run("kernelcare")
    for _ in range(2):
        assert "cln_kernelcare_key_info" in ask(app, "/metrics").text
        assert ask(app, "/api/v1/observations/acme/kernelcare").json()["read"] == 1
    fleet.clock.advance(3601)
    assert ask(app, "/api/v1/observations/acme/kernelcare").json()["read"] == 0
    assert "cln_kernelcare_key_info" not in ask(app, "/metrics").text


def test_index_of_observations(app: Starlette, fleet: Exporting) -> None:
    """The index has the status of each probe without its data, so it is small for a large fleet."""
    fleet.run("kernelcare")
    fleet.simulator.faults.add(Fault("html"))
    fleet.run("imunify")
    answer = ask(app, "/api/v1/observations").json()
    assert (answer["format"], bool(answer["exporter_version"])) == (1, True)
    probes = {entry["probe"]: entry for entry in answer["probes"]}
    assert list(probes) == _enabled(fleet)
    assert probes["kernelcare"]["last_success"] == fleet.clock.time()
    assert probes["imunify"]["failure"]["reason"] == "bad_answer"
    assert probes["status"]["last_run"] is None
    counts = {name: (entry["read"], entry["lacking"]) for name, entry in probes.items()}
    assert [counts[name] for name in ("kernelcare", "imunify", "status")] == [(1, 0), (0, 1), (0, 0)]
    assert {entry["observation"] for entry in probes.values()} == {None}
    assert answer["problems"] == []


def test_index_of_observations_has_the_problems_of_the_exporter(app: Starlette, fleet: Exporting) -> None:
    """The index lists the problems of the exporter with their severity, for check_cln_exporter."""
    fleet.file.text += "surprise: 1"
    fleet.service.reload()
    [problem] = ask(app, "/api/v1/observations").json()["problems"]
    assert (problem["severity"], problem["account"]) == ("warning", "")
    assert problem["text"].startswith("The configuration could not be reloaded; ")


def test_config(app: Starlette, fleet: Exporting) -> None:
    """/config shows the current configuration with all secrets replaced."""
    text = ask(app, "/config").text
    assert "login: <secret>" in text
    assert f"api_url: {fleet.url}" in text
    assert not [secret for secret in SECRETS if secret in text]


def test_nothing_secret_is_shown(app: Starlette, fleet: Exporting) -> None:
    """No path shows a login, secret, token, or license key, whether polls succeed or fail."""
    for faults in ([], ["html"], ["cut"]):
        for kind in faults:
            fleet.simulator.faults.add(Fault(kind))
        fleet.run()
        for path in (*GET_PATHS, *(f"/api/v1/observations/acme/{name}" for name in _enabled(fleet)), "/probe"):
            text = ask(app, path).text
            assert not [secret for secret in SECRETS if secret in text], path


def test_healthy_whatever_happens(app: Starlette, fleet: Exporting) -> None:
    """/-/healthy reports on the process only, and succeeds while CLN is down."""
    fleet.simulator.faults.add(Fault("html"))
    fleet.run()
    assert (ask(app, "/-/healthy").status_code, ask(app, "/-/healthy").text) == (200, "healthy\n")


def _enabled(exporting: Exporting) -> list[str]:
    return [name for name, settings in exporting.service.config.accounts[0].probes.items() if settings.enabled]


class _Raw:
    """A response as passed to the server, with its ``pieces`` in order."""

    def __init__(self, messages: list[Message]) -> None:
        start, *rest = messages
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.pieces: list[bytes] = [message["body"] for message in rest]
        self.body = b"".join(self.pieces)


async def _send(
    app: Starlette, path: str, headers: dict[str, str] | None = None, pause: Callable[[], Any] | None = None
) -> _Raw:
    """Send a request to ``app``; ``pause`` is awaited at the first piece of the body."""
    messages: list[Message] = []
    at, _, query = path.partition("?")

    async def send(message: Message) -> None:
        messages.append(message)
        if pause is not None and len(messages) == 2:
            await pause()

    async def receive() -> Message:
        await asyncio.Event().wait()  # a client that neither sends nor leaves
        raise AssertionError

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": at,
        "raw_path": at.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("192.0.2.9", 12345),
        "server": ("192.0.2.1", 10099),
    }
    await app(scope, receive, send)
    return _Raw(messages)


def _raw(app: Starlette, path: str, headers: dict[str, str] | None = None) -> _Raw:
    return asyncio.run(_send(app, path, headers))


class TestPrefix:
    """Tests of a route prefix, as used behind an ingress."""

    @pytest.fixture
    def app(self, fleet: Exporting) -> Starlette:
        """Return the application with the route prefix /cln."""
        fleet.run()
        return make_app(fleet.service, WebOptions(route_prefix="/cln/exporter"))

    @pytest.mark.parametrize(
        "path",
        [
            *("metrics", "-/healthy", "config", "runbook", "sd/kernelcare", "api/v1/observations"),
            *("probe?account=acme&probe=imunify", "?account=acme"),
        ],
    )
    def test_every_path(self, path: str, app: Starlette) -> None:
        """Each path exists below the prefix only."""
        assert ask(app, f"/cln/exporter/{path}").status_code == 200
        assert ask(app, f"/{path}").status_code == (302 if path.startswith("?") else 404)
        assert ask(app, f"/cln/exporterx/{path}").status_code == 404
        assert ask(app, f"/cln/exporter/{path.partition('?')[0]}/").status_code == 404

    @pytest.mark.parametrize("path", ["/", "/cln/exporter"])
    def test_the_way_to_the_page(self, path: str, app: Starlette) -> None:
        """The redirect to the status page stays below the prefix, and names no host."""
        answer = ask(app, path, headers={"Host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (302, "/cln/exporter/")

    def test_the_links_of_the_page(self, app: Starlette) -> None:
        """Links of the status page are relative, so that they work behind any proxy path."""
        page = ask(app, "/cln/exporter/")
        assert page.status_code == 200
        links = re.findall(r'(?:href|src)="([^"#][^"]*)"', page.text)
        assert "sd/kernelcare" in links
        assert not [link for link in links if link.startswith("/")]
        for link in {link for link in links if ":" not in link}:
            assert ask(app, f"/cln/exporter/{link.removeprefix('./')}").status_code in {200, 503}, link

    def test_the_links_of_the_runbook(self, app: Starlette) -> None:
        """Links of the runbook lead to the status page in the same path."""
        links = re.findall(r'href="([^"#][^"]*)"', ask(app, "/cln/exporter/runbook").text)
        assert set(links) == {"./"}
