import { nullTranslator } from '@jupyterlab/translation/lib/base';
import * as React from 'react';

import { Details } from '../src/run/details';
import { PlanTable } from '../src/run/planTable';
import { Timeline } from '../src/run/timeline';
import type { IAttempt, IBlockRun, IRunState } from '../src/tokens';
import { Page } from './render';

const copied: string[] = [];
jest.mock('@jupyterlab/apputils', () => ({ Clipboard: { copyToSystem: (text: string) => copied.push(text) } }));

const trans = nullTranslator.load('jupyter_blocks');

function block(changes: Partial<IBlockRun>): IBlockRun {
  return {
    status: 'SUCCEEDED',
    executor: 'local_python',
    reason: 'never run',
    executor_reason: 'default',
    attempts: 1,
    duration_s: 2,
    error: null,
    outputs: {},
    type: 'transformer',
    upstream: [],
    attempt_id: 'a',
    started_at: 100,
    finished_at: 102,
    peak_rss_mib: null,
    ...changes
  };
}

function run(blocks: Record<string, IBlockRun>, changes: Partial<IRunState> = {}): IRunState {
  return {
    run_id: 'r',
    pipeline: 'flights',
    status: 'SUCCEEDED',
    cancelling: false,
    started_at: 100,
    finished_at: 110,
    parameters: { month: 1 },
    seq: 9,
    partial: false,
    blocks,
    ...changes
  };
}

function attempt(name: string, changes: Partial<IAttempt>): IAttempt {
  return {
    block: name,
    attempt_id: `${name}-1`,
    attempt: 1,
    started_at: 100,
    running_at: 102,
    finished_at: 105,
    phase: 'SUCCEEDED',
    ...changes
  };
}

let page: Page;
beforeEach(() => {
  page = new Page();
  copied.length = 0;
});
afterEach(() => page.close());

test('a row says where a block ran, when, how often and how it ended', async () => {
  const state = run({
    load: block({ type: 'data_loader' }),
    fit: block({ status: 'FAILED', executor: 'k8s', executor_reason: 'set on the block', attempts: 2, duration_s: 3 }),
    old: block({ status: 'CACHED', duration_s: 0, attempts: 0 })
  });
  const attempts = [
    attempt('fit', { phase: 'FAILED' }),
    attempt('fit', { attempt_id: 'fit-2', attempt: 2, started_at: 105, running_at: null, finished_at: 110, phase: 'FAILED' })
  ];
  await page.show(
    <Timeline run={state} attempts={attempts} selected="load" select={() => undefined} trans={trans} />
  );
  const row = page.find('[data-block=fit]');
  expect(row.textContent).toContain('k8sfailed · 2 attempts · 3.0 s');
  expect(row.querySelector('.jp-Blocks-rowExecutor')?.getAttribute('title')).toBe('k8s: set on the block');
  const bars = Array.from(row.querySelectorAll<HTMLElement>('.jp-Blocks-bar')).map(bar => [
    bar.dataset['phase'] ?? 'waiting',
    bar.style.left,
    bar.style.width
  ]);
  expect(bars).toEqual([
    ['waiting', '0.000%', '20.000%'],
    ['FAILED', '20.000%', '30.000%'],
    ['FAILED', '50.000%', '50.000%']
  ]);
  expect(page.find('[data-block=load]').textContent).toContain('2.0 s');
  expect(page.find('[data-block=old]').textContent).toContain('storedunchanged');
});

test('rows are chosen with the pointer and with the keys', async () => {
  const chosen: string[] = [];
  const state = run({ a: block({}), b: block({}), c: block({}) });
  const draw = (selected: string): JSX.Element => (
    <Timeline run={state} attempts={[]} selected={selected} select={name => chosen.push(name)} trans={trans} />
  );
  await page.show(draw('a'));
  await page.click('[data-block=b]');
  await page.show(draw('b'));
  page.find('[data-block=b]').focus();
  await page.press('ArrowDown');
  await page.press('Home');
  await page.press('ArrowUp');
  expect(chosen).toEqual(['b', 'c', 'a']); // above the first there is nothing
});

test('an error says where, leads there, and can be copied', async () => {
  const went: unknown[][] = [];
  const error = {
    type: 'ValueError',
    message: 'no rows',
    notebook: 'flights.ipynb',
    cell: 7,
    cell_line: 4,
    file: 'transformers/fit.py',
    line: 30,
    traceback: 'Traceback ...'
  };
  const failed = block({ status: 'FAILED', error, reason: 'no rows' });
  await page.show(
    <Details name="fit" block={failed} run={run({ fit: failed })} goTo={(...where) => went.push(where)} trans={trans} />
  );
  expect(page.find('[role=alert]').textContent).toContain('fit failedValueError: no rowsCell 7, line 4');
  await page.click('button', 'Go to the cell');
  expect(went).toEqual([['flights.ipynb', 7, 4]]);
  await page.click('button', 'Copy');
  expect(copied).toEqual(['ValueError\nno rows\nCell 7, line 4\ntransformers/fit.py, line 30\nTraceback ...']);
});

test('beside the log is why, and what was stored', async () => {
  const done = block({
    upstream: ['load'],
    peak_rss_mib: 100,
    outputs: { table: { type: 'table', rows: 1200, bytes: 4000 }, model: { type: 'pickle', rows: null, bytes: 10 } }
  });
  await page.show(<Details name="fit" block={done} run={run({ fit: done })} goTo={() => undefined} trans={trans} />);
  expect(page.text).toContain('Never run.');
  expect(page.text).toContain('Executor local_python: default.');
  expect(page.text).toContain('After load.');
  expect(page.text).toContain('105 MB of memory');
  expect(page.text).toContain('tabletable · 1,200 rows · 4 kB');
  expect(page.text).toContain('modelpickle · 10 B');
  expect(page.text).toContain('month1');
});

test('a plan is a table', async () => {
  const row = { name: 'a', type: 'sensor' as const, action: 'runs', reason: 'never run', executor: 'k8s', executorReason: 'default' };
  await page.show(<PlanTable rows={[row]} trans={trans} />);
  expect(page.find('tbody tr').className).toBe('jp-Blocks-sensor');
  expect(page.all('tbody td, tbody th').map(cell => cell.textContent)).toEqual(['a', 'runs', 'never run', 'k8s', 'default']);
});
