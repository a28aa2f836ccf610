/**
 * The changes tab: a value beside the one of an earlier run - rows, schema, distributions.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { ago, bytes, count } from '../format';
import { Empty } from '../panels/states';
import type { IComparedColumn, IComparison, IStoredRun } from '../tokens';
import { ColumnName, Sparkline, TopValues } from './charts';
import { Facts, Select } from './controls';
import { placeKey, useFetched, Waiting } from './fetched';
import { figure, percent } from './scale';

interface IProps {
  api: BlocksApi;
  place: IOutputPlace;
  trans: TranslationBundle;
}

/** Smaller shifts are what chance does. */
const LEAST_SHIFT = 0.005;

export function CompareView({ api, place, trans }: IProps): JSX.Element {
  const [before, setBefore] = React.useState<string>();
  const answer = useFetched(() => api.compare(place, before), [before, placeKey(place)]);
  const found = answer.value;
  if (!found || answer.error) {
    return <Waiting for={answer} trans={trans} />;
  }
  if (!found.before) {
    return (
      <Empty title={trans.__('Nothing to compare with')}>
        {trans.__('No other run has stored this output. Run the block again, and what has changed is shown here.')}
      </Empty>
    );
  }
  return (
    <div className="jp-Blocks-compare jp-Blocks-scroll">
      <header role="none">
        <Select
          isShown
          label={trans.__('Compared with')}
          value={found.before.run_id}
          options={runs(found).map(run => [run.run_id, `${ago(run.created_at, Date.now() / 1000)} · ${run.run_id}`])}
          change={setBefore}
        />
        <Sizes found={found} trans={trans} />
      </header>
      {found.equal ? (
        <Empty title={trans.__('Nothing has changed')}>{trans.__('Both runs have stored the same bytes.')}</Empty>
      ) : (
        <Columns columns={found.columns} trans={trans} />
      )}
    </div>
  );
}

/** The one that is compared with may be none of those that are offered. */
function runs({ before, candidates }: IComparison): IStoredRun[] {
  const isOffered = candidates.some(run => run.run_id === before!.run_id);
  return isOffered ? candidates : [before!, ...candidates];
}

function Sizes({ found, trans }: { found: IComparison; trans: TranslationBundle }): JSX.Element {
  const { after } = found;
  const before = found.before!;
  const counted = (name: string, list: IComparedColumn[]): string => (list.length > 0 ? `${list.length} ${name}` : '');
  const of = (change: IComparedColumn['change']): IComparedColumn[] => found.columns.filter(column => column.change === change);
  const schema = [
    counted(trans.__('added'), of('added')),
    counted(trans.__('removed'), of('removed')),
    counted(trans.__('with another type'), of('type'))
  ].filter(Boolean);
  const rows =
    before.rows === null || after.rows === null
      ? ''
      : `${count(before.rows)} → ${count(after.rows)} ${difference(before.rows, after.rows)}`;
  return (
    <Facts
      className="jp-Blocks-sizes"
      facts={[
        [trans.__('Rows'), rows],
        [trans.__('Size'), `${bytes(before.bytes)} → ${bytes(after.bytes)}`],
        [trans.__('Type'), before.python_type === after.python_type ? '' : `${before.python_type} → ${after.python_type}`],
        [trans.__('Columns'), found.columns.length === 0 ? '' : schema.join(', ') || trans.__('the same')]
      ]}
    />
  );
}

/** `+3.1 %`. */
export function difference(before: number, after: number): string {
  if (before === after) {
    return '';
  }
  const sign = after > before ? '+' : '−';
  return before === 0 ? '' : `(${sign}${percent(Math.abs(after - before) / before)})`;
}

/** What has changed most comes first: the schema, then the distributions. */
export function byChange(columns: readonly IComparedColumn[]): IComparedColumn[] {
  const weight = ({ change, shift }: IComparedColumn): number => (change === 'same' ? (shift ?? -1) : 2);
  return [...columns].sort((one, other) => weight(other) - weight(one));
}

function Columns({ columns, trans }: { columns: IComparedColumn[]; trans: TranslationBundle }): JSX.Element | null {
  const [open, setOpen] = React.useState('');
  if (columns.length === 0) {
    return <Empty title={trans.__('The content has changed')}>{trans.__('Columns are compared of tables only.')}</Empty>;
  }
  return (
    <table className="jp-Blocks-table">
      <thead>
        <tr>
          <th>{trans.__('Column')}</th>
          <th>{trans.__('Before (line) and now')}</th>
          <th className="jp-mod-number" title={trans.__('The part of the rows that would have to move to make one distribution the other')}>
            {trans.__('Shift')}
          </th>
          {[trans.__('Nulls'), trans.__('Mean'), trans.__('Minimum'), trans.__('Maximum')].map(name => (
            <th key={name} className="jp-mod-number">{name}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {byChange(columns).map(column => (
          <React.Fragment key={column.name}>
            <tr className={`jp-mod-${column.change}`} onClick={() => setOpen(open === column.name ? '' : column.name)}>
              <ColumnName name={column.name} dtype={typeChange(column, trans)} />
              <td><Shapes column={column} /></td>
              <td className="jp-mod-number"><Shift shift={column.shift} /></td>
              {[column.nulls, column.mean, column.min, column.max].map((pair, at) => (
                <td key={at} className="jp-mod-number"><Pair pair={pair} /></td>
              ))}
            </tr>
            {open === column.name && column.top && (
              <tr className="jp-Blocks-open">
                <td colSpan={7}>
                  <TopValues values={column.top.map(([value, was, now]) => [value, now, was])} />
                </td>
              </tr>
            )}
          </React.Fragment>
        ))}
      </tbody>
    </table>
  );
}

function typeChange({ change, dtype }: IComparedColumn, trans: TranslationBundle): JSX.Element {
  const [before, after] = dtype;
  switch (change) {
    case 'added':
      return <span><b className="jp-Blocks-badge">{trans.__('added')}</b> {after}</span>;
    case 'removed':
      return <span><b className="jp-Blocks-badge">{trans.__('removed')}</b> {before}</span>;
    case 'type':
      return <span><b className="jp-Blocks-badge">{before} → {after}</b></span>;
    default:
      return <>{after}</>;
  }
}

function Shapes({ column: { histogram, top } }: { column: IComparedColumn }): JSX.Element | null {
  if (histogram) {
    return <Sparkline counts={histogram.after} other={histogram.before} width={80} height={26} />;
  }
  return top ? (
    <Sparkline counts={top.map(([, , now]) => now)} other={top.map(([, was]) => was)} width={80} height={26} />
  ) : null;
}

function Shift({ shift }: { shift: number | null }): JSX.Element | null {
  if (shift === null) {
    return null;
  }
  return (
    <span className="jp-Blocks-shift">
      {shift < LEAST_SHIFT ? '–' : percent(shift)}
      <span><span style={{ width: `${Math.min(shift, 1) * 100}%` }} /></span>
    </span>
  );
}

/** One figure where it has stayed the same, two where it has not. */
function Pair({ pair: [before, after] }: { pair: unknown[] }): JSX.Element {
  const [was, now] = [figure(before), figure(after)];
  return was === now || was === '' || now === '' ? (
    <span className="jp-Blocks-hint">{now || was}</span>
  ) : (
    <span title={`${was} → ${now}`}>
      {now}
      <small>{was}</small>
    </span>
  );
}
