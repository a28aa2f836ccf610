import { Signal } from '@lumino/signaling';

import type { BlocksApi } from '../src/api';
import { BlocksError } from '../src/errors';
import { BlocksModel } from '../src/model';
import type { BlockStatus, IAnalysis, IAnalyzedBlock, IBlockRun, IRunEvent, IRunState } from '../src/tokens';

function block(name: string, upstream: string[] = []): IAnalyzedBlock {
  return {
    name,
    type: 'transformer',
    style: 'plain',
    cells: [1],
    cell_ids: [`id-${name}`],
    inputs: {},
    outputs: [name],
    parameters: [],
    upstream,
    edges: [],
    executor: null,
    file: null,
    drift: 'unchanged',
    freshness: { state: 'missing', reason: '' }
  };
}

function blockRun(status: BlockStatus): IBlockRun {
  return {
    status,
    executor: 'local_python',
    reason: '',
    executor_reason: '',
    attempts: 1,
    duration_s: 1,
    error: null,
    outputs: {},
    type: 'transformer',
    upstream: [],
    attempt_id: null,
    started_at: 1,
    finished_at: 2,
    peak_rss_mib: null
  };
}

function state(changes: Partial<IRunState>): IRunState {
  return {
    run_id: 'r1',
    pipeline: 'p',
    status: 'RUNNING',
    cancelling: false,
    started_at: 1,
    finished_at: null,
    parameters: {},
    seq: 1,
    partial: false,
    blocks: {},
    ...changes
  };
}

/** One server for all tests: what it answers, and what it was asked. */
class Server {
  analysis: IAnalysis = {
    notebook: 'a.ipynb',
    pipeline: 'p',
    project: 'demo',
    blocks: [block('a'), block('b', ['a'])],
    parameters: {},
    problems: [],
    has_drifted: false
  };
  states: IRunState[] = [];
  failure: Error | null = null;
  asked: unknown[][] = [];

  analyze = (...request: unknown[]): Promise<IAnalysis> => {
    this.asked.push(['analyze', ...request]);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(this.analysis);
  };
  runs = (): Promise<[]> => Promise.resolve([]);
  variables = (): Promise<[]> => Promise.resolve([]);
  start = (...request: unknown[]): Promise<string> => {
    this.asked.push(['start', ...request]);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve('r1');
  };
  run = (...request: unknown[]): Promise<IRunState> => {
    this.asked.push(['run', ...request]);
    return Promise.resolve(this.states.shift()!);
  };
}

function notebook(saves: string[] = []): never {
  const cell = {
    type: 'code',
    id: 'id-a',
    metadata: { tags: ['loader'] },
    executionCount: 3,
    sharedModel: { getSource: () => 'a = 1' }
  };
  const model = { cells: [cell], metadata: {}, dirty: true } as Record<string, unknown>;
  model.contentChanged = new Signal<unknown, void>(model);
  const context = {
    path: 'a.ipynb',
    ready: Promise.resolve(),
    model,
    save: () => (saves.push('saved'), Promise.resolve())
  };
  return { context, model, isDisposed: false } as never;
}

async function shown(server: Server, saves: string[] = []): Promise<BlocksModel> {
  const model = new BlocksModel(server as unknown as BlocksApi);
  await model.show(notebook(saves));
  return model;
}

const event = (changes: Partial<IRunEvent>): IRunEvent => ({
  project: 'demo',
  run_id: 'r1',
  pipeline: 'p',
  status: 'RUNNING',
  seq: 2,
  previous_seq: 1,
  blocks: {},
  more: false,
  ...changes
});

const settled = (): Promise<void> => new Promise(done => setTimeout(done, 320));

test('the notebook is sent as it is, without outputs', async () => {
  const server = new Server();
  const model = await shown(server);
  expect(model.phase).toBe('ready');
  const [, path, content] = server.asked[0]! as [string, string, { cells: unknown[] }];
  expect(path).toBe('a.ipynb');
  expect(content.cells).toEqual([
    {
      cell_type: 'code',
      id: 'id-a',
      metadata: { tags: ['loader'] },
      source: 'a = 1',
      outputs: [],
      execution_count: 3
    }
  ]);
  expect(model.blockOfCell('id-b')?.name).toBe('b');
});

