// Renders a dashboard with Grafana's own components: panels, tables, graphs, numbers, units, colors, and transformations.
// Grafana's application itself is not a package, so the grid, the header, the queries, and the code of panel plugins
// around the components are here. It supports the panel types that dashboards/grafana uses.
import '@fontsource-variable/inter';
import '@fontsource-variable/noto-sans-jp';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { firstValueFrom } from 'rxjs';
import {
  EventBusSrv, FieldConfigOptionsRegistry, FieldType, ThemeContext, VizOrientation, applyFieldOverrides,
  cacheFieldDisplayNames, createTheme, dateMath, formattedValueToString, getDisplayValueAlignmentFactors, getFieldDisplayName, getFieldDisplayValues,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, toDataFrame, transformDataFrame,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, PanelContextProvider, TimeSeries } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { initPluginTranslations } from '@grafana/i18n';

const GAP = 8, ROW = 30, HEAD = 84; // Grafana's grid: a cell is 30 px high, 8 px are between cells
const asked = new URLSearchParams(location.search);
const theme = createTheme({
  colors: { mode: asked.get('theme') ?? 'dark' },
  typography: { fontFamily: '"Inter Variable", "Noto Sans JP Variable", sans-serif' },
});

// --- what Grafana's application registers before rendering

const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'links', 'color'];
const option = (id, path, isCustom) => ({ id, path, name: id, isCustom, settings: {}, process: (x) => x, shouldApply: () => true });
standardFieldConfigEditorRegistry.setInit(() => STANDARD.map((id) => option(id, id, false)));
standardTransformersRegistry.setInit(() =>
  [...new Set(Object.values(standardTransformers))].map((each) => ({ id: each.id, name: each.name, transformation: async () => each })));

function optionsOf(panel) {
  const registry = new FieldConfigOptionsRegistry();
  STANDARD.forEach((id) => registry.register(option(id, id, false)));
  const overridden = panel.fieldConfig.overrides.flatMap((each) => each.properties.map((property) => property.id));
  const custom = [...Object.keys(panel.fieldConfig.defaults.custom ?? {}).map((key) => `custom.${key}`), ...overridden];
  for (const id of new Set(custom.filter((each) => each.startsWith('custom.')))) {
    registry.register(option(id, id.slice('custom.'.length), true));
  }
  return registry;
}

// --- queries

const number = (text) => ({ '+Inf': Infinity, '-Inf': -Infinity })[text] ?? parseFloat(text);
const named = (legend, labels) => legend?.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '').trim() || undefined;

async function ask(path, parameters) {
  // As Grafana does: a query may be longer than a URL.
  const answer = await (await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) })).json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data.result;
}

function variablesOf(dashboard) {
  const values = {};
  for (const { name, type, query, current, includeAll, allValue } of dashboard.templating.list) {
    const listed = type === 'custom' ? query.split(', ').map((each) => each.split(' : ')[1]) : [];
    values[name] = includeAll ? allValue ?? `(${listed.join('|')})` : current?.value ?? 'prometheus';
  }
  return values;
}

async function framesOf(panel, range, step, variables) {
  const seconds = Math.round((range.to - range.from) / 1000);
  const values = { ...variables, __rate_interval: '1m', __range: `${seconds}s` };
  const frames = await Promise.all(panel.targets.map(async (target) => {
    const query = target.expr.replace(/\$(\w+)/g, (whole, name) => values[name] ?? whole);
    if (!target.instant) {
      const start = Math.floor(range.from / 1000 / step) * step, end = Math.floor(range.to / 1000 / step) * step;
      return (await ask('query_range', { query, start, end, step })).map(({ metric, values: points }) => {
        const found = new Map(points.map(([at, value]) => [at, number(value)]));
        const times = Array.from({ length: (end - start) / step + 1 }, (_, index) => start + index * step);
        return frame(target, [
          { name: 'Time', type: FieldType.time, config: { interval: step * 1000 }, values: times.map((at) => at * 1000) },
          valueField('Value', target, metric, times.map((at) => found.get(at) ?? null)),
        ]);
      });
    }
    const series = await ask('query', { query, time: range.to / 1000 });
    if (target.format !== 'table') {
      return series.map(({ metric, value }) => frame(target, [valueField('Value', target, metric, [number(value[1])])]));
    }
    const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
    return [frame(target, [
      { name: 'Time', type: FieldType.time, config: {}, values: series.map(({ value }) => value[0] * 1000) },
      ...labels.map((name) => ({ name, type: FieldType.string, config: {}, values: series.map(({ metric }) => metric[name] ?? '') })),
      {
        name: panel.targets.length > 1 ? `Value #${target.refId}` : 'Value',
        type: FieldType.number, config: {}, values: series.map(({ value }) => number(value[1])),
      },
    ])];
  }));
  return frames.flat();
}

