import { nullTranslator } from '@jupyterlab/translation/lib/base';

import { canResume, merged, progress } from '../src/runState';
import type { BlockStatus, IBlockRun, IRunState } from '../src/tokens';

const trans = nullTranslator.load('jupyter_blocks');

function run(changes: Partial<IRunState>, ...statuses: BlockStatus[]): IRunState {
  const blocks = Object.fromEntries(
    statuses.map((status, at) => [`b${at}`, { status } as unknown as IBlockRun])
  );
  return { run_id: 'r', partial: false, seq: 1, blocks, ...changes } as IRunState;
}

test('progress counts what has ended, and says what failed', () => {
  expect(progress(run({}, 'SUCCEEDED', 'CACHED', 'RUNNING', 'WAITING'), trans)).toBe('2 of 4 done');
  expect(progress(run({}, 'FAILED', 'UPSTREAM_FAILED', 'RETRYING'), trans)).toBe('2 of 3 done, 1 failed');
});

test('an answer with changes only is laid over what is known of the same run', () => {
  const before = run({ seq: 3 }, 'SUCCEEDED', 'RUNNING');
  const change = { ...run({ partial: true, seq: 5 }), blocks: { b1: { status: 'FAILED' } as unknown as IBlockRun } };
  const after = merged(before, change);
  expect(after.seq).toBe(5);
  expect(Object.values(after.blocks).map(block => block.status)).toEqual(['SUCCEEDED', 'FAILED']);
  expect(merged({ ...before, run_id: 'other' }, change).blocks).toEqual(change.blocks);
  expect(merged(null, change)).toBe(change);
});

test('only what ended early can be gone on with', () => {
  expect((['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'INTERRUPTED'] as const).map(canResume)).toEqual([
    false, false, true, true, true
  ]);
});
