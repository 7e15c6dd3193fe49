"""The links between dashboards, which keep the time range and the variables."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG = "cln"
TITLES = {
    "cln-overview": "CLN overview",
    "cln-kernelcare": "CLN KernelCare",
    "cln-imunify": "CLN Imunify",
    "cln-licenses": "CLN licenses",
    "cln-patches": "CLN patches",
    "cln-exporter": "CLN exporter",
}


def to(uid: str) -> build.DashboardLink:
    """Return the link of a panel to the dashboard with more details."""
    return (
        build.DashboardLink(TITLES[uid])
        .type(DashboardLinkType.LINK)
        .url(f"/d/{uid}?${{__url_time_range}}&${{__all_variables}}")
    )


def among_all() -> build.DashboardLink:
    """Return the links at the top of each dashboard to all dashboards with the tag."""
    link = build.DashboardLink("CLN").type(DashboardLinkType.DASHBOARDS).tags([TAG]).icon("external link")
    return link.as_dropdown(False).include_vars(True).keep_time(True)