const frame = (target, fields) => toDataFrame({ refId: target.refId, fields });
const valueField = (name, target, labels, values) =>
  ({ name, type: FieldType.number, labels, values, config: { displayNameFromDS: named(target.legendFormat, labels) } });

// --- panels

function Numbers({ panel, data, width, height }) {
  const { options, fieldConfig, type } = panel;
  const shown = getFieldDisplayValues({
    data, fieldConfig, theme, timeZone: 'utc', reduceOptions: options.reduceOptions, sparkline: false, replaceVariables: (text) => text,
  });
  const factors = getDisplayValueAlignmentFactors(shown);
  if (type === 'stat') {
    return shown.map(({ display }, index) => <BigValue
      key={index} theme={theme} width={width} height={height} value={display} colorMode={options.colorMode}
      graphMode={options.graphMode} justifyMode={options.justifyMode} textMode={options.textMode} alignmentFactors={factors}
    />);
  }
  const gap = 10, each = Math.min(options.maxVizHeight, (height - gap * (shown.length - 1)) / shown.length);
  return <div style={{ display: 'flex', flexDirection: 'column', gap }}>
    {shown.map(({ display, field, view, colIndex }, index) => <BarGauge
      key={index} theme={theme} width={width} height={each} value={display} field={field} text={options.text}
      display={view.getFieldDisplayProcessor(colIndex)} orientation={VizOrientation.Horizontal} alignmentFactors={factors}
      displayMode={options.displayMode} valueDisplayMode={options.valueMode} namePlacement={options.namePlacement} showUnfilled
    />)}
  </div>;
}

function spans(values) {
  const found = [];
  values.forEach((value, at) => {
    const last = found.at(-1);
    if (last?.value === value) last.length += 1;
    else found.push({ value, at, length: 1 });
  });
  return found.filter(({ value }) => value !== null);
}

// Grafana does not publish its state timeline as a component; names, texts, and colors are the same as in Grafana.
function States({ data }) {
  const rows = data.map((each) => ({ each, field: each.fields.find(({ type }) => type === FieldType.number) }));
  const seen = new Map();
  rows.forEach(({ field }) => field.values.filter((value) => value !== null).forEach((value) => {
    const { text, color } = field.display(value);
    seen.set(text, color);
  }));
  const grey = { color: theme.colors.text.secondary, fontSize: 12, whiteSpace: 'nowrap' };
  return <div style={{ height: '100%', display: 'flex', flexDirection: 'column', gap: 6 }}>
    <div style={{ flex: 1, display: 'grid', gridTemplateColumns: 'max-content 1fr', gridAutoRows: '1fr', gap: '0 10px', alignItems: 'center' }}>
      {rows.map(({ each, field }, index) => <React.Fragment key={index}>
        <div style={{ ...grey, textAlign: 'right' }}>{getFieldDisplayName(field, each, data)}</div>
        <svg width="100%" height="70%" viewBox={`0 0 ${field.values.length} 1`} preserveAspectRatio="none" shapeRendering="crispEdges">
          {spans(field.values).map(({ value, at, length }) => <rect key={at} x={at} width={length} height="1" fill={field.display(value).color} fillOpacity="0.8" />)}
        </svg>
      </React.Fragment>)}
    </div>
    <div style={{ ...grey, display: 'flex', gap: 12, color: theme.colors.text.primary }}>
      {[...seen].map(([text, color]) => <span key={text}><i style={{ display: 'inline-block', width: 14, height: 4, borderRadius: 2, margin: '0 6px 2px 0', background: color }} />{text}</span>)}
    </div>
  </div>;
}

