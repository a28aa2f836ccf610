import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';

import { BlocksError } from '../../src/errors';
import { CompareView } from '../../src/preview/compareView';
import { DataView } from '../../src/preview/dataView';
import { FilterForm } from '../../src/preview/filterForm';
import { ModelView, TextView } from '../../src/preview/otherViews';
import { ALL_ROWS } from '../../src/preview/query';
import { StatisticsView } from '../../src/preview/statisticsView';
import type { ITableGridOptions } from '../../src/preview/tableGrid';
import { TreeView } from '../../src/preview/treeView';
import { ValueView } from '../../src/preview/valueView';
import type { IComparedColumn, IRowQuery, ITree, IVariable } from '../../src/tokens';
import { Page } from '../render';
import { COLUMNS, page as rows, PLACE, PREVIEW, Server, VARIABLE } from './server';

// The grid is drawn on a canvas, which is not here; browser tests look at it.
const grids: ITableGridOptions[] = [];
jest.mock('../../src/preview/tableGrid', () => ({
  TableGrid: class {
    constructor(_host: unknown, options: ITableGridOptions) {
      grids.push(options);
    }
    show(): void {}
    dispose(): void {}
  }
}));
jest.mock('@jupyterlab/ui-components', () => ({ ReactWidget: class {} }));
jest.mock('@lumino/datagrid', () => ({ DataModel: class {} }));

const trans = nullTranslator.load('x');
let page: Page;
let server: Server;
beforeEach(() => {
  page = new Page();
  server = new Server();
  grids.length = 0;
});
afterEach(() => page.close());

const data = (isSmall = false): JSX.Element => (
  <DataView api={server.api} place={PLACE} preview={PREVIEW} isSmall={isSmall} trans={trans} />
);
const value = (changes: Partial<IVariable>, isSmall = false): JSX.Element => (
  <ValueView api={server.api} place={PLACE} variable={{ ...VARIABLE, ...changes }} isSmall={isSmall} trans={trans} />
);
const queries = (): IRowQuery[] => server.asked.filter(([name]) => name === 'rows').map(asked => asked[4] as IRowQuery);

test('rows are shown with how many there are; the sidebar has no bar above them', async () => {
  await page.show(data());
  expect(page.find('.jp-Blocks-rows').textContent).toBe('5 rows');
  await page.show(data(true));
  expect(page.all('.jp-Blocks-dataBar')).toEqual([]);
});

test('what the server refuses is said with a remedy, and one can try again', async () => {
  server.answers.rows = new BlocksError('No such column.', 'Run it again.');
  await page.show(data());
  expect(page.find('[role=alert]').textContent).toContain('No such column.Run it again.');
  server.answers.rows = rows();
  await page.click('button', 'Try again');
  expect(page.find('.jp-Blocks-rows').textContent).toBe('5 rows');
});

test('a click on a header sorts, with shift by several columns', async () => {
  await page.show(data());
  const click = async (column: string, add: boolean): Promise<void> => {
    await page.do(() => grids.at(-1)!.sort(column, add));
  };
  await click('price', false);
  await click('city', true);
  await click('price', true);
  expect(queries().at(-1)!.sort).toEqual([
    { column: 'price', descending: true },
    { column: 'city', descending: false }
  ]);
});

test('a search tells how many rows match, and its chip ends it', async () => {
  jest.useFakeTimers();
  await page.show(data());
  server.answers.rows = rows({ matched: 2 });
  await page.type('input', 'Search all columns', 'bo');
  await page.type('input', 'Search all columns', 'bonn');
  await page.do(() => jest.advanceTimersByTime(400));
  jest.useRealTimers();
  await page.show(data());
  expect(queries().map(query => query.search)).toEqual(['', 'bonn']);
  expect(page.text).toContain('2 of 5 rows match');
  await page.click('button', 'Remove the filter “bonn”');
  expect(queries().at(-1)!.search).toBe('');
});

test('where no row fits, one gets all rows back', async () => {
  jest.useFakeTimers();
  await page.show(data());
  server.answers.rows = rows({ matched: 0, sample: [] });
  await page.type('input', 'Search all columns', 'zzz');
  await page.do(() => jest.advanceTimersByTime(400));
  jest.useRealTimers();
  await page.show(data());
  expect(page.text).toContain('No row fits');
  await page.click('button', 'Show all rows');
  expect(queries().at(-1)).toEqual(ALL_ROWS);
});

test('pickled tables show what was kept, and offer nothing that cannot be done', async () => {
  server.answers.rows = rows({ complete: false, note: 'It is pickled.' });
  await page.show(data());
  expect(page.find('.jp-Blocks-notice').textContent).toBe('It is pickled.');
  expect(page.all('input')).toEqual([]);
});

