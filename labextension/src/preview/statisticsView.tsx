/**
 * The statistics tab: every column in a line, one of them in large beside.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { count } from '../format';
import { Empty } from '../panels/states';
import type { IColumnStatistics, IPreview } from '../tokens';
import { ColumnName, Sparkline, TopValues } from './charts';
import { Facts } from './controls';
import { Plot, tipValue, type IPlot } from './plot';
import { columnKind } from './query';
import { figure, percent } from './scale';

interface IProps {
  preview: IPreview;
  trans: TranslationBundle;
}

export function StatisticsView({ preview, trans }: IProps): JSX.Element {
  const columns = preview.columns ?? [];
  const [chosen, choose] = React.useState(0);
  const column = columns[chosen];
  if (!column) {
    return <Empty title={trans.__('No columns')}>{preview.note}</Empty>;
  }
  const heads = [trans.__('Nulls'), trans.__('Distinct'), trans.__('Minimum'), trans.__('Mean'), trans.__('Maximum')];
  const move = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    const next = Math.min(Math.max(chosen + step, 0), columns.length - 1);
    if (step) {
      event.preventDefault();
      choose(next);
      event.currentTarget.querySelectorAll<HTMLElement>('tbody tr')[next]?.focus();
    }
  };
  return (
    <div className="jp-Blocks-statistics">
      <div className="jp-Blocks-scroll">
        <table className="jp-Blocks-table" onKeyDown={move}>
          <thead>
            <tr>
              <th>{trans.__('Column')}</th>
              <th>{trans.__('Distribution')}</th>
              {heads.map(name => (
                <th key={name} className="jp-mod-number">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {columns.map((item, at) => (
              <tr
                key={item.name}
                tabIndex={at === chosen ? 0 : -1}
                aria-selected={at === chosen}
                onClick={() => choose(at)}
              >
                <ColumnName name={item.name} dtype={item.dtype} />
                <td>{item.note ? <span className="jp-Blocks-hint" title={item.note}>–</span> : <Shape column={item} />}</td>
                <td className="jp-mod-number" title={item.nulls ? count(item.nulls) : undefined}>
                  {nullsText(item, preview.rows)}
                </td>
                <td className="jp-mod-number">{distinctText(item)}</td>
                <td className="jp-mod-number" title={figure(item.min)}>{figure(item.min)}</td>
                <td className="jp-mod-number">{figure(item.mean)}</td>
                <td className="jp-mod-number" title={figure(item.max)}>{figure(item.max)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {preview.omitted_columns ? (
          <p className="jp-Blocks-notice">{trans.__('%1 more columns are not described.', preview.omitted_columns)}</p>
        ) : null}
      </div>
      <Details column={column} rows={preview.rows} trans={trans} />
    </div>
  );
}

function Shape({ column }: { column: IColumnStatistics }): JSX.Element {
  const top = column.top?.map(([, number]) => number) ?? [];
  const counts = column.histogram?.counts ?? (Math.max(...top, 0) > 1 ? top : []);
  return <Sparkline counts={counts} width={80} height={24} />;
}

function nullsText({ nulls }: IColumnStatistics, rows: number | null): string {
  return nulls === null || nulls === undefined ? '' : nulls === 0 ? '0' : rows ? percent(nulls / rows) : count(nulls);
}

/** A sample cannot tell how many there are. */
function distinctText({ distinct, sampled }: IColumnStatistics): string {
  return distinct === null || distinct === undefined ? '' : `${sampled && distinct > 50 ? '≥ ' : ''}${count(distinct)}`;
}

function Details(props: { column: IColumnStatistics; rows: number | null; trans: TranslationBundle }): JSX.Element {
  const { column, rows, trans } = props;
  const quantiles = (column.quantiles ?? []).map(figure);
  const figures: [string, string][] = [
    [trans.__('Nulls'), column.nulls ? `${count(column.nulls)} (${nullsText(column, rows)})` : nullsText(column, rows)],
    [trans.__('Distinct'), distinctText(column)],
    [trans.__('Minimum'), figure(column.min)],
    ['5 %', quantiles[0] ?? ''],
    ['25 %', quantiles[1] ?? ''],
    [trans.__('Median'), quantiles[2] ?? ''],
    ['75 %', quantiles[3] ?? ''],
    ['95 %', quantiles[4] ?? ''],
    [trans.__('Maximum'), figure(column.max)],
    [trans.__('Mean'), figure(column.mean)],
    [trans.__('Std. deviation'), figure(column.std)]
  ];
  const present = (column.sample_rows ?? rows ?? 0) - (column.sampled ? 0 : (column.nulls ?? 0));
  return (
    <aside className="jp-Blocks-details" aria-label={column.name}>
      <h3 title={column.name}>{column.name}</h3>
      <p className="jp-Blocks-hint">{column.note ?? column.dtype}</p>
      {column.histogram && <Plot plot={histogramPlot(column, trans)} />}
      {column.top && column.top.length > 0 && !(column.histogram && (column.top[0]?.[1] ?? 0) <= 1) && (
        <>
          <h4>{trans.__('Most frequent')}</h4>
          <TopValues values={column.top.map(([value, number]) => [value, number / Math.max(present, number)])} />
        </>
      )}
      <Facts className="jp-Blocks-figureList" facts={figures} />
      {column.sampled && (
        <p className="jp-Blocks-source">
          {column.estimated
            ? trans.__('All figures are those of %1 rows spread over the column.', count(column.sample_rows ?? 0))
            : trans.__('Nulls, minimum, maximum and mean are exact; the rest is from %1 rows spread over the column.', count(column.sample_rows ?? 0))}
        </p>
      )}
    </aside>
  );
}

function histogramPlot(column: IColumnStatistics, trans: TranslationBundle): IPlot {
  const isTime = columnKind(column.dtype) === 'time';
  const edges = column.histogram!.edges.map(edge =>
    typeof edge === 'number' ? edge : Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(String(edge).slice(10)) ? edge : `${String(edge)}Z`) / 1000
  );
  const single = edges.length === 2 && edges[0] === edges[1];
  return {
    shape: 'bars',
    xLabel: '',
    yLabel: '',
    xIsTime: isTime,
    yIsTime: false,
    label: trans.__('Histogram of %1', column.name),
    marks: column.histogram!.counts.map((number, at) => {
      const from = edges[at]! - (single ? 0.5 : 0);
      const to = edges[at + 1]! + (single ? 0.5 : 0);
      const tip = `${tipValue(edges[at], isTime)} – ${tipValue(edges[at + 1], isTime)}\n${count(number)}`;
      return { x: (from + to) / 2, from, to, base: 0, y: number, color: 0, tip };
    })
  };
}
