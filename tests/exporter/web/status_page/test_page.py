"""The HTML of the status page: its content, no secrets, and escaping."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Exchange, mask_key
from cln_monitor.exporter.web.status_page import POLICY, StatusPage, page
from cln_monitor.exporter.web.status_page.assets import source_hash
from cln_monitor.exporter.web.status_page.summary import summarize
from cln_monitor.simulator import Fault
from tests.exporter.conftest import Exporting
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, LOGIN, SECRET_KEY, SECRETS

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "' onmouseover='x",
    '"><b>',
    "&lt;b>",
    "</title><h1>",
]


class Read(HTMLParser):
    """A page as parsed by a browser: its ``tags`` with attributes, its ``text``, and its headings, ``heads``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.heads: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.heads.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self.text += data
        if any(re.fullmatch("h[1-6]", tag) for tag in self._open):
            tag, before = self.heads[-1]
            self.heads[-1] = (tag, before + data)

    def all(self, attribute: str) -> list[str]:
        """Return all values of an attribute."""
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


def read(exporting: Exporting) -> Read:
    """Return the page as parsed by a browser."""
    return Read(StatusPage(exporting.service, "/metrics").render())


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """Return an exporter of an account with data for each section, and all probes enabled; nothing is polled yet."""
    account = exporting.account
    web = account.add_kernelcare_key(KEY, limit=2, note="Web")
    web.add_server("one", ip="192.0.2.1")
    web.add_server("two", ip="192.0.2.2", last_checkin=1714000000, patch_state="outofdate")
    account.add_imunify_key(IMUNIFY_KEY, code="360_30").add_server("im", ip="198.51.100.1", last_checkin=None)
    account.add_els_key(code="CELS", limit=5)
    account.add_ip_license("192.0.2.1", 16)
    account.add_ip_license("192.0.2.9", 16, registered=False, created=1710000000)
    account.add_group("Frankfurt").add_server(web.servers["one"])
    on = ", ".join(f"{probe}: {{enabled: true}}" for probe in ("els", "groups", "awp"))
    exporting.configure(account=f"probes: {{{on}}}")
    exporting.service.reload()
    return exporting


def test_before_the_first_poll(fleet: Exporting) -> None:
    """Before the first poll the page says that there is no data, not that all is well."""
    page = read(fleet)
    assert "No data yet: the first polls are running" in page.text
    assert page.text.count("not read yet") == 8
    assert [text for tag, text in page.heads if tag == "h2"] == [
        "No data yet: the first polls are running",
        "Probes",
        "Links",
    ]


def test_all_of_it(fleet: Exporting) -> None:
    """The page has each section with its content."""
    fleet.run()
    page = read(fleet)
    assert [text for tag, text in page.heads if tag == "h2"] == [
        "3 warnings",
        "Probes",
        "Check-ins",
        "Keys",
        "Kernels",
        "IP licenses",
        "Groups",
        "AccelerateWP",
        "Links",
    ]
    for text in (
        f'KernelCare key "Web" ({mask_key(KEY)}) of acme is full (2/2)',
        "1 server of acme has an unpatched kernel",
        "1 KernelCare server of acme has not checked in for over 1d",
        "1 Imunify server of acme has not checked in yet",
        "1 IP license of acme unused for 7d or longer",
        "xmlrpc true",
        "Imunify360 up to 30 users",
        "CentOS 6 ELS",
        "Frankfurt",
        "AccelerateWP Premium",
    ):
        assert text in page.text, text


def test_links(fleet: Exporting) -> None:
    """Each path is linked, and each linked section exists."""
    fleet.run()
    page = read(fleet)
    links = set(page.all("href"))
    assert {"metrics", "config", "-/ready", "-/healthy", "api/v1/observations"} <= links
    assert {"sd/kernelcare", "sd/imunify", "sd/ip_licenses", "sd/els"} <= links
    assert {"api/v1/observations/acme/kernelcare", "api/v1/observations/status"} <= links
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(page.all("id"))
    assert not [
        link for link in links if link.startswith("/") or ("//" in link and not link.startswith("data:image/svg"))
    ]