test('what the server refuses is kept, and the last analysis stays', async () => {
  const server = new Server();
  server.failure = new BlocksError('no', 'do this');
  const model = await shown(server);
  expect([model.phase, model.error?.hint]).toEqual(['error', 'do this']);
  server.failure = null;
  await model.analyze();
  expect([model.phase, model.error]).toEqual(['ready', null]);
  server.failure = new BlocksError('again');
  await model.analyze();
  expect([model.phase, model.error?.message, model.analysis?.blocks.length]).toEqual(['ready', 'again', 2]);
});

test('a run saves the notebook first, and is followed', async () => {
  const server = new Server();
  const saves: string[] = [];
  const model = await shown(server, saves);
  server.states = [state({ blocks: { a: blockRun('RUNNING') } })];
  expect(await model.start({ changed: true })).toBe('r1');
  expect(saves).toEqual(['saved']);
  expect(server.asked).toContainEqual(['start', 'a.ipynb', { changed: true }]);
  expect([model.run?.status, model.isStarting]).toEqual(['RUNNING', false]);
});

test('a refused run leaves nothing behind', async () => {
  const server = new Server();
  const model = await shown(server);
  server.failure = new BlocksError('no');
  await expect(model.start({})).rejects.toThrow('no');
  expect([model.run, model.isStarting]).toEqual([null, false]);
});

test('events bring the blocks that changed, and the end is told once', async () => {
  const server = new Server();
  const model = await shown(server);
  const ends: string[] = [];
  model.runEnded.connect((_, run) => ends.push(run.status));
  server.states = [
    state({ blocks: { a: blockRun('RUNNING'), b: blockRun('WAITING') } }),
    state({ seq: 5, partial: true, blocks: { a: blockRun('SUCCEEDED') } }),
    state({ seq: 9, partial: true, status: 'SUCCEEDED', blocks: { b: blockRun('SUCCEEDED') } })
  ];
  await model.start({});
  model.onRunEvent(event({ seq: 4 }));
  model.onRunEvent(event({ seq: 5 }));
  await settled();
  expect(server.asked.at(-1)).toEqual(['run', 'demo', 'r1', 1]);
  expect([model.run?.blocks.a?.status, model.run?.blocks.b?.status]).toEqual(['SUCCEEDED', 'WAITING']);
  model.onRunEvent(event({ seq: 9, status: 'SUCCEEDED' }));
  await settled();
  expect([model.run?.status, model.run?.blocks.a?.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect(ends).toEqual(['SUCCEEDED']);
});

test('events of others, and old ones, ask for nothing', async () => {
  const server = new Server();
  const model = await shown(server);
  server.states = [state({ seq: 7 })];
  await model.start({});
  const before = server.asked.length;
  model.onRunEvent(event({ project: 'other' }));
  model.onRunEvent(event({ pipeline: 'other' }));
  model.onRunEvent(event({ seq: 7 }));
  model.onRunEvent(event({ run_id: 'r2' })); // while r1 goes on
  await settled();
  expect(server.asked.length).toBe(before);
});

test('another notebook forgets the first', async () => {
  const server = new Server();
  const model = await shown(server);
  model.select('a');
  await model.show(null);
  expect([model.phase, model.analysis, model.selected]).toEqual(['none', null, '']);
});

test('the project in the root of the server, whose name is empty, has runs and outputs like any other', async () => {
  const server = new Server();
  const asked: unknown[][] = [];
  server.analysis = { ...server.analysis, project: '' };
  Object.assign(server, { variables: (...request: unknown[]) => (asked.push(request), Promise.resolve([])) });
  server.states = [state({ status: 'RUNNING' })];
  const model = await shown(server);
  await model.start({});
  expect([asked[0], model.run?.run_id]).toEqual([['', 'p'], 'r1']);
});
