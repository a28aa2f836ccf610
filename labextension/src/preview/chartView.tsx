/**
 * The chart tab: what to draw is chosen above, data come from the server, aggregated or sampled.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { cellText, count } from '../format';
import { Empty } from '../panels/states';
import type { ChartKind, IChart, IChartRequest, IColumnStatistics, IPreview } from '../tokens';
import { Choice, Select } from './controls';
import { placeKey, useFetched, Waiting } from './fetched';
import { Plot, tipValue, type IMark, type IPlot } from './plot';
import { columnKind } from './query';
import { figure } from './scale';

interface IProps {
  api: BlocksApi;
  place: IOutputPlace;
  preview: IPreview;
  trans: TranslationBundle;
}

const BINS = 30;
const BARS = 40;
const OTHERS = 7;

export function ChartView({ api, place, preview, trans }: IProps): JSX.Element {
  const columns = preview.columns ?? [];
  const [request, setRequest] = React.useState<IChartRequest | null>(() => firstChart(columns));
  const found = useFetched(
    () => (request ? api.chart(place, request) : Promise.resolve(null)),
    [request, placeKey(place)]
  );
  if (!request) {
    return <Empty title={trans.__('No columns')}>{trans.__('There is nothing to draw.')}</Empty>;
  }
  const { value: chart, error } = found;
  const drawn = chart && plotOf(chart, columns, trans);
  return (
    <div className="jp-Blocks-chart">
      <Choices request={request} columns={columns} change={setRequest} trans={trans} />
      {(error || !drawn) && <Waiting for={found} trans={trans} />}
      {!error && drawn && drawn.marks.length === 0 && (
        <Empty title={trans.__('Nothing to draw')}>{trans.__('The column has no values of this kind.')}</Empty>
      )}
      {!error && chart && drawn && drawn.marks.length > 0 && (
        <>
          <Legend chart={chart} trans={trans} />
          <Plot plot={drawn} />
          <p className="jp-Blocks-source">{sourceText(chart, preview, trans)}</p>
        </>
      )}
    </div>
  );
}

/** Groups of a column with few values; a histogram of numbers where there is none. */
export function firstChart(columns: readonly IColumnStatistics[]): IChartRequest | null {
  const groups = columns.find(
    ({ dtype, distinct }) => columnKind(dtype) === 'text' && distinct && distinct > 1 && distinct <= 50
  );
  if (groups) {
    return { kind: 'bar', x: groups.name, limit: BARS };
  }
  const measure = columns.find(({ dtype }) => ['number', 'time'].includes(columnKind(dtype)));
  const first = measure ?? columns[0];
  return first ? { kind: measure ? 'histogram' : 'bar', x: first.name, bins: BINS } : null;
}

/** What stays of a request when one of its parts is chosen anew. */
export function changed(
  request: IChartRequest,
  changes: Partial<IChartRequest>,
  columns: readonly IColumnStatistics[]
): IChartRequest {
  const next = { ...request, ...changes };
  const kinds = new Map(columns.map(({ name, dtype }) => [name, columnKind(dtype)]));
  const isMeasure = (name: string | undefined): boolean => ['number', 'time'].includes(kinds.get(name ?? '') ?? '');
  const numbers = columns.filter(({ name }) => kinds.get(name) === 'number').map(({ name }) => name);
  const { kind, color } = next;
  if (kind === 'histogram') {
    const x = isMeasure(next.x) ? next.x : (columns.find(({ name }) => isMeasure(name))?.name ?? next.x);
    return { kind, x, color, bins: BINS };
  }
  if (kind === 'scatter') {
    const x = isMeasure(next.x) ? next.x : (numbers[0] ?? next.x);
    return { kind, x, color, y: isMeasure(next.y) ? next.y : (numbers.find(name => name !== x) ?? x) };
  }
  const y = next.y && kinds.get(next.y) === 'number' ? next.y : undefined;
  const aggregate = y ? (next.aggregate === 'count' || !next.aggregate ? 'mean' : next.aggregate) : undefined;
  return { kind, x: next.x, color, y, aggregate, limit: kind === 'bar' ? BARS : undefined };
}