describe('the form of a filter', () => {
  const applied: IRowQuery[] = [];
  const form = (column: string, query = ALL_ROWS, canChoose = false): JSX.Element => (
    <FilterForm
      columns={COLUMNS}
      column={column}
      canChoose={canChoose}
      query={query}
      trans={trans}
      apply={found => applied.push(found)}
      close={() => undefined}
    />
  );

  test('lets one tick the most frequent values of texts', async () => {
    await page.show(form('city'));
    expect(page.find('.jp-Blocks-checklist').textContent).toBe('Bonn3Ulm1');
    await page.click('.jp-Blocks-checklist input');
    await page.click('button', 'Apply');
    expect(applied.at(-1)!.filters).toEqual([{ column: 'city', op: 'in', value: ['Bonn'] }]);
  });

  test('takes limits of numbers, and no words', async () => {
    await page.show(form('price'));
    await page.type('input', 'From', 'much');
    expect(page.find('[role=alert]').textContent).toBe('No number.');
    expect((page.find('button', 'Apply') as HTMLButtonElement).disabled).toBe(true);
    await page.type('input', 'From', '2');
    await page.type('input', 'To', '7.5');
    await page.click('button', 'Apply');
    expect(applied.at(-1)!.filters).toEqual([
      { column: 'price', op: 'ge', value: 2 },
      { column: 'price', op: 'le', value: 7.5 }
    ]);
  });

  test('asks for missing values alone', async () => {
    await page.show(form('city'));
    await page.click('button', 'Null (1)');
    expect(page.all('.jp-Blocks-checklist')).toEqual([]);
    await page.click('button', 'Apply');
    expect(applied.at(-1)!.filters).toEqual([{ column: 'city', op: 'is_null' }]);
  });

  test('sorts, and goes to another column', async () => {
    await page.show(form('city', { ...ALL_ROWS, sort: [{ column: 'city', descending: false }] }, true));
    expect(page.find('button', 'Ascending').getAttribute('aria-pressed')).toBe('true');
    await page.type('select', 'Column', 'price');
    expect(page.find('button', 'Ascending').getAttribute('aria-pressed')).toBe('false');
    await page.click('button', 'Descending');
    expect(applied.at(-1)!.sort).toEqual([
      { column: 'city', descending: false },
      { column: 'price', descending: true }
    ]);
  });

  test('shows what is filtered already, and takes it away', async () => {
    await page.show(form('price', { ...ALL_ROWS, filters: [{ column: 'price', op: 'ge', value: 2 }] }));
    expect((page.find('select', 'Condition') as HTMLSelectElement).value).toBe('ge');
    expect((page.find('input', 'Value') as HTMLInputElement).value).toBe('2');
    await page.click('button', 'Clear');
    expect(applied.at(-1)!.filters).toEqual([]);
  });
});

test('statistics list every column and show one in large, chosen by mouse or arrows', async () => {
  await page.show(<StatisticsView preview={PREVIEW} trans={trans} />);
  expect(page.all('tbody tr').length).toBe(4);
  expect(page.find('aside').textContent).toContain('Most frequent');
  expect(page.find('aside').textContent).toContain('75 %');
  await page.do(() => page.all('tbody tr')[0]!.focus());
  await page.press('ArrowDown');
  expect(page.find('aside').getAttribute('aria-label')).toBe('price');
  expect(page.find('aside').textContent).toContain('Std. deviation2');
  expect(document.activeElement).toBe(page.all('tbody tr')[1]);
});

test('a sample says that it is one', async () => {
  const columns = [{ ...COLUMNS[1]!, sampled: true, sample_rows: 50_000, distinct: 40_000 }];
  await page.show(<StatisticsView preview={{ ...PREVIEW, columns }} trans={trans} />);
  expect(page.text).toContain('≥ 40,000');
  expect(page.text).toContain('from 50,000 rows spread over the column');
});

const COMPARED: IComparedColumn = {
  name: 'city',
  dtype: ['str', 'str'],
  change: 'same',
  nulls: [0, 2],
  distinct: [2, 2],
  min: ['Bonn', 'Bonn'],
  max: ['Ulm', 'Ulm'],
  mean: [null, null],
  shift: 0.25,
  top: [['Bonn', 0.5, 0.75], ['Ulm', 0.5, 0.25]]
};

test('changes are those since the run before, or since one that is chosen', async () => {
  const before = { ...PREVIEW, run_id: 'r0', created_at: 1, rows: 4 };
  server.answers.compare = {
    after: { ...PREVIEW, run_id: 'r1', created_at: 2 },
    before,
    equal: false,
    columns: [COMPARED, { ...COMPARED, name: 'new', change: 'added', dtype: [null, 'bool'], shift: null, top: undefined }],
    candidates: [before, { run_id: 'older', created_at: 0 }]
  };
  await page.show(<CompareView api={server.api} place={PLACE} trans={trans} />);
  expect(page.text).toContain('4 → 5 (+25 %)');
  expect(page.text).toContain('1 added');
  expect(page.all('tbody th').map(cell => cell.title)).toEqual(['new', 'city']);
  await page.click('tbody tr:nth-child(2)');
  expect(page.find('.jp-Blocks-open').textContent).toContain('Bonn50 % → 75 %');
  await page.type('select', 'Compared with', 'older');
  expect(server.asked.at(-1)).toEqual(['compare', PLACE, 'older']);
});

