"""The calls of the API: a module a product, the route table, and what all calls share."""

from .call import SimulatedCall
from .routes import CALLS, answer
from .status import good_flags

__all__ = ["CALLS", "SimulatedCall", "answer", "good_flags"]