def test_the_path_of_the_metrics(fleet: Exporting) -> None:
    """The link to the metrics uses --web.telemetry-path."""
    assert 'href="all/metrics"' in StatusPage(fleet.service, "/all/metrics").render()


def test_it_is_for_everybody(fleet: Exporting) -> None:
    """The page is accessible: heading levels, table headers, descriptions of charts, and unique IDs."""
    fleet.run()
    page = read(fleet)
    levels = [int(tag[1]) for tag, _ in page.heads]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("id")) == len(set(page.all("id")))
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes["scope"] in {"col", "row"}
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes["role"] == "img"
        if tag in {"table", "section"}:
            assert set(attributes["aria-labelledby"].split()) <= set(page.all("id"))
    assert {tag for tag, _ in page.tags} >= {"main", "nav", "header", "footer", "title", "desc"}
    assert ("html", {"lang": "en"}) in page.tags


@pytest.mark.parametrize("message", HOSTILE)
def test_hostile_words_of_cln_are_only_words(message: str, fleet: Exporting) -> None:
    """Text from CLN is escaped: it creates no tag, attribute, or template."""
    harmless = json.dumps({"success": False, "message": "words"})
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=harmless))
    fleet.run("kernelcare")
    before = [tag for tag, _ in read(fleet).tags]
    fleet.simulator.faults.clear()
    body = json.dumps({"success": False, "message": message})
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=body))
    fleet.run("kernelcare")
    page = read(fleet)
    assert message in page.text
    assert [tag for tag, _ in page.tags] == before
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_only_names(text: str, fleet: Exporting) -> None:
    """Notes, products, IDs, addresses, groups, and hosts are escaped."""
    rows = {
        "/kcare/key/list.json": [{"key": "k" * 16, "limit": 1, "note": text}],
        "/kcare/key/servers.json": [{"server_id": text, "ip": text, "last_checkin": None}],
        "/im/key/list.json": [{"key": "i" * 16, "code": text, "limit": 1}],
        "/im/srv/list.json": [{"id": text, "ip": text}],
        "/group/list.json": [{"name": text}],
    }
    for path, data in rows.items():
        body = json.dumps({"success": True, "data": data})
        fleet.simulator.faults.add(Fault("answer", path, body=body))
    fleet.run("kernelcare", "imunify", "groups")
    page = read(fleet)
    assert page.text.count(text) >= 4
    assert not {"b", "img"} & {tag for tag, _ in page.tags}
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_nothing_secret(fleet: Exporting) -> None:
    """The page contains no login and no key, whether polls succeed or fail."""
    fleet.run()
    fleet.simulator.faults.add(Fault("status", status=401))
    for _ in range(2):
        html = StatusPage(fleet.service, "/metrics").render()
        assert not [secret for secret in SECRETS if secret in html]
        fleet.run()


def test_what_is_too_old_is_not_shown(fleet: Exporting) -> None:
    """Expired data are not shown, and the page says so."""
    fleet.run("kernelcare")
    fleet.clock.advance(3601)
    page = read(fleet)
    assert "192.0.2.2" not in page.text
    assert "The data of kernelcare of acme have expired" in page.text