test('without another run, and without a change, that is said', async () => {
  await page.show(<CompareView api={server.api} place={PLACE} trans={trans} />);
  expect(page.text).toContain('Nothing to compare with');
  server.answers.compare = {
    ...(server.answers.compare as never as object),
    before: { ...PREVIEW, run_id: 'r0', created_at: 1 },
    equal: true
  } as never;
  await page.show(<CompareView api={server.api} place={{ ...PLACE, run_id: 'r2' }} trans={trans} />);
  expect(page.text).toContain('Nothing has changed');
});

const TREE: ITree = {
  kind: 'object',
  length: 2,
  value: null,
  offset: 0,
  entries: [
    { step: 0, key: 'list', kind: 'array', length: 150, value: null },
    { step: 1, key: 'html', kind: 'value', length: null, value: '<b>x</b>' }
  ]
};

test('a tree is unfolded with the arrow keys, and fetched as it is', async () => {
  const entries = (offset: number): ITree => ({
    kind: 'array',
    length: 150,
    value: null,
    offset,
    entries: Array.from({ length: Math.min(100, 150 - offset) }, (_, at) => ({
      step: offset + at, key: String(offset + at), kind: 'value' as const, length: null, value: at
    }))
  });
  server.answers.tree = (path, offset) => (path.length === 0 ? TREE : entries(offset));
  await page.show(<TreeView api={server.api} place={PLACE} trans={trans} />);
  expect(page.all('[role=treeitem]').map(line => line.textContent)).toEqual(['list[150]', 'html"<b>x</b>"']);
  await page.do(() => page.find('[role=treeitem]').focus());
  await page.press('ArrowRight');
  expect(page.all('[role=treeitem]').length).toBe(103);
  expect(page.find('[role=treeitem]').getAttribute('aria-expanded')).toBe('true');
  await page.press('ArrowRight');
  expect(document.activeElement!.textContent).toBe('00');
  await page.press('ArrowLeft');
  expect(document.activeElement!.textContent).toBe('list[150]');
  await page.click('[role=treeitem]', '50 more');
  expect(server.asked.at(-1)).toEqual(['tree', [0], 100]);
  expect(page.all('[role=treeitem]').length).toBe(152);
  await page.do(() => page.find('[role=treeitem]').focus());
  await page.press('Home');
  await page.press('ArrowLeft');
  expect(page.all('[role=treeitem]').length).toBe(2);
});

test('texts come piece by piece', async () => {
  server.answers.text = offset => ({ text: offset ? 'two' : 'one ', offset, next_offset: offset ? 7 : 4, bytes: 7 });
  await page.show(<TextView api={server.api} place={PLACE} trans={trans} />);
  await page.click('button', 'Show more (3 B left)');
  expect(page.find('pre').textContent).toBe('one two');
  expect(page.all('button')).toEqual([]);
});

test('models tell their parameters in the words of Python', async () => {
  const model = { parameters: { depth: 3, seed: null, fit: true }, features: 2, weights: [['age', -0.5]] as [string, number][] };
  await page.show(<ModelView preview={{ ...PREVIEW, type: 'model', python_type: 'a.Tree', repr: 'Tree()', model }} trans={trans} />);
  expect(page.find('.jp-mod-code').textContent).toBe('depth3seedNonefitTrue');
  expect(page.find('.jp-Blocks-top').textContent).toBe('age-0.5');
});

test.each<[Partial<IVariable>, string[]]>([
  [{}, ['Data', 'Statistics', 'Chart', 'Changes']],
  [{ type: 'series', can_page: false }, ['Data', 'Statistics', 'Changes']],
  [{ type: 'json', rows: null, can_page: false }, ['Value', 'Changes']]
])('values like %j have tabs of their own', async (variable, names) => {
  await page.show(value(variable));
  expect(page.all('[role=tab]').map(tab => tab.textContent)).toEqual(names);
  await page.do(() => page.find('[role=tab]').focus());
  await page.press('ArrowLeft');
  expect(page.find('[role=tab][aria-selected=true]').textContent).toBe('Changes');
});

test('figures are pictures, and what has no preview says why', async () => {
  await page.show(value({ type: 'figure', has_image: true, can_page: false }, true));
  expect(page.find('img').getAttribute('src')).toBe('blocks/variables/image');
  server.answers.preview = { type: 'not stored', python_type: 'x.Lock', rows: null, bytes: 0, repr: '<lock>', note: 'Not stored: it is open.' };
  await page.show(value({ type: 'not stored', can_page: false, name: 'other', created_at: 9 }, true));
  expect(page.text).toContain('Not stored: it is open.');
  expect(page.text).toContain('<lock>');
});

test('a value that is stored anew is shown without being asked', async () => {
  await page.show(value({}, true));
  const asked = server.asked.length;
  await page.show(value({}, true));
  expect(server.asked.length).toBe(asked);
  await page.show(<ValueView api={server.api} place={{ ...PLACE, run_id: 'r2' }} variable={{ ...VARIABLE, run_id: 'r2' }} isSmall trans={trans} />);
  expect(server.asked.slice(asked).map(([name]) => name).sort()).toEqual(['preview', 'rows']);
});
