"""A pytest plugin: the garbage collector leaves out what the collection of the tests has made.

The tests, their parameters and the modules are half a million objects that remain until the end of the run. The garbage
collector would look at all of them again and again: during the collection, which takes a fifth of its time, and after
it whenever a test has made many objects.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage during the collection of the tests, and ignore its objects afterwards."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
