"""docs/recipes.md: each recipe is one command, which does what its heading asks."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cli.main import command as tree
from cln_monitor.simulator import Account, Simulator, serve

from .account import Cln, write_config
from .inside import Outcome, run

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
_FOUND = re.findall(r"^## (.+?)\n\n```sh\n(.+?)\n```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
RECIPES: dict[str, str] = dict(_FOUND)
_DAY = 86400.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Cln]:
    """Yield the account of `clntool simulate`, with a configuration for it."""
    simulator = Simulator.demo()
    (account,) = simulator.accounts.values()
    (tmp_path / "demo").mkdir()
    with serve(simulator) as served:
        config = write_config(tmp_path / "demo", served.url)
        (config.parent / "acme.secret").write_text(account.secret_key)
        text = re.sub(r"login: \S+", f"login: {account.login}", config.read_text())
        text = re.sub(r"registration_token: \S+", f"registration_token: {account.registration_token}", text)
        config.write_text(re.sub(r"probes:\n.*\n", "", text))
        yield Cln(simulator, served.url, config)


def ask(demo: Cln, heading: str, *more: str) -> Outcome:
    """Return the outcome of the command of a recipe as it is on the page, followed by ``more``."""
    program, *words = shlex.split(RECIPES[heading].partition(" > ")[0])
    assert program == "clntool"
    return run(*words, "-C", str(demo.config), *more)


def _servers(account: Account) -> Iterator[Any]:
    for keys in (account.kernelcare_keys, account.imunify_keys, account.els_keys):
        for key in keys.values():
            yield from key.servers.values()


def _silent(demo: Cln, days: float) -> set[str]:
    (account,) = demo.simulator.accounts.values()
    now = demo.simulator.now()
    checkins = {server.server_id: server.last_checkin(now) for server in _servers(account)}
    return {name for name, at in checkins.items() if at is not None and now - at > days * _DAY}


def _ids(outcome: Outcome) -> set[str]:
    return {row["id"] for row in outcome.json if row["id"]}


def _stale(demo: Cln, ask: Callable[..., Outcome]) -> None:
    assert _ids(ask("-o", "json")) == _silent(demo, 1)


def _never(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    never = {server.server_id for server in _servers(account) if server.last_checkin(demo.simulator.now()) is None}
    assert _ids(ask("-o", "json")) == never != set()


def _of_key(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    assert _ids(ask("-o", "json")) == set(account.kernelcare_keys["OeHwdFcAefAZhnM6"].servers)


def _full(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    keys: list[Any] = [*account.kernelcare_keys.values(), *account.imunify_keys.values(), *account.els_keys.values()]
    full = {key.key for key in keys if key.limit and len(key.servers) >= 0.9 * key.limit}
    assert {row["key"] for row in ask("-o", "json").json} == full != set()


def _limit(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    assert account.imunify_keys["IM30WOLV84VL80QF8E8F"].is_full
    assert ask("--yes").err == "updated Imunify key IM30WOLV84VL80QF8E8F\n"
    assert account.imunify_keys["IM30WOLV84VL80QF8E8F"].limit == 10


def _superseded(demo: Cln, ask: Callable[..., Outcome]) -> None:
    rows = ask("-o", "json").json
    assert [row["outcome"] for row in rows] == ["would_remove"]
    assert all(row["superseded"] and "registered again" in row["reason"] for row in rows)
    assert not [path for _, path, _ in demo.sent() if "remove" in path]


def _prune(demo: Cln, ask: Callable[..., Outcome]) -> None:
    silent = _silent(demo, 30)
    (account,) = demo.simulator.accounts.values()
    assert len(silent) >= 3
    outcome = ask("--yes")
    assert outcome.err.endswith(f"{len(silent)} removed\n")
    assert not silent & {server.server_id for server in _servers(account)}


def _unused(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    unused = {held for held, license_ in account.ip_licenses.items() if not license_.registered}
    assert {(row["ip"], row["type"]) for row in ask("-o", "json").json} == unused != set()


def _patched(demo: Cln, ask: Callable[..., Outcome]) -> None:
    (account,) = demo.simulator.accounts.values()
    shown = ask("-o", "json").json
    assert sum(shown[state] for state in ("uptodate", "outofdate", "unsupported", "inactive")) == len(
        list(account.kernelcare_servers())
    )


def _spreadsheet(demo: Cln, ask: Callable[..., Outcome]) -> None:
    rows = ask().out.split("\r\n")
    listed = json.loads(run("servers", "list", "-o", "json", "-C", str(demo.config)).out)
    assert len(rows) == 1 + len(listed) + 1
    assert rows[0].startswith("product,account,id,ip,")


DOES = {
    "Which servers no longer check in?": _stale,
    "Which servers registered and never checked in?": _never,
    "Which servers are on the key in an alert?": _of_key,
    "Which keys are full, or nearly?": _full,
    "How do I raise the limit of a key?": _limit,
    "Which registrations has a newer one replaced?": _superseded,
    "How do I remove servers that are gone for good?": _prune,
    "Which IP licenses are paid for and unused?": _unused,
    "Are all kernels patched?": _patched,
    "How do I get all servers into a spreadsheet?": _spreadsheet,
}


@pytest.mark.parametrize("heading", DOES)
def test_a_recipe(heading: str, demo: Cln) -> None:
    """The command does what the heading asks, and exits with 0."""

    def run_it(*more: str) -> Outcome:
        outcome = ask(demo, heading, *more)
        assert outcome.code == 0, outcome
        return outcome

    DOES[heading](demo, run_it)


def test_each_recipe_is_run() -> None:
    """There are ten recipes, one line each, and all are tested."""
    assert list(RECIPES) == list(DOES)
    assert len(RECIPES) == 10
    assert not [command for command in RECIPES.values() if "\n" in command]


@pytest.mark.parametrize("typed", re.findall(r"`clntool ([a-z][^`…]*)`", PAGE.read_text(encoding="utf-8")))
def test_other_commands_in_the_text(typed: str) -> None:
    """Other commands in the text exist, with their options."""
    words = typed.split()
    found: Any = tree()
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands")
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
