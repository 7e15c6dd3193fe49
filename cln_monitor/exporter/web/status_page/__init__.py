"""The status page: what an operator opens first. One module computes it, one template draws it."""

from .page import POLICY, StatusPage

__all__ = ["POLICY", "StatusPage"]
