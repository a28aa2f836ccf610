import { nullTranslator } from '@jupyterlab/translation';

import {
  ALL_ROWS,
  columnKind,
  conditionsOf,
  conditionText,
  formOf,
  nextSort,
  reachable,
  withFilters,
  type ColumnKind
} from '../../src/preview/query';
import type { ICondition } from '../../src/tokens';

const trans = nullTranslator.load('x');

test.each([
  ['int64', 'number'],
  ['UInt8', 'number'],
  ['double[pyarrow]', 'number'],
  ['decimal128(10, 2)', 'number'],
  ['object', 'text'],
  ['large_string', 'text'],
  ['dictionary<values=string, indices=int8>', 'text'],
  ['Categorical', 'text'],
  ['datetime64[ns, UTC]', 'time'],
  ['timestamp[us]', 'time'],
  ['Date', 'time'],
  ['boolean', 'bool'],
  ['list<item: int64>', 'other'],
  ['timedelta64[ns]', 'other']
])('columns of type %s are asked as %s', (dtype, kind) => {
  expect(columnKind(dtype)).toBe(kind);
});

test('a click sorts up, then down, then not at all', () => {
  const up = nextSort([], 'a', false);
  const down = nextSort(up, 'a', false);
  expect([up, down, nextSort(down, 'a', false)]).toEqual([
    [{ column: 'a', descending: false }],
    [{ column: 'a', descending: true }],
    []
  ]);
});

test('with shift the other columns stay, in their order', () => {
  const both = nextSort(nextSort([], 'a', false), 'b', true);
  expect(nextSort(both, 'a', true)).toEqual([
    { column: 'a', descending: true },
    { column: 'b', descending: false }
  ]);
  expect(nextSort(both, 'c', false)).toEqual([{ column: 'c', descending: false }]);
});

test('sorted tables can be looked at down to a limit', () => {
  const sorted = { ...ALL_ROWS, sort: [{ column: 'a', descending: false }] };
  expect([reachable(2e6, ALL_ROWS), reachable(2e6, sorted), reachable(5, sorted)]).toEqual([2e6, 1e5, 5]);
});

test('filters of one column are replaced, those of others stay', () => {
  const query = { ...ALL_ROWS, filters: [{ column: 'a', op: 'is_null' as const }, { column: 'b', op: 'is_null' as const }] };
  expect(withFilters(query, 'a', []).filters).toEqual([{ column: 'b', op: 'is_null' }]);
});

const FILTERS: [ColumnKind, ICondition[]][] = [
  ['number', []],
  ['number', [{ column: 'c', op: 'ge', value: 1 }, { column: 'c', op: 'le', value: 2.5 }]],
  ['number', [{ column: 'c', op: 'gt', value: -3 }]],
  ['number', [{ column: 'c', op: 'not_null' }, { column: 'c', op: 'eq', value: 0 }]],
  ['text', [{ column: 'c', op: 'in', value: ['x', 'y'] }]],
  ['text', [{ column: 'c', op: 'contains', value: 'x y' }]],
  ['text', [{ column: 'c', op: 'is_null' }]],
  ['time', [{ column: 'c', op: 'ge', value: '2026-05-04' }, { column: 'c', op: 'le', value: '2026-05-05 14:00' }]],
  ['bool', [{ column: 'c', op: 'in', value: [true] }]]
];

test.each(FILTERS)('the form of %s %j means the same again', (kind, conditions) => {
  expect(conditionsOf(formOf(conditions, kind), 'c', kind)).toEqual(conditions);
});

test.each<[ColumnKind, string, unknown]>([
  ['number', 'abc', null],
  ['number', '1 000', [{ column: 'c', op: 'eq', value: 1000 }]],
  ['number', ' ', []],
  ['time', 'yesterday', null],
  ['text', '12', [{ column: 'c', op: 'eq', value: '12' }]]
])('in a column of %s, %j is read as it should be', (kind, from, expected) => {
  expect(conditionsOf({ op: 'eq', from, to: '', chosen: [], missing: 'any' }, 'c', kind)).toEqual(expected);
});

test.each<[ICondition, string]>([
  [{ column: 'delay', op: 'ge', value: 15 }, 'delay ≥ 15'],
  [{ column: 'carrier', op: 'in', value: ['UA', 'AA'] }, 'carrier = UA, AA'],
  [{ column: 'tail', op: 'is_null' }, 'tail is missing'],
  [{ column: 'tail', op: 'contains', value: '<b>' }, 'tail contains “<b>”']
])('%j is said in words', (condition, text) => {
  expect(conditionText(condition, trans)).toBe(text);
});
