import { nullTranslator } from '@jupyterlab/translation';

import { changed, dotColors, firstChart, plotOf } from '../../src/preview/chartView';
import { byChange, difference } from '../../src/preview/compareView';
import { nearest } from '../../src/preview/plot';
import { scale } from '../../src/preview/scale';
import type { IChart, IComparedColumn } from '../../src/tokens';
import { COLUMNS } from './server';

const trans = nullTranslator.load('x');
const plot = (chart: Partial<IChart>): ReturnType<typeof plotOf> =>
  plotOf({ kind: 'bar', x: 'city', y: null, sampled: false, ...chart }, COLUMNS, trans);

test('the first chart is one that says something', () => {
  expect(firstChart(COLUMNS)).toEqual({ kind: 'bar', x: 'city', limit: 40 });
  expect(firstChart(COLUMNS.slice(1))).toMatchObject({ kind: 'histogram', x: 'price' });
  expect(firstChart(COLUMNS.slice(3))).toMatchObject({ kind: 'bar', x: 'paid' });
  expect(firstChart([])).toBeNull();
});

test('what makes no sense for another kind of chart is chosen anew', () => {
  const bars = { kind: 'bar' as const, x: 'city', y: 'price', aggregate: 'sum' as const, color: 'paid' };
  expect(changed(bars, { kind: 'scatter' }, COLUMNS)).toEqual({ kind: 'scatter', x: 'price', y: 'price', color: 'paid' });
  expect(changed(bars, { kind: 'histogram' }, COLUMNS)).toMatchObject({ kind: 'histogram', x: 'price', bins: 30 });
  expect(changed(bars, { kind: 'line' }, COLUMNS)).toMatchObject({ x: 'city', y: 'price', aggregate: 'sum' });
  expect(changed(bars, { y: undefined }, COLUMNS)).toMatchObject({ y: undefined, aggregate: undefined });
  expect(changed({ kind: 'bar', x: 'city' }, { y: 'price' }, COLUMNS)).toMatchObject({ aggregate: 'mean' });
});

test('counts and sums stand on each other, means side by side', () => {
  const values = [{ x: 'Bonn', y: 3, color: 0 }, { x: 'Bonn', y: 1, color: 1 }, { x: null, y: 2, color: 1 }];
  const stacked = plot({ aggregate: 'count', values, colors: ['a', 'b'] });
  expect(stacked.names).toEqual(['Bonn', 'null']);
  expect(stacked.marks.map(({ base, y }) => [base, y])).toEqual([[0, 3], [3, 4], [0, 2]]);
  const beside = plot({ y: 'price', aggregate: 'mean', values, colors: ['a', 'b'] });
  expect(beside.marks[0]!.to).toBeCloseTo(beside.marks[1]!.from!);
  expect(beside.marks[1]!.tip).toBe('b\nBonn\n1');
});

test('a histogram of times has times at its axis, one value has one bar', () => {
  const drawn = plot({ kind: 'histogram', x: 'sold', edges: [0, 3600, 7200], counts: [2, 0] });
  expect([drawn.xIsTime, drawn.marks.length, drawn.marks[0]!.tip]).toEqual([true, 1, '1970-01-01 – 1970-01-01 01:00:00\n2']);
  const single = plot({ kind: 'histogram', x: 'price', edges: [4, 4], counts: [9] });
  expect([single.marks[0]!.from, single.marks[0]!.to]).toEqual([3.5, 4.5]);
});

test('dots without a place are left out, times become seconds', () => {
  const values = [{ x: '2026-01-01', y: 1 }, { x: '2026-01-01T00:00:01', y: 2 }, { x: null, y: 3 }, { x: '2026-01-01', y: null }];
  const drawn = plot({ kind: 'scatter', x: 'sold', y: 'price', values });
  expect(drawn.marks.map(({ x, y }) => [x - Date.UTC(2026) / 1000, y])).toEqual([[0, 1], [1, 2]]);
});

test('dots have colours where values are few, shades where numbers are many', () => {
  const chart = (colors: unknown[]): IChart => ({
    kind: 'scatter', x: 'price', y: 'price', sampled: false, values: colors.map(color => ({ x: 1, y: 1, color }))
  });
  expect(dotColors(chart(['b', 'a', 'a']))).toEqual({ names: ['a', 'b'], others: false, range: null });
  expect(dotColors(chart([...'abcdefghij']))).toMatchObject({ others: true, names: { length: 7 } });
  expect(dotColors(chart([1, 2, 3, 4, 5, 6, 7, 8.5]))).toEqual({ names: [], others: false, range: [1, 8.5] });
});

test('the bar under the pointer is found, also above its top; of dots the closest', () => {
  const [x, y] = [scale(0, 10, 0, 100), scale(0, 10, 100, 0)];
  const bars = plot({ kind: 'histogram', x: 'price', edges: [0, 5, 10], counts: [2, 8] });
  expect(nearest(bars, x, y, 70, 5)?.y).toBe(8);
  expect(nearest(bars, x, y, 10, 99)?.y).toBe(2);
  const dots = plot({ kind: 'scatter', x: 'price', y: 'price', values: [{ x: 1, y: 1 }, { x: 5, y: 5 }] });
  expect(nearest(dots, x, y, 48, 52)?.x).toBe(5);
  expect(nearest(dots, x, y, 90, 10)).toBeNull();
});

test('what has changed most comes first', () => {
  const column = (name: string, change: IComparedColumn['change'], shift: number | null): IComparedColumn => ({
    name, change, shift, dtype: [], nulls: [], distinct: [], min: [], max: [], mean: []
  });
  const columns = [column('a', 'same', 0.1), column('b', 'same', null), column('c', 'removed', null), column('d', 'same', 0.4)];
  expect(byChange(columns).map(({ name }) => name)).toEqual(['c', 'd', 'a', 'b']);
});

test('numbers of rows are compared in percent', () => {
  expect([difference(100, 103), difference(100, 40), difference(5, 5), difference(0, 5)]).toEqual(['(+3 %)', '(−60 %)', '', '']);
});
