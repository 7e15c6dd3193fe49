"""The metrics of polled data: one module per probe, each a pure function of the probe's observations."""

from .registry import ALL_FAMILIES, RENDERERS, render_target

__all__ = ["ALL_FAMILIES", "RENDERERS", "render_target"]