function Choices(props: {
  request: IChartRequest;
  columns: readonly IColumnStatistics[];
  change(request: IChartRequest): void;
  trans: TranslationBundle;
}): JSX.Element {
  const { request, columns, trans } = props;
  const change = (changes: Partial<IChartRequest>): void => props.change(changed(request, changes, columns));
  const kinds: [ChartKind, string][] = [
    ['bar', trans.__('Bars')],
    ['line', trans.__('Line')],
    ['scatter', trans.__('Scatter')],
    ['histogram', trans.__('Histogram')]
  ];
  const aggregates: [NonNullable<IChartRequest['aggregate']>, string][] = [
    ['mean', trans.__('mean')],
    ['sum', trans.__('sum')],
    ['min', trans.__('minimum')],
    ['max', trans.__('maximum')]
  ];
  const isMeasured = request.kind === 'scatter' || request.kind === 'histogram';
  const of = (...wanted: string[]): string[] =>
    columns.filter(({ dtype }) => wanted.includes(columnKind(dtype))).map(({ name }) => name);
  return (
    <div className="jp-Blocks-choices">
      <Choice label={trans.__('Kind of chart')} value={request.kind} options={kinds} change={kind => change({ kind })} />
      <Select
        isShown
        label="X"
        value={request.x}
        options={isMeasured ? of('number', 'time') : columns.map(({ name }) => name)}
        change={x => change({ x })}
      />
      {request.kind !== 'histogram' && (
        <Select
          isShown
          label="Y"
          value={request.y ?? ''}
          options={
            request.kind === 'scatter' ? of('number', 'time') : [['', trans.__('number of rows')], ...of('number')]
          }
          change={y => change({ y: y || undefined })}
        />
      )}
      {request.y && request.kind !== 'scatter' && (
        <Select
          isShown
          label={trans.__('as')}
          value={request.aggregate ?? 'mean'}
          options={aggregates}
          change={aggregate => change({ aggregate: aggregate as IChartRequest['aggregate'] })}
        />
      )}
      <Select
        isShown
        label={trans.__('Colour')}
        value={request.color ?? ''}
        options={[['', trans.__('none')], ...of('text', 'bool', 'number'), ...(isMeasured ? [] : of('time'))]}
        change={color => change({ color: color || undefined })}
      />
    </div>
  );
}

/** What the colours mean; dots by a number go from one colour to another. */
function Legend({ chart, trans }: { chart: IChart; trans: TranslationBundle }): JSX.Element | null {
  const scatter = chart.kind === 'scatter' ? dotColors(chart) : null;
  const names = scatter ? scatter.names : (chart.colors ?? []);
  if (scatter?.range) {
    return (
      <div className="jp-Blocks-legend">
        {figure(scatter.range[0])} <span className="jp-Blocks-ramp" /> {figure(scatter.range[1])}
      </div>
    );
  }
  if (names.length === 0) {
    return null;
  }
  const others = scatter ? scatter.others : chart.others;
  return (
    <div className="jp-Blocks-legend">
      {names.map((name, at) => (
        <span key={String(name)}>
          <i className={`jp-Blocks-series-${Math.min(at, OTHERS)}`} /> {name === null ? 'null' : cellText(name)}
        </span>
      ))}
      {others && (
        <span>
          <i className={`jp-Blocks-series-${OTHERS}`} /> {trans.__('others')}
        </span>
      )}
    </div>
  );
}

interface IDotColors {
  names: unknown[];
  others: boolean;
  range: [number, number] | null;
}

/** The colours of dots: few values have one each, many numbers lie between two. */
export function dotColors(chart: IChart): IDotColors {
  const counts = new Map<unknown, number>();
  for (const { color } of chart.values ?? []) {
    if (color !== undefined) {
      counts.set(color, (counts.get(color) ?? 0) + 1);
    }
  }
  const numbers = [...counts.keys()].filter((value): value is number => typeof value === 'number');
  if (numbers.length > OTHERS) {
    return { names: [], others: false, range: [Math.min(...numbers), Math.max(...numbers)] };
  }
  const names = [...counts].sort((one, other) => other[1] - one[1]).map(([name]) => name);
  return names.length > OTHERS + 1
    ? { names: names.slice(0, OTHERS), others: true, range: null }
    : { names, others: false, range: null };
}

/** Marks and axes of a chart. */
export function plotOf(chart: IChart, columns: readonly IColumnStatistics[], trans: TranslationBundle): IPlot {
  const kindOf = (name: string | null): string => columnKind(columns.find(column => column.name === name)?.dtype ?? '');
  const words: Record<string, string> = {
    count: trans.__('rows'),
    sum: trans.__('sum of %1', chart.y),
    mean: trans.__('mean of %1', chart.y),
    min: trans.__('minimum of %1', chart.y),
    max: trans.__('maximum of %1', chart.y)
  };
  const xIsTime = kindOf(chart.x) === 'time';
  const base = { xLabel: chart.x, xIsTime, yIsTime: false };
  if (chart.kind === 'histogram') {
    return { ...base, shape: 'bars', yLabel: words.count!, label: trans.__('Histogram of %1', chart.x), marks: histogramMarks(chart, xIsTime) };
  }
  if (chart.kind === 'scatter') {
    const yIsTime = kindOf(chart.y) === 'time';
    const label = trans.__('%1 against %2', chart.y ?? '', chart.x);
    return { ...base, shape: 'dots', yLabel: chart.y ?? '', yIsTime, label, marks: dotMarks(chart, xIsTime, yIsTime) };
  }
  const yLabel = words[chart.aggregate ?? 'count']!;
  const values = (chart.values ?? []).filter(value => typeof value.y === 'number');
  const label = trans.__('%1 by %2', yLabel, chart.x);
  const isLine = chart.kind === 'line';
  if (isLine && values.every(({ x }) => typeof x === 'number')) {
    const marks = values.map(value => mark(chart, value, value.x as number, xIsTime));
    return { ...base, shape: 'line', yLabel, label, marks };
  }
  const names = [...new Set(values.map(({ x }) => (x === null ? 'null' : figure(x))))];
  const marks = isLine
    ? values.map(value => mark(chart, value, names.indexOf(value.x === null ? 'null' : figure(value.x)), false))
    : barMarks(chart, values, names);
  return { ...base, shape: isLine ? 'line' : 'bars', yLabel, label, names, marks };
}

