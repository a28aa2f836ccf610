import { BlocksError } from '../../src/errors';
import { OutputModel } from '../../src/preview/tab';
import type { IRunEvent } from '../../src/tokens';
import { Server, VARIABLE } from './server';

jest.mock('@jupyterlab/apputils', () => ({ MainAreaWidget: class {} }));
jest.mock('@jupyterlab/ui-components', () => ({ ReactWidget: class {} }));
jest.mock('../../src/preview/valueView', () => ({}));

const NAME = { project: 'shop', pipeline: 'pipe', block: 'load', output: 'sales' };
const EVENT: IRunEvent = {
  project: 'shop',
  run_id: 'r2',
  pipeline: 'pipe',
  status: 'RUNNING',
  seq: 3,
  previous_seq: 2,
  blocks: { load: 'SUCCEEDED' },
  more: false
};

async function opened(server: Server): Promise<OutputModel> {
  const model = new OutputModel(server.api, NAME);
  await model.refresh();
  return model;
}

test('a tab shows the newest value of its output', async () => {
  const server = new Server();
  server.answers.variables = [{ ...VARIABLE, block: 'other' }, { ...VARIABLE, name: 'index' }, VARIABLE];
  const model = await opened(server);
  expect(model.variable).toEqual(VARIABLE);
  expect(model.outputs.map(({ name }) => name)).toEqual(['index', 'sales']);
});

test.each<[string, Partial<IRunEvent>, boolean]>([
  ['its block is done', {}, true],
  ['a run has ended', { status: 'FAILED', blocks: {} }, true],
  ['not all blocks are told', { blocks: {}, more: true }, true],
  ['its block has begun', { blocks: { load: 'RUNNING' } }, false],
  ['another block is done', { blocks: { other: 'SUCCEEDED' } }, false],
  ['another pipeline has run', { pipeline: 'p', status: 'SUCCEEDED' }, false],
  ['another project has run', { project: '', status: 'SUCCEEDED' }, false]
])('after an event that %s it asks only if it has to', async (_, changes, asks) => {
  const server = new Server();
  const model = await opened(server);
  model.onRunEvent({ ...EVENT, ...changes });
  expect(server.asked.length).toBe(asks ? 2 : 1);
});

test('an error is kept until it is mended, and the last value stays', async () => {
  const server = new Server();
  const model = await opened(server);
  server.answers.variables = new BlocksError('gone', 'start it');
  await model.refresh();
  expect([model.error?.hint, model.variable?.name]).toEqual(['start it', 'sales']);
  server.answers.variables = [];
  await model.refresh();
  expect([model.error, model.variable, model.isKnown]).toEqual([null, undefined, true]);
});
