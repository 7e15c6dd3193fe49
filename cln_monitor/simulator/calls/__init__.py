"""The calls of the API: one module per product, the route table, and shared helpers; and those of other servers."""

from . import eportal, patches
from .call import SimulatedCall
from .routes import CALLS, answer, calls_of
from .status import good_flags

__all__ = ["CALLS", "SimulatedCall", "answer", "calls_of", "eportal", "good_flags", "patches"]