type Value = NonNullable<IChart['values']>[number];

function mark(chart: IChart, value: Value, x: number, isTime: boolean): IMark {
  const color = typeof value.color === 'number' ? value.color : 0;
  const name = chart.colors ? `${nameOf(chart, color)}\n` : '';
  return { x, y: value.y as number, color, tip: `${name}${tipValue(value.x, isTime)}\n${figure(value.y)}` };
}

function nameOf(chart: IChart, color: number): string {
  const name = chart.colors?.[color];
  return name === undefined ? '…' : name === null ? 'null' : cellText(name);
}

/** Sums and counts stand on each other, anything else side by side. */
function barMarks(chart: IChart, values: readonly Value[], names: readonly string[]): IMark[] {
  const isStacked = ['count', 'sum'].includes(chart.aggregate ?? 'count') && values.every(({ y }) => (y as number) >= 0);
  const colors = Math.max((chart.colors?.length ?? 1) + (chart.others ? 1 : 0), 1);
  const heights = new Map<number, number>();
  return values.map(value => {
    const place = names.indexOf(value.x === null ? 'null' : figure(value.x));
    const one = mark(chart, value, place, false);
    if (colors === 1 || isStacked) {
      const base = heights.get(place) ?? 0;
      heights.set(place, base + one.y);
      return { ...one, from: place - 0.38, to: place + 0.38, base, y: base + one.y };
    }
    const width = 0.76 / colors;
    const from = place - 0.38 + one.color * width;
    return { ...one, x: from + width / 2, from, to: from + width, base: 0 };
  });
}

function histogramMarks(chart: IChart, isTime: boolean): IMark[] {
  const edges = (chart.edges ?? []).map(Number);
  const series = chart.series ?? [chart.counts ?? []];
  const heights = edges.map(() => 0);
  const single = edges.length === 2 && edges[0] === edges[1];
  return series.flatMap((counts, color) =>
    counts.flatMap((number, at): IMark[] => {
      if (number === 0) {
        return [];
      }
      const [from, to] = single ? [edges[0]! - 0.5, edges[0]! + 0.5] : [edges[at]!, edges[at + 1]!];
      const base = heights[at]!;
      heights[at] = base + number;
      const name = chart.colors ? `${nameOf(chart, color)}\n` : '';
      const range = `${tipValue(edges[at], isTime)} – ${tipValue(edges[at + 1], isTime)}`;
      return [{ x: (from + to) / 2, from, to, base, y: base + number, color, tip: `${name}${range}\n${count(number)}` }];
    })
  );
}

function dotMarks(chart: IChart, xIsTime: boolean, yIsTime: boolean): IMark[] {
  const { names, range } = dotColors(chart);
  return (chart.values ?? []).flatMap(({ x, y, color }): IMark[] => {
    const [across, up] = [number(x, xIsTime), number(y, yIsTime)];
    if (across === null || up === null) {
      return [];
    }
    const at = names.indexOf(color);
    const shade = range && typeof color === 'number' ? (color - range[0]) / (range[1] - range[0] || 1) : undefined;
    const name = color === undefined ? '' : `\n${tipValue(color, false)}`;
    const tip = `${tipValue(across, xIsTime)}, ${tipValue(up, yIsTime)}${name}`;
    return [{ x: across, y: up, color: names.length === 0 ? 0 : at < 0 ? OTHERS : at, shade, tip }];
  });
}

function number(value: unknown, isTime: boolean): number | null {
  if (isTime && typeof value === 'string') {
    const text = /[zZ]|[+-]\d\d:?\d\d$/.test(value.slice(10)) ? value : `${value.length > 10 ? value : `${value}T00:00:00`}Z`;
    const time = Date.parse(text);
    return Number.isNaN(time) ? null : time / 1000;
  }
  return typeof value === 'number' ? value : null;
}

/** From how many rows the chart is, and what was left out. */
function sourceText(chart: IChart, preview: IPreview, trans: TranslationBundle): string {
  const all = count(preview.rows ?? 0);
  if (chart.kind === 'scatter' && chart.sampled) {
    return trans.__('%1 of %2 rows, spread evenly', count(chart.values?.length ?? 0), all);
  }
  const groups = new Set(chart.values?.map(value => value.x)).size;
  if (chart.kind === 'bar' && (chart.groups ?? 0) > groups) {
    return trans.__('From all %1 rows; the %2 largest of %3 groups', all, groups, count(chart.groups!));
  }
  return trans.__('From all %1 rows', all);
}
