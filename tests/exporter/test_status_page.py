"""The page an operator opens first."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from cln_monitor.exporter.status_page import status_page
from cln_monitor.simulator import Fault
from tests.small_cln import KEY, SECRETS

from .conftest import Exporting


class _Rows(HTMLParser):
    """The texts of the cells of a table, row by row; ``tags`` are all tags of the page, ``links`` where they lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._in_cell = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def page_of(exporting: Exporting) -> _Rows:
    """Return the page as a browser reads it."""
    return _Rows(status_page(exporting.service, "/metrics"))


def row_of(exporting: Exporting, probe: str) -> list[str]:
    """Return the row of a probe."""
    (row,) = [row for row in page_of(exporting).rows if row[1] == probe]
    return row


def test_before_the_first_run(exporting: Exporting) -> None:
    """A row a probe, in the order of the probes; CLN itself goes by its host."""
    page = page_of(exporting)
    assert page.rows[0] == ["Account", "Probe", "State", "Last run", "Last success", "Parts read", "Details"]
    assert [row[1] for row in page.rows[1:]] == [target.probe for target in exporting.service.targets]
    api = exporting.target("status").id.api
    assert page.rows[1] == [f"CLN at {api}", "status", "has not run yet", "never", "never", "0", ""]
    assert row_of(exporting, "kernelcare")[0] == "acme"


def test_after_a_success(exporting: Exporting) -> None:
    """When it ran and how much it read."""
    exporting.account.add_kernelcare_key(KEY)
    exporting.run("kernelcare")
    moment = "2024-04-30 15:26:40 UTC"
    assert row_of(exporting, "kernelcare") == ["acme", "kernelcare", "ok", moment, moment, "1", "observation"]
    assert "/api/v1/observations/acme/kernelcare" in page_of(exporting).links


def test_after_a_failure(exporting: Exporting) -> None:
    """The reason in words, and since when it fails; the data it still has, until they are too old."""
    exporting.account.add_kernelcare_key(KEY)
    exporting.run("kernelcare")
    exporting.clock.advance(60)
    exporting.simulator.faults.add(Fault("html"))
    exporting.run("kernelcare")
    _, _, verdict, last_run, last_success, parts, _ = row_of(exporting, "kernelcare")
    assert re.match(r"bad_answer: reading /kcare/key/list\.json at 127\.0\.0\.1:\d+: ", verdict)
    assert (last_run, last_success, parts) == ("2024-04-30 15:27:40 UTC", "2024-04-30 15:26:40 UTC", "1")
    exporting.clock.advance(3600)
    assert row_of(exporting, "kernelcare")[5] == "0"


@pytest.mark.parametrize(
    "message",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "' onmouseover='x", '"><b>', "&lt;b>"],
)
def test_hostile_words_of_cln_are_only_words(message: str, exporting: Exporting) -> None:
    """What CLN says is shown as it is said: no tag, no attribute, no template of it works."""
    tags = page_of(exporting).tags
    body = json.dumps({"success": False, "message": message})
    exporting.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=body))
    exporting.run("kernelcare")
    page = page_of(exporting)
    assert row_of(exporting, "kernelcare")[2].endswith(message)
    assert page.tags == tags
    assert all(link.startswith("/") for link in page.links)


def test_nothing_secret(exporting: Exporting) -> None:
    """Not the login, not a key, whether polls succeed or fail."""
    exporting.account.add_kernelcare_key(KEY)
    exporting.run()
    exporting.simulator.faults.add(Fault("status", status=401))
    exporting.run()
    page = status_page(exporting.service, "/metrics")
    assert not [secret for secret in SECRETS if secret in page]


def test_nothing_is_loaded_from_elsewhere(exporting: Exporting) -> None:
    """It works without a network, and its own policy forbids scripts."""
    page = status_page(exporting.service, "/metrics")
    assert not re.search(r"(?:src|href)=\"(?!/)|url\(|@import|<script", page)
