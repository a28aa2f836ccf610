/**
 * States of runs and of the blocks in them, in words and figures.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { StateName } from './blockState';
import type { BlockStatus, IBlockRun, IRunState, RunStatus } from './tokens';

const SHAPES: Record<RunStatus, StateName> = {
  RUNNING: 'running',
  SUCCEEDED: 'fresh',
  FAILED: 'failed',
  CANCELLED: 'stopped',
  INTERRUPTED: 'stopped'
};

const BLOCK_SHAPES: Record<BlockStatus, StateName> = {
  WAITING: 'waiting',
  RUNNING: 'running',
  POLLING: 'running',
  RETRYING: 'running',
  SUCCEEDED: 'fresh',
  CACHED: 'cached',
  FAILED: 'failed',
  UPSTREAM_FAILED: 'stopped',
  SKIPPED: 'stopped',
  CANCELLED: 'stopped',
  CONDITION_FAILED: 'stopped'
};

/** The drawing that stands for the status of a run. */
export function runShape(status: RunStatus): StateName {
  return SHAPES[status];
}

/** The drawing that stands for the status of a block in a run. */
export function blockShape(status: BlockStatus): StateName {
  return BLOCK_SHAPES[status];
}

export function runWords(status: RunStatus, trans: TranslationBundle): string {
  switch (status) {
    case 'RUNNING':
      return trans.__('running');
    case 'SUCCEEDED':
      return trans.__('succeeded');
    case 'FAILED':
      return trans.__('failed');
    case 'CANCELLED':
      return trans.__('cancelled');
    default:
      return trans.__('interrupted');
  }
}

export function blockWords(status: BlockStatus, trans: TranslationBundle): string {
  switch (status) {
    case 'WAITING':
      return trans.__('waiting');
    case 'RUNNING':
      return trans.__('running');
    case 'POLLING':
      return trans.__('waiting for it');
    case 'RETRYING':
      return trans.__('trying again');
    case 'SUCCEEDED':
      return trans.__('succeeded');
    case 'CACHED':
      return trans.__('unchanged');
    case 'FAILED':
      return trans.__('failed');
    case 'UPSTREAM_FAILED':
      return trans.__('upstream failed');
    case 'SKIPPED':
      return trans.__('skipped');
    case 'CANCELLED':
      return trans.__('cancelled');
    default:
      return trans.__('condition not met');
  }
}

/** Whether a run that has this status can be gone on with. */
export function canResume(status: RunStatus): boolean {
  return status === 'FAILED' || status === 'CANCELLED' || status === 'INTERRUPTED';
}

/** Whether a block is done with, one way or another. */
export function hasEnded(block: IBlockRun): boolean {
  return !['WAITING', 'RUNNING', 'POLLING', 'RETRYING'].includes(block.status);
}

/** `5 of 9 done, 1 failed`. */
export function progress(run: IRunState, trans: TranslationBundle): string {
  const blocks = Object.values(run.blocks);
  const failed = blocks.filter(block => block.status === 'FAILED').length;
  const done = blocks.filter(hasEnded).length;
  const text = trans.__('%1 of %2 done', done, blocks.length);
  return failed > 0 ? `${text}, ${trans.__('%1 failed', failed)}` : text;
}

/** The state of a run after an answer that may hold only the blocks that changed. */
export function merged(before: IRunState | null, answer: IRunState): IRunState {
  const isUpdate = answer.partial && before?.run_id === answer.run_id;
  return isUpdate ? { ...answer, blocks: { ...before.blocks, ...answer.blocks } } : answer;
}
