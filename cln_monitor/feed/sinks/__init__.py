"""Where ``cln-feed`` sends results: one module per kind of receiver, and its line in the registry."""

from .registry import SINKS
from .sink import Delivery, Outcome, Sink, SinkSettings, SinkType

__all__ = ["SINKS", "Delivery", "Outcome", "Sink", "SinkSettings", "SinkType"]