def test_a_digest_is_made_once(fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary of an observation is computed once per poll, and dropped with its target."""
    probes: list[str] = []

    def counted(observation: Any, stale_after: float, host_names: Any) -> Any:
        probes.append(observation.probe)
        return summarize(observation, stale_after, host_names)

    monkeypatch.setattr(page, "summarize", counted)
    status = StatusPage(fleet.service, "/metrics")
    fleet.run("kernelcare", "imunify")
    first = status.render()
    assert status.render() == first
    assert probes == ["kernelcare", "imunify"]
    fleet.run("kernelcare")
    status.render()
    assert probes == ["kernelcare", "imunify", "kernelcare"]
    fleet.configure(account="probes: {imunify: {enabled: false}}")
    fleet.service.reload()
    status.render()
    assert [id_.probe for id_ in status._summaries] == ["kernelcare"]


@pytest.mark.many_inputs
def test_it_stays_small(fleet: Exporting) -> None:
    """The page is small regardless of the number of accounts, keys, and servers, and of the length of texts."""
    fleet.configure(accounts="\n".join(f"  - {{name: a{number}, login: l, secret_key: s}}" for number in range(99)))
    fleet.service.reload()
    keys = [{"key": f"key{number:013}", "limit": 50, "note": '"' * 256} for number in range(60)]
    servers = [{"server_id": '"' * 200 + str(number), "ip": '"' * 256, "last_checkin": None} for number in range(50)]
    for path, data in {"/kcare/key/list.json": keys, "/kcare/key/servers.json": servers}.items():
        fleet.simulator.faults.add(Fault("answer", path, body=json.dumps({"success": True, "data": data})))
    fleet.run("kernelcare")
    fleet.run("imunify", "patch_status", account="a1")
    assert len(StatusPage(fleet.service, "/metrics").render().encode()) < 150_000


def test_its_policy_allows_what_is_its_own(fleet: Exporting) -> None:
    """The Content-Security-Policy allows the style and script of the page by hash, and requests to itself."""
    html = StatusPage(fleet.service, "/metrics").render()
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    (script,) = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    assert source_hash(style) in POLICY
    assert source_hash(script) in POLICY
    assert "style=" not in html
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", html)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """Text has the contrast of WCAG AA, shapes that of graphics."""
    colours = _colours(scheme)
    for text in ("text", "quiet", "link", "ok", "warning", "critical", "waiting"):
        assert _contrast(colours[text], colours["card"]) >= 4.5, text
    for text in ("text", "quiet", "link"):
        assert _contrast(colours[text], colours["ground"]) >= 4.5, text
    for state in ("ok", "warning", "critical", "waiting"):
        assert _contrast(colours[state], colours[f"{state}-soft"]) >= 4.5, state
    for shape in ("ok-fill", "warning-fill", "critical-fill", "deep-fill", "idle-fill"):
        assert _contrast(colours[shape], colours["card"]) >= 3, shape


def _colours(scheme: str) -> dict[str, str]:
    css = (Path(page.__file__).parent / "templates" / "status.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)", 1)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light))
    return colours if scheme == "light" else colours | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark))


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def of_two(fleet: Exporting) -> None:
    """Add a second account with the same data to the exporter, and poll both."""
    other = f"  - {{name: other-1, login: {LOGIN}, secret_key: {SECRET_KEY}}}"
    fleet.configure(accounts=other)
    fleet.service.reload()
    fleet.run("status", "kernelcare", "ip_licenses")
    fleet.run("kernelcare", account="other-1")


def test_one_account_of_several(fleet: Exporting) -> None:
    """The page of one account has its probes and data, CLN itself, and links to the same account."""
    of_two(fleet)
    status = StatusPage(fleet.service, "/metrics")
    both, one = Read(status.render()), Read(status.render("other-1"))
    for text in (" of acme ", " of other-1 "):
        assert text in both.text
    assert " of acme " not in one.text
    assert " of other-1 " in one.text
    assert "CLN at" in one.text
    assert {"./", "?account=acme", "?account=other-1"} <= set(both.all("href")) & set(one.all("href"))
    assert "sd/kernelcare?account=other-1" in one.all("href")
    assert one.text.count("Account") < both.text.count("Account")


def test_digests_of_other_accounts_are_kept(fleet: Exporting) -> None:
    """The page of one account keeps the cached summaries of the others."""
    of_two(fleet)
    status = StatusPage(fleet.service, "/metrics")
    status.render()
    known = dict(status._summaries)
    status.render("acme")
    assert status._summaries == known
    assert len(known) == 4


@pytest.mark.parametrize("name", ["nobody", *HOSTILE, "x" * 5000, "\u05d0"])
def test_an_unknown_account(name: str, fleet: Exporting) -> None:
    """The page of an unknown account says so, and escapes the name."""
    fleet.run()
    before = Read(StatusPage(fleet.service, "/metrics").render("nobody"))
    page = Read(StatusPage(fleet.service, "/metrics").render(name))
    assert "in the configuration" in page.text
    assert "All is well" not in page.text
    assert ("section", {"class": "verdict waiting", "aria-labelledby": "verdict"}) in page.tags
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in before.tags]
    assert "?account=acme" in page.all("href")
    assert len(page.text) < 3000


def test_one_account_needs_no_choice(fleet: Exporting) -> None:
    """With one account there is no account selection."""
    fleet.run()
    assert ("nav", {"class": "wide accounts", "aria-label": "Accounts"}) not in read(fleet).tags


def test_the_demo_says_what_it_is(fleet: Exporting) -> None:
    """Only the demo says that its data are simulated."""
    demo = StatusPage(fleet.service, "/metrics", is_demo=True).render()
    assert "Demo: simulated data" in demo
    assert "Demo" not in StatusPage(fleet.service, "/metrics").render()


def test_rows_lead_on(fleet: Exporting) -> None:
    """Problems link to the runbook, to their section, and to the data."""
    fleet.run()
    page = read(fleet)
    links = page.all("href")
    assert {"runbook#clnkeyfull", "runbook#clnserverstale", "runbook#clnserversoutofdate", "runbook"} <= set(links)
    assert "api/v1/observations/acme/patch_status" in links
    assert [tag for tag, _ in page.tags].count("details") == 4
    assert "192.0.2.2" in page.text
    assert "192.0.2.9: KernelCare, since 2024-03-09" in page.text


NOTES = {
    "quotes": "a \"quoted\" 'note'",
    "template": "{{ 7 * 7 }} {% for %}",
    "newline": "first\nsecond",
    "long": "n" * 4096,
    "right to left": "שרתי אירוח \u202e12",
    "markup": "</small></th><script>",
}


@pytest.mark.parametrize("note", NOTES.values(), ids=list(NOTES))
def test_notes_of_all_kinds(note: str, fleet: Exporting) -> None:
    """A note of any content changes neither the tags nor the text direction of the page."""
    fleet.run()
    before = [tag for tag, _ in read(fleet).tags]
    next(iter(fleet.account.kernelcare_keys.values())).note = note
    fleet.run()
    html = StatusPage(fleet.service, "/metrics").render()
    page = Read(html)
    assert [tag for tag, _ in page.tags] == before
    assert note.split(maxsplit=1)[0][:40] in page.text
    assert "n" * 100 not in page.text
    assert "\u202e" not in html
    assert ("\u2068" in html) == ("שרתי" in note)
    assert "49" not in re.sub(r"[0-9.]{3,}", "", page.text) or note != NOTES["template"]


def test_problems_of_the_exporter_itself(fleet: Exporting) -> None:
    """Problems of the exporter are listed with the probes, and link to the runbook."""
    fleet.run()
    assert "runbook#clnconfigreloadfailed" not in read(fleet).all("href")
    fleet.file.text += "surprise: 1"
    fleet.service.reload()
    fleet.service.counters.observe_request(Exchange(fleet.target("kernelcare").id.api, "/", "200", 0.1, 900.0))
    page = read(fleet)
    assert ("h2", "5 warnings") in page.heads
    assert "The configuration could not be reloaded" in page.text
    assert "The clock of the exporter is 15m behind the clock of CLN at " in page.text
    assert {"runbook#clnconfigreloadfailed", "runbook#clnclockskew"} <= set(page.all("href"))


def test_problems_of_the_exporter_itself_concern_accounts(fleet: Exporting) -> None:
    """Dropped series are not shown on the page of another account."""
    of_two(fleet)
    fleet.target("kernelcare").series_dropped = 1234
    status = StatusPage(fleet.service, "/metrics")
    text = "1234 per-server series of kernelcare of acme are left out"
    assert [text in status.render(account) for account in ("", "acme", "other-1")] == [True, True, False]
