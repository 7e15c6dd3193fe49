"""The variables of dashboards, and the layout of panels in a dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from .links import TAG, TITLES, among_all
from .names import FAMILIES
from .panels import DATASOURCE
from .queries import EXPORTER

Panel = Builder[model.Panel]
Item = Panel | list[Panel] | str

_COLUMNS = 24
_ALL = model.VariableOption(selected=True, text=["All"], value=["$__all"])

Variable = Builder[model.VariableModel]


def datasource() -> Variable:
    """Return the variable for the Prometheus data source."""
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus")


def of_label(name: str, label: str, metric: str, values_of: str = "") -> Variable:
    """Return a variable for the values of a label of ``metric``; All includes series without the label."""
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(f"label_values({metric}, {values_of or name})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )


def account() -> Variable:
    """Return the variable for accounts."""
    return of_label("account", "Account", f"cln_probe_interval_seconds{{{EXPORTER}}}")


def exporters() -> Sequence[Variable]:
    """Return the variables for job and exporter, which all dashboards have."""
    build_info = "cln_exporter_build_info"
    return of_label("job", "Job", build_info), of_label("instance", "Exporter", f'{build_info}{{job=~"$job"}}')


_AGES = {"12 hours": 43200, "1 day": 86400, "2 days": 172800, "3 days": 259200, "7 days": 604800, "30 days": 2592000}


def stale_after() -> Variable:
    """Return the variable for the age of a check-in, in seconds, after which a server is silent; 0 is as configured.

    Other values are not in the histogram of ages that the exporter exposes without per-server series.
    """
    values = {"as configured": 0, **_AGES}
    return (
        build.CustomVariable("stale_after")
        .label("Stale after")
        .values(", ".join(f"{text} : {seconds}" for text, seconds in values.items()))
        .allow_custom_value(False)
        .multi(False)
        .include_all(False)
        .current(model.VariableOption(selected=True, text="as configured", value="0"))
    )


def product(*families: str) -> Variable:
    """Return the variable for products, by their part of the metric names."""
    return (
        build.CustomVariable("product")
        .label("Product")
        .values(", ".join(f"{FAMILIES[family]} : {family}" for family in families))
        .multi(True)
        .include_all(True)
        .current(_ALL)
    )


def dashboard(uid: str, description: str, variables: Sequence[Variable], content: Sequence[Item]) -> model.Dashboard:
    """Return a dashboard with the common variables and ``variables``.

    In ``content`` a list is a column of panels, and a string is the title of a row.
    """
    builder = (
        build.Dashboard(TITLES[uid])
        .uid(uid)
        .description(description)
        .tags([TAG])
        .editable()
        .refresh("5m")
        .time("now-7d", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables([datasource(), *exporters(), account(), *variables])
        .links([among_all()])
    )
    for item in _placed(content):
        if isinstance(item, build.Row):
            builder.with_row(item)
        else:
            builder.with_panel(item)
    built = builder.build()
    ids = count(1)
    for panel in built.panels or []:
        panel.id_val = next(ids)
    return built


def _placed(content: Sequence[Item]) -> Iterator[build.Row | Panel]:
    """Yield all panels and rows with their positions, from left to right and from top to bottom."""
    x = y = bottom = 0
    for item in content:
        if isinstance(item, str):
            x, y = 0, bottom
            yield build.Row(item).grid_pos(model.GridPos(h=1, w=_COLUMNS, x=x, y=y))
            y = bottom = y + 1
            continue
        if x >= _COLUMNS:
            x, y = 0, bottom
        top, width = y, 0
        for panel in item if isinstance(item, list) else [item]:
            size = panel.build().grid_pos or model.GridPos()
            panel.build().grid_pos = model.GridPos(h=size.h, w=size.w, x=x, y=top)
            top, width = top + size.h, size.w
            yield panel
        x += width
        bottom = max(bottom, top)
