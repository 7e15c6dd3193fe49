"""The patch state of KernelCare servers."""

import pytest

from cln_monitor.simulator import Account
from cln_monitor.simulator.model import DAY
from tests.simulator.asking import NOW


@pytest.mark.parametrize(
    ("created", "last_checkin", "state"),
    [
        (NOW - 90 * DAY, NOW - 30 * DAY, "outofdate"),
        (NOW - 90 * DAY, NOW - 30 * DAY - 1, "inactive"),
        (NOW - 90 * DAY, None, "inactive"),
        (NOW - DAY, None, "outofdate"),
    ],
)
def test_a_server_is_inactive_after_thirty_days_of_silence(
    account: Account, created: float, last_checkin: float | None, state: str
) -> None:
    """A server is inactive 30 days after its check-in or registration."""
    server = account.add_kernelcare_key().add_server(
        created=created, last_checkin=last_checkin, patch_state="outofdate"
    )
    assert server.state_at(NOW) == state


def test_an_unknown_patch_state_is_an_error_that_names_those_there_are(account: Account) -> None:
    """An unknown patch state is an error."""
    key = account.add_kernelcare_key()
    expected = r"^patch_state = 'old': must be one of uptodate, outofdate, unsupported, inactive$"
    with pytest.raises(ValueError, match=expected):
        key.add_server(patch_state="old")
    assert not key.servers
    assert key.add_server(patch_state="unsupported").patch_state == "unsupported"
    with pytest.raises(ValueError, match=expected):
        key.add_server().patch_state = "old"
