"""The simulator: time, accounts, and its imports."""

import ast
import sys
from pathlib import Path

import pytest

import cln_monitor.simulator
from cln_monitor.simulator import Simulator

from .asking import NOW


def test_simulated_time() -> None:
    """Simulated time is the clock's at `speed`, plus advances."""
    seconds = [1000.0]
    simulator = Simulator(clock=lambda: seconds[0], speed=60)
    assert simulator.now() == 1000
    seconds[0] += 2
    assert simulator.now() == 1120
    simulator.advance(5)
    assert simulator.now() == 1125


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
def test_invalid_speed(speed: float) -> None:
    """A negative or infinite speed is an error."""
    with pytest.raises(ValueError, match=r"^invalid speed \S+: use a number of 0 or more; 1 is real time$"):
        Simulator(speed=speed)


@pytest.mark.parametrize("login", ["", "a|b", "acme_login"])
def test_a_login_must_be_new_and_fit_into_a_token(simulator: Simulator, login: str) -> None:
    """An invalid login is an error, and no account is added."""
    simulator.add_account("acme_login")
    with pytest.raises(ValueError, match=r"the login must be new, not empty, and without '\|'$"):
        simulator.add_account(login)
    assert list(simulator.accounts) == ["acme_login"]


def test_generated_secret_keys(simulator: Simulator) -> None:
    """Generated secret keys differ by account, and are the same for a seed."""
    first, second = (simulator.add_account(login).secret_key for login in ("a", "b"))
    assert first != second
    assert Simulator(clock=lambda: NOW).add_account("a").secret_key == first


@pytest.mark.parametrize("servers", [-1, 1_000_001])
def test_a_fleet_beyond_what_can_be_simulated_is_refused(servers: int) -> None:
    """A number of servers out of range is an error with the range."""
    with pytest.raises(ValueError, match=f"^invalid number of servers {servers}: use a number from 0 to 1000000$"):
        Simulator.generate(servers=servers)


def test_it_imports_nothing_but_itself_and_the_standard_library() -> None:
    """The simulator shares no code with the client."""
    folder = Path(cln_monitor.simulator.__file__).parent
    modules = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name} imports from above its package"
                modules |= {str(node.module)} if node.level == 0 else set()
    own = {name for name in modules if f"{name}.".startswith("cln_monitor.simulator.")}
    modules = {name.partition(".")[0] for name in modules - own}
    assert modules
    assert modules <= set(sys.stdlib_module_names)
