"""The registry of plugins, and the modules that each plugin imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from cln_monitor.checks.registry import MODULES, load
from tests.helpers.running import PATIENCE
from tests.helpers.scripted import ScriptedServer, answering, http_answer
from tests.helpers.small_cln import KEY

from .conftest import Cln
from .running import MONITORING_KEY, bare_environment

WEB = {"starlette", "uvicorn", "anyio", "h11", "jinja2", "apscheduler", "prometheus_client", "structlog"}
INDEX = b'{"format": 1, "probes": []}'


_TELL = """
import os, sys
before = set(sys.modules)
def end(code, end=os._exit):
    os.write(1, " ".join(set(sys.modules) - before).encode())
    end(code)
os._exit = end
from cln_monitor.checks.entry import run
run(sys.argv[0])
"""


def imported(name: str, arguments: Sequence[str]) -> set[str]:
    """Return the modules that the plugin ``name`` has imported at its end, without those of Python's startup."""
    started = f"import sys; sys.argv[0] = {name!r}\n{_TELL}"
    done = subprocess.run(
        [sys.executable, "-c", started, *arguments],
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    output, _, modules = done.stdout.rpartition("\n")
    assert (" - " in output, done.stderr) == (True, "")
    assert "internal error" not in output
    return set(modules.split(" "))


def packages(modules: set[str]) -> set[str]:
    """Return the packages of ``modules``."""
    return {module.partition(".")[0] for module in modules}


def of_checks(modules: set[str]) -> set[str]:
    """Return the names of the plugin modules in ``modules``."""
    plugins = {f"cln_monitor.checks.plugins.{module}" for module in MODULES.values()}
    return {module.rpartition(".")[2] for module in modules & plugins}


@pytest.mark.processes
@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("check_")])
def test_a_check_through_the_exporter_imports_little(name: str) -> None:
    """A check with --exporter imports no requests, YAML, msgspec, web library, or other plugin."""
    arguments = {"check_cln_patch_status": ("-k", KEY)}.get(name, ())
    with ScriptedServer(answering(http_answer(INDEX))) as server:
        modules = imported(name, ("--exporter", server.url, *arguments))
    others = {"requests", "urllib3", "certifi", "yaml", "msgspec", "dataclasses", "inspect", "importlib.metadata"}
    assert not packages(modules) & (WEB | others)
    rooms = {".".join(module.split(".")[:2]) for module in modules if module.startswith("cln_monitor.")}
    shared = (
        "checkin_groups",
        "cve_coverage",
        "durations",
        "facts",
        "http_body",
        "http_response",
        "masking",
        "policy",
        "registrations",
        "source_kinds",
        "standard_streams",
        "text_cleaning",
        "urls",
    )
    leaves = {f"cln_monitor.{name}" for name in shared}
    assert rooms <= leaves | {"cln_monitor.checks"}
    assert {"nagiosplugin", "cln_monitor.checks.data.exporter"} <= modules
    assert of_checks(modules) == {MODULES[name]}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("check_cln_status", ()),
        ("check_cln_kernelcare", ()),
        ("check_cln_patch_status", ("--reseller",)),
        ("register_cln_monitoring_key", ("--key", MONITORING_KEY)),
    ],
)
def test_a_direct_check_imports_nothing_of_the_web(name: str, arguments: tuple[str, ...], cln: Cln) -> None:
    """A direct check imports no web library, and YAML only for a configuration."""
    modules = imported(name, ("-C", str(cln.config), *arguments))
    assert not packages(modules) & WEB
    assert "cln_monitor.exporter" not in modules
    assert {"requests", "yaml", "msgspec"} <= modules
    assert of_checks(modules) == {MODULES[name]}
    if name.startswith("check_"):
        assert "yaml" not in imported(name, (*cln.login, *arguments))


@pytest.mark.parametrize("name", MODULES)
def test_each_plugin_is_one(name: str) -> None:
    """Each plugin has its own name and a purpose."""
    program = load(name)
    assert program.name == name
    assert program.purpose.endswith(".")
