"""The settings of probes, and their defaults."""

from __future__ import annotations

import pytest

from cln_monitor.probes import PROBES, CheckinSettings, ProbeSettings


@pytest.mark.parametrize(
    ("name", "interval", "max_age"),
    [("status", 60, 300), ("kernelcare", 900, 3600), ("imunify", 900, 3600), ("patch_status", 1800, 7200)],
)
def test_defaults(name: str, interval: float, max_age: float) -> None:
    """A probe is enabled with the documented interval and max_age."""
    settings = PROBES[name].settings()  # type: ignore[call-arg] # the settings of each probe have defaults
    assert (settings.enabled, float(settings.interval), float(settings.max_age)) == (True, interval, max_age)
    assert settings.max_age >= 2 * settings.interval


def test_defaults_of_those_that_check_in() -> None:
    """Servers are silent after a day, and per-server series are enabled."""
    assert (float(CheckinSettings().stale_after), CheckinSettings().server_series) == (86400.0, True)


def test_they_are_immutable() -> None:
    """Settings are immutable."""
    settings: ProbeSettings = CheckinSettings()
    with pytest.raises(AttributeError):
        settings.interval = settings.max_age  # type: ignore[misc]
