"""The status page in a real browser: its text, its requests and its layout."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.chromium import Chromium, Page
from tests.helpers.running import Exporter, running_exporter, wait_until
from tests.helpers.small_cln import KEY, LOGIN, SECRETS, small_cln, write_config

pytestmark = pytest.mark.needs_server("chromium")

HOSTILE = '<script>document.title="pwned"</script><img src=//evil.example.com/x onerror=alert(1)>'
WIDTHS = [1280, 390, 360]
OVERFLOWING = """
[...document.querySelectorAll("main *")].filter((each) => {
  const box = each.getBoundingClientRect();
  return !each.closest(".hidden, thead") && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map((each) => each.outerHTML.slice(0, 80))
"""
CUT = """
[...document.querySelectorAll("main h2, main h3, main li, main th, main td, main p")].filter((each) =>
  !each.closest(".hidden, thead") && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0
).concat([...document.querySelectorAll("main svg text")].filter((each) => {
  const [box, picture] = [each, each.closest("svg")].map((one) => one.getBoundingClientRect());
  return box.left < picture.left - 1 || box.right > picture.right + 1 || box.bottom > picture.bottom + 1;
})).map((each) => each.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Yield one browser for all tests, as its start takes a second."""
    with Chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    """Return a CLN of one account, with a malicious note on a key."""
    simulator = small_cln()
    simulator.accounts[LOGIN].kernelcare_keys[KEY].note = HOSTILE
    return simulator


@pytest.fixture(scope="module")
def exporter(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """Yield the exporter that monitors it."""
    folder = tmp_path_factory.mktemp("page")
    with serve(simulator) as served:
        config = write_config(folder, served.url)
        with running_exporter(folder, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            yield exporter


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """Yield the demo, which has something in each section."""
    with running_exporter(tmp_path_factory.mktemp("demo"), "--demo") as exporter:
        exporter.wait_ready()
        yield exporter


def opened(chromium: Chromium, exporter: Exporter, width: int = 1280, *, dark: bool = False) -> Page:
    """Return the status page of ``exporter`` in a tab."""
    return chromium.page(f"http://{exporter.address}/", width, dark=dark)


def test_text_of_the_page(chromium: Chromium, exporter: Exporter) -> None:
    """The page has a summary, problems and all details, without secrets and console messages."""
    page = opened(chromium, exporter)
    text = page.text()
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0] == "Skip to the problems"
    assert lines[1].startswith("CloudLinux Network")
    assert re.fullmatch(r"(\d+ critical and )?\d+ warnings?", page.text("#verdict"))
    for words in (
        "1 KernelCare server of acme has been silent for over 30d, still billed",
        "3 of 4",
        "192.0.2.2",
        "xmlrpc",
    ):
        assert words in text, words
    assert not [secret for secret in SECRETS if secret in text]
    assert page.complaints == []


def test_a_note_that_means_harm_is_only_a_note(chromium: Chromium, exporter: Exporter) -> None:
    """A malicious note is shown as text, and no other host is contacted."""
    page = opened(chromium, exporter)
    assert HOSTILE[:60] in page.text()
    assert "pwned" not in page.evaluate("document.title")
    assert page.evaluate("document.images.length") == 0
    assert page.hosts == {exporter.address}
    assert set(page.paths) == {"/"}
    assert page.complaints == []


@pytest.mark.parametrize("path", ["", "runbook"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits(width: int, dark: bool, path: str, chromium: Chromium, demo: Exporter) -> None:
    """The page fits screens and phones without overflow, and follows the color scheme."""
    page = chromium.page(f"http://{demo.address}/{path}", width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CUT) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(14, 18, 22)" if dark else "rgb(244, 246, 248)")
    assert page.picture()[:8] == b"\x89PNG\r\n\x1a\n"
    assert page.complaints == []


def test_images_have_texts(chromium: Chromium, demo: Exporter) -> None:
    """The accessibility tree has texts for images, and tables also on a phone."""
    page = opened(chromium, demo, 390)
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [(node.get("role", {}).get("value"), node.get("name", {}).get("value", "")) for node in nodes]
    pictures = [name for role, name in roles if role == "image"]
    descriptions = [node.get("description", {}).get("value", "") for node in nodes]
    assert any(text.startswith("Of 93 servers: ") for text in descriptions)
    assert [name.split(" of ")[-1] for name in pictures] == [
        "KernelCare servers",
        "Imunify servers",
        "IP-licensed servers",
        "ELS servers",
    ]
    tables = {name for role, name in roles if role == "table"}
    assert {"Accounts", "Silent servers, longest first", "Keys", "IP licenses", "Groups"} <= tables
    assert sum(role == "rowheader" for role, _ in roles) > 30
    assert {"banner", "main", "navigation", "contentinfo"} <= {role for role, _ in roles}


def test_the_longest_notes_fit(chromium: Chromium, simulator: Simulator, exporter: Exporter) -> None:
    """Notes of one long word or in right-to-left text do not widen the page."""
    key = simulator.accounts[LOGIN].kernelcare_keys[KEY]
    before, notes = key.note, ("n" * 4096, "שרתי אירוח " * 400, '"{{ x }}"\n' * 400)
    try:
        for note in notes:
            key.note = note
            start = note[:9].strip()
            # A poll may be under way that has read the note before this one.
            wait_until(partial(_shows, exporter, start), f"the note {start} on the page")
            page = opened(chromium, exporter, 390)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert start in page.text()
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            assert page.evaluate(OVERFLOWING) == []
            assert page.complaints == []
    finally:
        key.note = before


def _shows(exporter: Exporter, words: str) -> bool:
    return words in html.unescape(exporter.ask("/").text)


def test_open_details_stay_open(chromium: Chromium, demo: Exporter) -> None:
    """Open details and the focus are kept during updates."""
    page = opened(chromium, demo)
    page.evaluate("document.querySelector('details summary').focus()")
    page.press("Enter")
    wait_until(lambda: page.evaluate("document.querySelector('details').open"), "the row to open")
    name = page.text("details .names li")
    assert "example.net" in name
    page.evaluate("document.querySelector('#main').dataset.old = 'yes'")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: page.evaluate("document.querySelector('#main').dataset.old === undefined"), "the update")
    assert page.evaluate("[...document.querySelectorAll('details[open]')].length") == 1
    assert page.text("details .names li").split(",")[0] == name.split(",")[0]
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.complaints == []


def test_an_account_stays_chosen(chromium: Chromium, demo: Exporter) -> None:
    """The chosen account is kept during updates."""
    page = chromium.page(f"http://{demo.address}/?account=demo", 1280)
    page.evaluate("document.querySelector('#main').dataset.old = 'yes'")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: page.evaluate("document.querySelector('#main').dataset.old === undefined"), "the update")
    assert "show all accounts" in page.text()
    assert page.text(".banner").startswith("Demo: simulated data.")


def test_from_a_problem_to_the_runbook(chromium: Chromium, demo: Exporter) -> None:
    """A click on a problem opens its section of the runbook, and another one returns."""
    page = opened(chromium, demo)
    target = page.evaluate("document.querySelector('.where a[href^=runbook]').href")
    page.open(target)
    assert page.text("h2:target").lower() == target.partition("#")[2]
    back = page.evaluate("document.querySelector('header a[href=\"./\"]').href")
    assert back == f"http://{demo.address}/"
    assert page.complaints == []


def test_by_keyboard(chromium: Chromium, demo: Exporter) -> None:
    """The first tab stop skips the header, and the focus is visible."""
    page = opened(chromium, demo)
    page.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the problems"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") > 0
    page.press("Enter")
    wait_until(lambda: page.evaluate("document.activeElement.id") == "main", "the focus to be past the header")
    page.press("Tab")
    assert page.evaluate("document.activeElement.closest('.verdict') !== null")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_it_brings_itself_up_to_date(chromium: Chromium, exporter: Exporter, simulator: Simulator) -> None:
    """The page updates in place, reports failures of CLN, and can be paused."""
    page = opened(chromium, exporter)
    page.evaluate("document.querySelector('main a[href=\"config\"]').focus()")
    place = page.evaluate("scrollY")
    assert place > 0
    fault = simulator.faults.add(Fault("status", "/im/key/*", status=401))
    try:
        wait_until(lambda: "imunify of acme is failing (auth)" in exporter.ask("/").text, "the probe to fail")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when one comes back to the tab
        wait_until(lambda: "imunify of acme is failing (auth)" in page.text(), "the page to tell it")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "config"
        assert abs(page.evaluate("scrollY") - place) < 200
        page.evaluate("document.getElementById('pause').click()")
        assert page.text("#pause") == "Resume updates"
    finally:
        simulator.faults.remove(fault)
    wait_until(lambda: "is failing (auth)" not in exporter.ask("/").text, "the probe to recover")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert "is failing (auth)" in page.text()
    page.evaluate("document.getElementById('pause').click()")
    wait_until(lambda: "is failing (auth)" not in page.text(), "the page to go on")
    assert page.complaints == []
    assert page.hosts == {exporter.address}


def test_unreachable_exporter(chromium: Chromium, tmp_path: Path) -> None:
    """While the exporter is unreachable, the page is marked as outdated."""
    with running_exporter(tmp_path, "--demo") as exporter:
        page = opened(chromium, exporter)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: page.evaluate("!document.getElementById('lost').hidden"), "the page to say so")
    assert "The exporter has not responded since" in page.text("#lost")


def test_without_scripts(chromium: Chromium, demo: Exporter) -> None:
    """Without JavaScript, the page is complete and reloads automatically."""
    page = chromium.page(f"http://{demo.address}/", 390, scripts=False)
    refresh = page.call("DOM.getDocument", {"depth": -1, "pierce": True})
    assert '"http-equiv", "refresh"' in json.dumps(refresh)
    assert "Silent servers" in json.dumps(refresh)
    assert page.complaints == []
