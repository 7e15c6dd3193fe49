"""The registry of renderers by probe, and the rendering of a target; a new probe is one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import replace

from cln_monitor.exporter.metrics.families import Family, Keep, Series
from cln_monitor.probes import Observation, ProbeReport, ProbeSettings

from . import awp, cloudlinux, els, eportal, groups, imunify, ip_licenses, kernelcare, patch_status, probe, status


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the observations of a probe: its families, the per-server ones among them, and the function.

    ``render_report`` renders series that need more of the report than its observation, and all parts of that. The
    ``render_hosts`` renders the host names of servers, which are per-server series. The
    families ``of_all_parts`` need all parts as well: they and those of ``render_report`` are left out in a first poll.
    """

    families: tuple[Family, ...]
    per_server: tuple[Family, ...]
    render: Callable[[Observation[Any], Any, Series], None]
    render_hosts: Callable[[ProbeReport, Series], None] | None = None
    render_report: Callable[[ProbeReport, Any, Series], None] | None = None
    of_all_parts: tuple[Family, ...] = ()


RENDERERS: dict[str, Renderer] = {
    "status": Renderer(status.FAMILIES, status.PER_SERVER, status.render),
    "kernelcare": Renderer(
        kernelcare.FAMILIES,
        kernelcare.PER_SERVER,
        kernelcare.render,
        kernelcare.render_hosts,
        kernelcare.render_superseded,
    ),
    "imunify": Renderer(imunify.FAMILIES, imunify.PER_SERVER, imunify.render, imunify.render_hosts),
    "patch_status": Renderer(patch_status.FAMILIES, patch_status.PER_SERVER, patch_status.render),
    "ip_licenses": Renderer(
        ip_licenses.FAMILIES,
        ip_licenses.PER_SERVER,
        ip_licenses.render,
        ip_licenses.render_hosts,
        of_all_parts=(ip_licenses.CHECKIN_AGE,),
    ),
    "els": Renderer(els.FAMILIES, els.PER_SERVER, els.render),
    "groups": Renderer(groups.FAMILIES, groups.PER_SERVER, groups.render),
    "awp": Renderer(awp.FAMILIES, awp.PER_SERVER, awp.render),
    "cloudlinux": Renderer(cloudlinux.FAMILIES, cloudlinux.PER_SERVER, cloudlinux.render),
    "eportal": Renderer(eportal.FAMILIES, eportal.PER_SERVER, eportal.render),
}

ALL_FAMILIES: tuple[Family, ...] = (
    *(family for renderer in RENDERERS.values() for family in renderer.families),
    *probe.FAMILIES,
)
"""All families of polled data, in the order of the exposition."""


class Rendered(NamedTuple):
    """The text of a target by family, in blocks, and the number of per-server series that were left out of it."""

    texts: Mapping[Family, Sequence[Any]]
    dropped: int


def render_target(report: ProbeReport, settings: ProbeSettings, max_server_series: int, keep: Keep) -> Rendered:
    """Return the text of each family of a target, without per-server series if they exceed ``max_server_series``.

    Of each block, the result of ``keep`` is held.
    """
    series = Series(keep)
    dropped = 0
    if report.observation is not None:
        renderer = RENDERERS[report.probe]
        _render(renderer, report, report.observation, settings, series)
        dropped = series.drop_over(max_server_series, renderer.per_server)
        if dropped and "server_series" in settings.__struct_fields__:
            series = Series(keep)  # as with server_series: false, which adds the series that replace them
            _render(renderer, report, report.observation, replace(settings, server_series=False), series)
    probe.render(report, settings, dropped, series)
    return Rendered(series.blocks(), dropped)


def _render(
    renderer: Renderer, report: ProbeReport, observation: Observation[Any], settings: ProbeSettings, series: Series
) -> None:
    # What compares all servers needs memory for a moment, so it comes before there is any new text.
    if renderer.render_report is not None and not report.first_poll:
        renderer.render_report(report, settings, series)
    renderer.render(observation, settings, series)
    if renderer.render_hosts is not None and getattr(settings, "server_series", False):
        renderer.render_hosts(report, series)
    if report.first_poll:
        series.drop(renderer.of_all_parts)
