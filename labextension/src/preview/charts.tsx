/**
 * Small drawings of distributions: bars in a row, and the most frequent values as bars with names.
 */
import * as React from 'react';

import { cellText } from '../format';
import { percent } from './scale';

/** Bars of counts, as wide as it is told; a single path, because tables show hundreds of them. */
export function Sparkline(props: {
  counts: readonly number[];
  width: number;
  height: number;
  /** Drawn as a line over the bars, in the same scale. */
  other?: readonly number[];
}): JSX.Element {
  const { counts, width, height, other } = props;
  const most = Math.max(...counts, ...(other ?? []), 1e-12);
  const step = width / Math.max(counts.length, 1);
  const tall = (value: number): number => (value > 0 ? Math.max(1, (value / most) * (height - 1)) : 0);
  const bars = counts.map((value, at) => {
    const size = tall(value).toFixed(1);
    return `M${(at * step).toFixed(1)} ${height}v-${size}h${Math.max(step - 1, 0.5).toFixed(1)}v${size}z`;
  });
  const steps = other?.map(
    (value, at) => `${at === 0 ? 'M0 ' : 'V'}${(height - tall(value)).toFixed(1)}H${((at + 1) * step).toFixed(1)}`
  );
  return (
    <svg className="jp-Blocks-spark" width={width} height={height} aria-hidden="true">
      <path d={bars.join('')} />
      {steps && <path className="jp-mod-before" d={steps.join('')} />}
    </svg>
  );
}

/** Head of a line: the name of a column above its type. */
export function ColumnName(props: { name: string; dtype: React.ReactNode }): JSX.Element {
  return (
    <th scope="row" title={props.name}>
      {props.name}
      <small>{props.dtype}</small>
    </th>
  );
}

/** Values with their parts as bars; `before` draws a mark where the part was. */
export function TopValues(props: {
  values: readonly [value: unknown, part: number, before?: number][];
}): JSX.Element {
  const most = Math.max(...props.values.map(([, part, before]) => Math.max(part, before ?? 0)), 1e-12);
  return (
    <ul className="jp-Blocks-top">
      {props.values.map(([value, part, before]) => (
        <li key={String(value)}>
          <span title={cellText(value)}>{value === null ? <i>null</i> : cellText(value) || '""'}</span>
          <span className="jp-Blocks-topBar">
            <span style={{ width: `${(part / most) * 100}%` }} />
            {before !== undefined && <i style={{ left: `${(before / most) * 100}%` }} />}
          </span>
          <span className="jp-Blocks-number">
            {before !== undefined ? `${percent(before)} → ${percent(part)}` : percent(part)}
          </span>
        </li>
      ))}
    </ul>
  );
}
