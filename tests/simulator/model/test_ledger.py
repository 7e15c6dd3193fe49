"""The shared state of a simulator."""

import pytest

from cln_monitor.simulator.model import SimulationState


def test_a_key_is_claimed_once_until_it_is_released() -> None:
    """A second claim of a key is an error until it is released."""
    state = SimulationState(lambda: 0, seed=1)
    state.claim("K")
    with pytest.raises(ValueError, match=r"^cannot add the key 'K': it is empty or in use$"):
        state.claim("K")
    state.release("K")
    assert state.claim("K") == "K"


def test_hosts_come_one_after_the_other() -> None:
    """Each call gives the next address with its host name."""
    state = SimulationState(lambda: 0, seed=1)
    assert state.next_host() == ("192.0.2.1", "web1.fra1.example.net")
    assert state.next_host() == ("198.51.100.1", "db1.fra1.example.net")
