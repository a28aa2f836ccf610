import { nullTranslator } from '@jupyterlab/translation/lib/base';
import * as React from 'react';

import type { BlocksModel } from '../src/model';
import { ProblemsPanel } from '../src/panels/problems';
import { ProposalsPanel } from '../src/panels/proposals';
import { RunForm } from '../src/runForm';
import { USUAL, type IRunOptions } from '../src/runOptions';
import { tagsOf, type ICellRole } from '../src/tags';
import type { IProblem, IProposal } from '../src/tokens';
import { Page } from './render';

/** What was done to cells: tags they were given, places that were gone to. */
const tagged: [string, string[]][] = [];
const went: [number, number | undefined][] = [];
interface ICellStub {
  model: { id: string; upstream: string[] };
}
jest.mock('../src/notebookCells', () => ({
  cellWithId: (panel: { content: { widgets: ICellStub[] } }, id: string) =>
    panel.content.widgets.find(cell => cell.model.id === id),
  goToCell: (_panel: unknown, index: number, line?: number) => went.push([index, line]),
  roleOfCell: (cell: { upstream: string[] }) => ({ upstream: cell.upstream }),
  setRole: (cell: { id: string }, role: ICellRole) => tagged.push([cell.id, tagsOf(role)])
}));
jest.mock('@jupyterlab/ui-components', () => ({ ReactWidget: class {} }));
jest.mock('@lumino/widgets', () => ({ Widget: class {} }));

const trans = nullTranslator.load('jupyter_blocks');
const cells = ['x', 'y', 'z'].map((id): ICellStub => ({ model: { id, upstream: id === 'y' ? ['wait'] : [] } }));

function model(changes: Record<string, unknown>): BlocksModel {
  return {
    panel: { content: { widgets: cells } },
    analysis: null,
    options: USUAL,
    executors: () => Promise.resolve([]),
    ...changes
  } as unknown as BlocksModel;
}

let page: Page;
beforeEach(() => {
  page = new Page();
  tagged.length = went.length = 0;
});
afterEach(() => page.close());

test('a problem has its place, its remedy, and a fix that keeps the order', async () => {
  const problem: IProblem = {
    code: 'left-out-name',
    message: 'Cell 2 sets b.',
    hint: 'Tag cell 2.',
    severity: 'error',
    cell: 3,
    line: 4,
    fixes: [{ label: 'Tag cell 2 as transformer', cell: 2, tag: 'transformer' }]
  };
  await page.show(<ProblemsPanel model={model({ analysis: { problems: [problem] } })} trans={trans} />);
  await page.click('button', 'Cell 3, line 4');
  expect(went).toEqual([[2, 4]]);
  await page.click('button', 'Tag cell 2 as transformer');
  expect(tagged).toEqual([['y', ['transformer', 'upstream:wait']]]);
  await page.show(<ProblemsPanel model={model({ analysis: { problems: [] } })} trans={trans} />);
  expect(page.text).toContain('No problems');
});

test('proposals are looked over, changed, left out, and applied', async () => {
  let isOver = false;
  const proposals: IProposal[] = [
    { cell: 1, id: 'x', tag: 'imports', reason: 'It imports.' },
    { cell: 2, id: 'y', tag: 'loader:load', reason: 'It reads.' },
    { cell: 3, id: null, tag: 'exporter:write', reason: 'It writes.' }
  ];
  const own = model({ proposals, forgetProposals: () => (isOver = true) });
  await page.show(<ProposalsPanel model={own} trans={trans} />);
  expect(page.all('li p').map(node => node.textContent)).toEqual(['It imports.', 'It reads.', 'It writes.']);
  await page.type('input', 'Name of cell 2', 'Load all');
  expect((page.find('button', 'Tag 3 cells') as HTMLButtonElement).disabled).toBe(true);
  await page.type('input', 'Name of cell 2', 'load_all');
  await page.type('select', 'Type of cell 2', 'sensor');
  await page.click('input', 'Tag cell 1');
  await page.click('button', 'Cell 3');
  expect(went).toEqual([[2, undefined]]);
  await page.click('button', 'Tag 2 cells');
  expect(tagged).toEqual([
    ['y', ['sensor:load_all']],
    ['z', ['exporter:write']]
  ]);
  expect(isOver).toBe(true);
});

test('the form of a run is made of the parameters, and sends what differs', async () => {
  let set: IRunOptions | null = null;
  let isClosed = false;
  const own = model({
    analysis: { parameters: { month: 1, name: 'a', quick: false } },
    setOptions: (options: IRunOptions) => (set = options),
    executors: () =>
      Promise.resolve([
        { name: 'local_python', state: 'available', about: '', detail: '', allowed: true },
        { name: 'k8s', state: 'missing', about: '', detail: 'pip install jupyter-blocks[k8s]', allowed: true }
      ])
  });
  await page.show(<RunForm model={own} trans={trans} close={() => (isClosed = true)} />);
  await page.do(() => undefined);
  const options = page.all('option') as HTMLOptionElement[];
  expect(options.map(option => [option.textContent, option.disabled])).toEqual([
    ['that of each block', false],
    ['local_python', false],
    ['k8s (not available)', true]
  ]);
  const inputs = page.all('input') as HTMLInputElement[];
  inputs[0]!.setAttribute('aria-label', 'month');
  await page.type('input', 'month', 'x');
  expect(page.find('[role=alert]').textContent).toBe('A number is expected.');
  await page.type('input', 'month', '3');
  await page.do(() => inputs[2]!.click());
  await page.click('button', 'Use for the next runs');
  expect(set).toEqual({ ...USUAL, parameters: { month: 3, quick: true } });
  expect(isClosed).toBe(true);
});
