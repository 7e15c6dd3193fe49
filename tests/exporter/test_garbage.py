"""What is set of the interpreter."""

from __future__ import annotations

import gc

from cln_monitor.exporter.main import set_up_interpreter


def test_garbage_is_still_looked_for() -> None:
    """Less often than by default, and in what comes after it."""
    before = gc.get_threshold()
    try:
        set_up_interpreter()
        assert gc.isenabled()
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
