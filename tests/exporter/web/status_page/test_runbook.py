"""The runbook page."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cln_monitor.exporter.web.status_page import Runbook, assets, failures, problems
from cln_monitor.exporter.web.status_page import staleness_problems as silence_problems
from cln_monitor.exporter.web.status_page.runbook import rendered

ROOT = Path(__file__).parents[4]
ALERTS = re.findall(r"- alert: (\w+)", (ROOT / "dashboards" / "prometheus" / "cln.rules.yml").read_text())


def test_each_alert_has_its_anchor() -> None:
    """Each alert has a section with the anchor of its `runbook_url`, and an entry in the list at the top."""
    html = Runbook().render()
    assert len(ALERTS) > 20
    for alert in ALERTS:
        assert f'<h2 id="{alert.lower()}">{alert}</h2>' in html
        assert f'<li><a href="#{alert.lower()}">{alert}</a></li>' in html


def test_the_alerts_of_the_status_page() -> None:
    """Each alert that the status page links to exists."""
    sources = (inspect.getsource(module) for module in (failures, problems, silence_problems))
    named = {name for source in sources for name in re.findall(r'"(Cln\w+)"', source)}
    assert len(named) > 15
    assert named <= set(ALERTS)


def test_links() -> None:
    """Links within the runbook work; links to files of the repository are plain text."""
    html = Runbook().render()
    links = set(re.findall(r'href="([^"]*)"', html))
    assert {link[1:] for link in links if link.startswith("#")} <= set(re.findall(r' id="([^"]*)"', html))
    assert {link for link in links if not link.startswith("#")} == {"./"}
    assert "When a probe fails" in html
    body, _ = rendered("[a](../README.md#x) [b](#c) [*d*](javascript:x) [e](https://example.net) [f](//evil.example)")
    assert str(body) == (
        '<p>a <a href="#c">b</a> [<em>d</em>](javascript:x) <a href="https://example.net">e</a> f</p>\n'
    )


def test_html_is_only_text() -> None:
    """HTML in the Markdown is escaped."""
    body, sections = rendered("# Title\n\n## A <b>b</b> `c`\n\n<script>alert(1)</script>\n\n<img src=x onerror=y>\n")
    assert sections == [("a-bbb-c", "A <b>b</b> `c`")]
    assert not re.search("<(b|img|script|h1)[ >]", str(body))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_tables_and_code() -> None:
    """Tables and code blocks are rendered."""
    body, _ = rendered("| a | b |\n| --- | --- |\n| `c` | d |\n\n```sh\nclntool status\n```\n")
    assert "<table>" in body
    assert "<code>c</code>" in body
    assert "<pre><code" in body


@pytest.mark.parametrize(("external", "home"), [(None, "./"), ("", "/"), ("/cln", "/cln/")])
def test_the_way_back(external: str | None, home: str) -> None:
    """The runbook links to the status page below any external path."""
    assert f'<a href="{home}">Status page</a>' in Runbook(external).render()


def test_it_is_rendered_once() -> None:
    """The HTML is cached."""
    runbook = Runbook()
    assert runbook.render() is runbook.render()


def test_its_policy() -> None:
    """The Content-Security-Policy allows the style and no script."""
    html = Runbook().render()
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    assert assets.source_hash(style) in assets.RUNBOOK_POLICY
    assert "script" not in assets.RUNBOOK_POLICY
    assert "<script" not in html


@pytest.mark.processes
def test_who_does_not_read_it_pays_nothing_for_it() -> None:
    """The Markdown library is imported only when the runbook is requested."""
    code = "import sys, cln_monitor.exporter.web.app; print('markdown_it' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "False\n"
