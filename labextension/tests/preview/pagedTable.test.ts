import { CellTexts } from '../../src/preview/gridStyle';
import { FIRST_ROWS, PagedTable, PENDING } from '../../src/preview/pagedTable';
import { decimalsOf } from '../../src/preview/scale';
import type { IPage } from '../../src/tokens';

/** A table whose column `n` holds the numbers of the rows, and what was asked of it. */
function table(rows: number, changes: Partial<IPage> = {}): { table: PagedTable; asked: unknown[][] } {
  const asked: unknown[][] = [];
  const read = (start: number, wanted: number): IPage => ({
    rows,
    matched: rows,
    start,
    columns: [{ name: 'n', dtype: 'int64' }, { name: 't', dtype: 'str' }],
    sample: Array.from({ length: Math.min(wanted, rows - start) }, (_, at) => ({ n: start + at, t: 'a\t"b"' })),
    complete: true,
    ...changes
  });
  const source = (...request: [number, number, string[]?]): Promise<IPage> => {
    asked.push(request);
    return request[0] === 666 * FIRST_ROWS ? Promise.reject(new Error('gone')) : Promise.resolve(read(request[0], request[1]));
  };
  return { table: new PagedTable(read(0, FIRST_ROWS), rows, source), asked };
}

test('rows are fetched when they are looked at, each page once', async () => {
  const { table: data, asked } = table(1_000_000);
  const changes: unknown[] = [];
  data.changed.connect((_, change) => changes.push(change));
  expect([data.rowCount('body'), data.data('body', 5, 0), asked]).toEqual([1_000_000, 5, []]);
  expect([data.data('body', 999_999, 0), data.data('body', 999_998, 0)]).toEqual([PENDING, PENDING]);
  await Promise.resolve();
  expect(asked).toEqual([[999_800, 200]]);
  expect(data.data('body', 999_999, 0)).toBe(999_999);
  expect(changes).toContainEqual(expect.objectContaining({ region: 'body', row: 999_800, rowSpan: 200 }));
});

test('a page that does not come is told of, and asked for again', async () => {
  const { table: data, asked } = table(1_000_000);
  const faults: unknown[] = [];
  data.failed.connect((_, error) => faults.push(error));
  data.data('body', 666 * FIRST_ROWS, 0);
  await new Promise(done => setTimeout(done));
  data.data('body', 666 * FIRST_ROWS, 0);
  expect([faults.map(String), asked.length]).toEqual([['Error: gone'], 2]);
});

test('rows are numbered as they lie in the table', () => {
  expect(table(300).table.data('row-header', 7, 0)).toBe(7);
  expect(table(300, { row_numbers: [41, 12] }).table.data('row-header', 1, 0)).toBe(12);
  const index = [{ name: 'key', dtype: 'str', values: ['x', 'y'] }];
  const labelled = table(300, { index, row_numbers: [41, 12] }).table;
  expect([labelled.data('row-header', 1, 0), labelled.data('corner-header', 0, 0)]).toEqual(['y', 'key']);
});

test('a selection is copied as spreadsheets read it, at most 10,000 rows', async () => {
  const { table: data, asked } = table(50_000);
  expect(await data.text(300, 301, 0, 1)).toBe('300\t"a\t""b"""\n301\t"a\t""b"""');
  expect(asked.at(-1)).toEqual([300, 2, ['n', 't']]);
  await data.text(0, 49_999, 0, 0);
  expect(asked.at(-1)).toEqual([0, 10_000, ['n']]);
});

test.each([
  [[1, 2, 3], 0],
  [[1.5, 2.25], 2],
  [[123456.789, 1 / 3], 1],
  [[0.000123456, 0.5], 5],
  [[null, 'x'], 0]
])('numbers of one column have the same decimals: %j', (values, decimals) => {
  expect(decimalsOf(values)).toBe(decimals);
});

test('values are written so that they can be compared', () => {
  const page = { columns: [{ name: 'f', dtype: 'float64' }, { name: 'i', dtype: 'int64' }, { name: 't', dtype: 'datetime64[us]' }] };
  const sample = [{ f: 1, i: 1 }, { f: 2.25, i: 20 }];
  const texts = new CellTexts(table(1, { ...page, sample } as Partial<IPage>).table);
  expect([texts.text(1, 0), texts.text(2.25, 0), texts.text(1, 1), texts.text(null, 0), texts.text(PENDING, 0)]).toEqual([
    '1.00', '2.25', '1', 'null', '…'
  ]);
  expect([texts.text('2026-01-01T14:00:00', 2), texts.text('2026-01-01Tx', 2)]).toEqual(['2026-01-01 14:00:00', '2026-01-01Tx']);
});
