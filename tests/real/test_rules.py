"""The shipped Prometheus files, as Prometheus' own tool judges them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.real import servers

pytestmark = pytest.mark.needs_server("prometheus")

FOLDER = Path(__file__).parents[2] / "dashboards" / "prometheus"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "config", "prometheus.yml"), id="scrape-configuration"),
        pytest.param(("check", "rules", "cln.rules.yml"), id="rules"),
        pytest.param(("test", "rules", "cln.rules.test.yml"), id="rule-tests"),
    ],
)
def test_promtool_accepts_what_is_shipped(arguments: tuple[str, ...]) -> None:
    """What users copy works as it is, and each alert fires when it should and not before."""
    done = subprocess.run(
        [servers.path("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