function Content({ panel, data, width, height, range }) {
  if (!data.some(({ length }) => length)) {
    return <div style={{ height, display: 'grid', placeItems: 'center' }}>{panel.fieldConfig.defaults.noValue}</div>;
  }
  switch (panel.type) {
    case 'table':
      return <TableNG data={data[0]} width={width} height={height} structureRev={1} fieldConfig={panel.fieldConfig} sortBy={panel.options.sortBy} getActions={() => []} />;
    case 'timeseries':
      return <TimeSeries frames={data} structureRev={1} width={width} height={height} timeRange={range.shown} timeZone="utc" legend={panel.options.legend} options={{}}>{() => null}</TimeSeries>;
    case 'state-timeline':
      return <States data={data} />;
    default:
      return <Numbers panel={panel} data={data} width={width} height={height} />;
  }
}

function Head({ dashboard }) {
  const chip = { border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '3px 8px', fontSize: 12 };
  return <header style={{ padding: `10px ${GAP}px 0` }}>
    <div style={{ fontSize: 18, fontWeight: 500, paddingBottom: 8 }}>{dashboard.title}</div>
    <div style={{ display: 'flex', gap: GAP }}>
      {dashboard.templating.list.map(({ name, label, current, type }) => <span key={name} style={chip}>
        <span style={{ color: theme.colors.text.secondary }}>{label} </span>
        {type === 'datasource' ? 'Prometheus' : [current.text].flat()[0]}
      </span>)}
    </div>
  </header>;
}

function Page({ dashboard, drawn, cell, range }) {
  const bottom = Math.max(...drawn.map(({ panel: { gridPos: at } }) => at.y + at.h));
  return <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <div id="page" style={{ position: 'relative', height: HEAD + bottom * (ROW + GAP) + GAP, color: theme.colors.text.primary, background: theme.colors.background.canvas }}>
      <Head dashboard={dashboard} />
      {drawn.map(({ panel, data, width, height }) => <div key={panel.id} style={{ position: 'absolute', left: GAP + panel.gridPos.x * cell, top: HEAD + panel.gridPos.y * (ROW + GAP) }}>
        {panel.type === 'row' ? <div style={{ padding: '8px 0', fontWeight: 500 }}>{panel.title}</div>
          : <PanelContextProvider value={{ eventsScope: 'panel', eventBus: new EventBusSrv(), canAddAnnotations: () => false }}>
            <PanelChrome title={panel.title} description={panel.description} width={width} height={height} padding={panel.type === 'table' ? 'none' : 'md'}>
              {(innerWidth, innerHeight) => <Content panel={panel} data={data} width={innerWidth} height={innerHeight} range={range} />}
            </PanelChrome>
          </PanelContextProvider>}
      </div>)}
    </div>
  </ThemeContext.Provider>;
}

async function main() {
  await initPluginTranslations('grafana');
  const dashboard = await (await fetch('/dashboard.json')).json();
  const raw = { from: `now-${asked.get('range') ?? '15m'}`, to: 'now' };
  const [from, to] = [dateMath.toDateTime(raw.from, {}), dateMath.toDateTime(raw.to, {})];
  const range = { from: from.valueOf(), to: to.valueOf(), shown: { from, to, raw } };
  const cell = (window.innerWidth - GAP) / 24, variables = variablesOf(dashboard);
  const drawn = await Promise.all(dashboard.panels.map(async (panel) => {
    const width = Math.floor(panel.gridPos.w * cell) - GAP, height = panel.gridPos.h * (ROW + GAP) - GAP;
    if (panel.type === 'row') return { panel, width, height };
    const defaults = { mappings: [], color: { mode: 'thresholds' }, ...panel.fieldConfig.defaults };
    panel.fieldConfig = { defaults, overrides: panel.fieldConfig.overrides ?? [] };
    const step = Math.max(1, Math.ceil((range.to - range.from) / 1000 / width));
    let data = await framesOf(panel, range, step, variables);
    data = await firstValueFrom(transformDataFrame(panel.transformations ?? [], data));
    data = applyFieldOverrides({ data, fieldConfig: panel.fieldConfig, replaceVariables: (text) => text, theme, timeZone: 'utc', fieldConfigRegistry: optionsOf(panel) });
    cacheFieldDisplayNames(data);
    return { panel, data, width, height };
  }));
  createRoot(document.getElementById('root')).render(<Page dashboard={dashboard} drawn={drawn} cell={cell} range={range} />);
}

main().catch((error) => { document.body.innerText = `not drawn: ${error.stack}`; });
