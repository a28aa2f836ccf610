/**
 * The one state a block is shown in, from its freshness and from the run that is followed.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { count, duration } from './format';
import type { BlockStatus, IAnalyzedBlock, IBlockRun, IRunState, IVariable } from './tokens';

export type StateName =
  | 'fresh'
  | 'cached'
  | 'stale'
  | 'missing'
  | 'waiting'
  | 'running'
  | 'failed'
  | 'stopped';

export interface IBlockState {
  name: StateName;
  /** A word or two. */
  label: string;
  /** A sentence that says why. */
  reason: string;
  /** Seconds since 1970, while it runs. */
  since: number | null;
}

const RUNNING: readonly BlockStatus[] = ['RUNNING', 'POLLING', 'RETRYING'];
const STOPPED: readonly BlockStatus[] = ['SKIPPED', 'CANCELLED', 'CONDITION_FAILED'];

/** What to show for `block`. A run that goes on says more than what is stored. */
export function stateOf(
  block: IAnalyzedBlock,
  run: IRunState | null,
  trans: TranslationBundle
): IBlockState {
  const own = run?.blocks[block.name];
  const isLive = run?.status === 'RUNNING';
  if (own && RUNNING.includes(own.status)) {
    const name: StateName = isLive ? 'running' : 'stopped';
    const label = own.status === 'POLLING' ? trans.__('waiting for it') : trans.__('running');
    return {
      name,
      label: isLive ? label : trans.__('interrupted'),
      reason: own.reason,
      since: own.started_at
    };
  }
  if (own && isLive && own.status === 'WAITING') {
    return { name: 'waiting', label: trans.__('waiting'), reason: own.reason, since: null };
  }
  if (own?.status === 'FAILED' && (isLive || block.freshness.state !== 'fresh')) {
    return { name: 'failed', label: trans.__('failed'), reason: message(own), since: null };
  }
  if (own?.status === 'UPSTREAM_FAILED' && block.freshness.state !== 'fresh') {
    const reason = own.reason || trans.__('A block it reads from failed.');
    return { name: 'stopped', label: trans.__('not run'), reason, since: null };
  }
  if (own && isLive && STOPPED.includes(own.status)) {
    return { name: 'stopped', label: own.status.toLowerCase(), reason: own.reason, since: null };
  }
  if (own && isLive && (own.status === 'SUCCEEDED' || own.status === 'CACHED')) {
    return { name: 'fresh', label: trans.__('fresh'), reason: own.reason, since: null };
  }
  return stored(block, trans);
}

function stored(block: IAnalyzedBlock, trans: TranslationBundle): IBlockState {
  const { state, reason } = block.freshness;
  switch (state) {
    case 'fresh':
      return { name: 'fresh', label: trans.__('fresh'), reason, since: null };
    case 'stale':
      return { name: 'stale', label: trans.__('stale'), reason, since: null };
    default:
      return { name: 'missing', label: trans.__('never run'), reason, since: null };
  }
}

function message(run: IBlockRun): string {
  const type = run.error?.type ? `${run.error.type}: ` : '';
  return run.error?.message ? `${type}${run.error.message}` : run.reason;
}

/** `27,004 rows · 1.1 s`: what is stored, and how long it took in the run that is followed. */
export function figuresOf(
  known: { run: IRunState | null; variables: readonly IVariable[] },
  block: IAnalyzedBlock
): string {
  const own = known.run?.blocks[block.name];
  const ran = own?.status === 'SUCCEEDED' && own.finished_at !== null ? own : undefined;
  const sizes = ran
    ? Object.values(ran.outputs)
    : known.variables.filter(variable => variable.block === block.name);
  const rows = sizes.map(size => size.rows).filter((value): value is number => value !== null);
  const parts = rows.length > 0 ? [`${count(Math.max(...rows))} rows`] : [];
  return [...parts, ...(ran ? [duration(ran.duration_s)] : [])].join(' · ');
}
