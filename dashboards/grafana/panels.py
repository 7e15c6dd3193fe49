"""The kinds of panels of the dashboards, with their common appearance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model

from cln_monitor import policy
from cln_monitor.policy import Severity

from .links import to

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
GOOD, WARN, BAD, PLAIN, NOTICE = "green", "orange", "red", "text", "blue"
"""OK, warning, critical, neutral, info."""
CHECKIN_COLORS = {"fresh": GOOD, "stale": WARN, "never": "yellow", "unknown": "dark-yellow"}
PATCH_COLORS = {"uptodate": GOOD, "outofdate": WARN, "unsupported": "yellow", "inactive": "dark-yellow"}
SEVERITIES = {
    Severity.CRITICAL: ("critical", BAD),
    Severity.WARNING: ("warning", WARN),
    Severity.INFO: ("info", NOTICE),
}
COUNT = "locale"
"""The unit of counts: integers with separators, never 100 K."""
POLLED = "Polled from CLN by cln-exporter, so as old as the last poll."
GRAPH_INTERVAL, RATE_INTERVAL = "5m", "30m"
"""The minimum step of graphs. CLN is polled about every 15 minutes; a shorter rate would be 0 between two polls."""

Steps = Sequence[tuple[float | None, str]]
NEUTRAL: Steps = ((None, PLAIN),)
NONE_IS_GOOD: Steps = ((None, GOOD), (1, WARN))
NONE_OR_INFO: Steps = ((None, GOOD), (1, NOTICE))
CALM: Steps = ((None, PLAIN), (1, NOTICE))
NONE_OR_BAD: Steps = ((None, GOOD), (1, BAD))
FULLNESS: Steps = ((None, GOOD), (policy.NEARLY_FULL / 100, "yellow"), (policy.FULL / 100, WARN))

Look = tuple[str, str]
"""The text and the color of a value."""


class AnyPanel(Protocol):
    """The common interface of panel builders, which have no common base class."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: model.DataSourceRef) -> Self: ...
    def height(self, h: int) -> Self: ...
    def span(self, w: int) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def links(self, links: list[Builder[model.DashboardLink]]) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def mappings(self, mappings: list[model.ValueMapping]) -> Self: ...
    def thresholds(self, thresholds: Builder[model.ThresholdsConfig]) -> Self: ...
    def color_scheme(self, color: Builder[model.FieldColor]) -> Self: ...
    def build(self) -> model.Panel: ...


P = TypeVar("P", bound=AnyPanel)


def with_common_options(
    panel: P,
    title: str,
    description: str,
    targets: list[Builder[Dataquery]],
    *,
    size: tuple[int, int],
    unit: str,
    none: str,
    link: str,
) -> P:
    """Return ``panel`` with the options that every panel has."""
    panel.title(title).description(description).datasource(DATASOURCE).targets(targets)
    panel.span(size[0]).height(size[1]).unit(unit).no_value(none)
    if link:
        panel.links([to(link)])
    return panel


