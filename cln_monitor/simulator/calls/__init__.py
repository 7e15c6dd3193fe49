"""The calls of the API: one module per product, the route table, and shared helpers."""

from .call import SimulatedCall
from .routes import CALLS, answer
from .status import good_flags

__all__ = ["CALLS", "SimulatedCall", "answer", "good_flags"]