def now(expression: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """Return an instant query."""
    query = prometheus.Dataquery().datasource(DATASOURCE).expr(expression).ref_id(ref).instant()
    return query.legend_format(legend) if legend else query


def _over_time(expression: str, legend: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expression).ref_id(ref).range().legend_format(legend)


def thresholds(steps: Steps) -> build.ThresholdsConfig:
    """Return absolute thresholds."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


def looks(values: Mapping[str, Look | str]) -> model.ValueMapping:
    """Return the mapping of values to texts, optionally with colors."""
    pairs = {value: (look, None) if isinstance(look, str) else look for value, look in values.items()}
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(pairs.items())
        }
    )


def _calc() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def number(
    title: str,
    description: str,
    expression: str,
    steps: Steps = NEUTRAL,
    *,
    unit: str = COUNT,
    decimals: int = 0,
    shown: Mapping[str, Look | str] | None = None,
    none: str = "–",
    link: str = "",
    size: tuple[int, int] = (3, 4),
) -> stat.Panel:
    """Return a panel with the current value of one number."""
    panel = with_common_options(
        stat.Panel(), title, description, [now(expression)], size=size, unit=unit, none=none, link=link
    )
    panel.thresholds(thresholds(steps)).decimals(decimals).reduce_options(_calc())
    panel.color_mode(kinds.BigValueColorMode.VALUE).graph_mode(kinds.BigValueGraphMode.NONE)
    panel.text_mode(kinds.BigValueTextMode.VALUE).justify_mode(kinds.BigValueJustifyMode.CENTER)
    return panel.mappings([looks(shown)]) if shown else panel


def bars(
    title: str,
    description: str,
    queries: Sequence[tuple[str, str]],
    *,
    size: tuple[int, int],
    unit: str = COUNT,
    steps: Steps = ((None, NOTICE),),
    colors: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    none: str = "None",
    link: str = "",
) -> bargauge.Panel:
    """Return a panel with a bar for each series of ``queries``, pairs of an expression and a legend.

    ``colors`` and ``names`` are mappings by legend.
    """
    targets: list[Builder[Dataquery]] = [
        now(expression, legend, chr(ord("A") + index)) for index, (expression, legend) in enumerate(queries)
    ]
    panel = with_common_options(
        bargauge.Panel(), title, description, targets, size=size, unit=unit, none=none, link=link
    )
    panel.thresholds(thresholds(steps)).min(0).reduce_options(_calc())
    panel.orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.BASIC)
    panel.value_mode(kinds.BarGaugeValueMode.TEXT).name_placement(kinds.BarGaugeNamePlacement.LEFT)
    panel.text(common.VizTextDisplayOptions().title_size(14).value_size(16))
    panel.show_unfilled(True).sizing(kinds.BarGaugeSizing.AUTO).min_viz_height(16).max_viz_height(40)
    for name, properties in _overrides(colors, names):
        panel.override_by_name(name, properties)
    return panel


def lines(
    title: str,
    description: str,
    queries: Sequence[tuple[str, str]],
    *,
    size: tuple[int, int],
    unit: str = "short",
    soft_max: float = 1,
    stacked: bool = False,
    as_bars: bool = False,
    interval: str = GRAPH_INTERVAL,
    steps: bool = True,
    colors: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    none: str = "No data",
    link: str = "",
) -> timeseries.Panel:
    """Return a graph of ``queries``, pairs of an expression and a legend.

    With ``steps`` a value holds until the next poll. ``colors`` and ``names`` are mappings by legend. The axis extends
    to ``soft_max`` at least. ``interval`` is the minimum step.
    """
    targets: list[Builder[Dataquery]] = [
        _over_time(expression, legend, chr(ord("A") + index)) for index, (expression, legend) in enumerate(queries)
    ]
    panel = with_common_options(
        timeseries.Panel(), title, description, targets, size=size, unit=unit, none=none, link=link
    )
    panel.interval(interval).min(0).axis_soft_max(soft_max).line_width(2 if not as_bars else 1).show_points(
        kinds.VisibilityMode.NEVER
    )
    panel.fill_opacity(70 if as_bars else 35 if stacked else 0).axis_border_show(False)
    panel.draw_style(kinds.GraphDrawStyle.BARS if as_bars else kinds.GraphDrawStyle.LINE)
    if steps and not as_bars:
        panel.line_interpolation(kinds.LineInterpolation.STEP_AFTER)
    if stacked:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    panel.tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    panel.legend(
        common.VizLegendOptions()
        .display_mode(kinds.LegendDisplayMode.LIST)
        .placement(kinds.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )
    for name, properties in _overrides(colors, names):
        panel.override_by_name(name, properties)
    return panel


def states(
    title: str,
    description: str,
    query: tuple[str, str],
    shown: Mapping[str, Look],
    *,
    size: tuple[int, int],
    none: str = "No data",
    link: str = "",
) -> statetimeline.Panel:
    """Return a timeline of the state of each series; ``shown`` maps states to texts and colors."""
    targets: list[Builder[Dataquery]] = [_over_time(*query, "A")]
    panel = with_common_options(
        statetimeline.Panel(), title, description, targets, size=size, unit="none", none=none, link=link
    )
    panel.interval(GRAPH_INTERVAL).mappings([looks(shown)]).thresholds(thresholds(NEUTRAL))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.show_value(kinds.VisibilityMode.NEVER).row_height(0.7).merge_values(True).fill_opacity(80).line_width(0)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(kinds.LegendDisplayMode.LIST)
        .placement(kinds.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )
    return panel


def _overrides(
    colors: Mapping[str, str] | None, names: Mapping[str, str] | None
) -> Iterator[tuple[str, list[model.DynamicConfigValue]]]:
    """Yield the legends with their colors and names. Grafana matches a series by its current name."""
    for legend in dict.fromkeys((*(colors or {}), *(names or {}))):
        properties = []
        if color := (colors or {}).get(legend):
            properties.append(model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color}))
        if name := (names or {}).get(legend):
            properties.append(model.DynamicConfigValue(id_val="displayName", value=name))
        yield legend, properties
