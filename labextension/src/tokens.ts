/**
 * What the server tells, as `jupyter_blocks/server/openapi.yaml` describes it, and the public token.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

export * from './valueTypes';

export type BlockTypeName = 'data_loader' | 'transformer' | 'data_exporter' | 'sensor' | 'custom';

export type BlockStatus =
  | 'WAITING'
  | 'RUNNING'
  | 'POLLING'
  | 'RETRYING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'UPSTREAM_FAILED'
  | 'SKIPPED'
  | 'CACHED'
  | 'CANCELLED'
  | 'CONDITION_FAILED';

export type RunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

/** A way out of a problem that only needs other tags. */
export interface IFix {
  label: string;
  /** Place of the cell in the notebook, from 1. */
  cell: number;
  /** Role of the cell afterwards; empty for none. Tags of others and the order stay. */
  tag: string;
}

export interface IProblem {
  code: string;
  message: string;
  hint?: string;
  severity: 'error' | 'warning';
  block?: string;
  /** Place of the cell in the notebook, from 1. */
  cell?: number;
  cell_id?: string;
  /** Line in the cell, from 1. */
  line?: number;
  /** The one to offer first in front. */
  fixes?: IFix[];
}

export interface IFreshness {
  state: 'fresh' | 'stale' | 'missing' | 'unknown';
  reason: string;
}

export interface IEdge {
  /** The variable that flows; empty for edges that are only an order. */
  name: string;
  reader: string;
  definer: string;
  kind: 'read' | 'rebind' | 'change' | 'order' | 'file' | 'random';
  soft: boolean;
  /** A sentence with cells and lines. */
  reason: string;
}

export interface IAnalyzedBlock {
  name: string;
  type: BlockTypeName;
  style: 'plain' | 'decorated';
  cells: number[];
  cell_ids: (string | null)[];
  /** Argument -> `block.output` it comes from. */
  inputs: Record<string, string>;
  outputs: string[];
  parameters: string[];
  upstream: string[];
  edges: IEdge[];
  executor: string | null;
  file: string | null;
  drift: string;
  freshness: IFreshness;
}

export interface IAnalysis {
  notebook: string;
  pipeline: string;
  /** Folder of the project below the root of the server; null where there is none yet. */
  project: string | null;
  blocks: IAnalyzedBlock[];
  parameters: Record<string, unknown>;
  problems: IProblem[];
  has_drifted: boolean;
}

export interface IStoredSize {
  type: string;
  rows: number | null;
  bytes: number | null;
}

export interface IBlockError {
  type?: string;
  message?: string;
  /** Path below the project. */
  notebook?: string | null;
  cell?: number | null;
  /** Line in the cell, from 1; `line` is that of the block's file. */
  cell_line?: number | null;
  file?: string | null;
  line?: number | null;
  traceback?: string;
}

export interface IBlockRun {
  status: BlockStatus;
  executor: string;
  reason: string;
  executor_reason: string;
  attempts: number;
  duration_s: number;
  error: IBlockError | null;
  outputs: Record<string, IStoredSize>;
  type: BlockTypeName;
  upstream: string[];
  attempt_id: string | null;
  /** Seconds since 1970. */
  started_at: number | null;
  finished_at: number | null;
  /** Largest memory of its process, in MiB. */
  peak_rss_mib: number | null;
}

export interface IAttempt {
  block: string;
  attempt_id: string;
  /** From 1. */
  attempt: number;
  /** When it was handed to its executor, in seconds since 1970. */
  started_at: number;
  /** When its code began; null where nobody saw it begin. */
  running_at: number | null;
  finished_at: number | null;
  /** How it ended; null while it goes on. */
  phase: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'LOST' | null;
}

export interface ILogLine {
  text: string;
  /** `stdout`, `stderr`, or `system` for what the executor says. */
  stream: string;
  /** Seconds since 1970. */
  ts: number | null;
}

/** A piece of a log. */
export interface ILog {
  block: string | null;
  attempt_id: string | null;
  offset: number;
  next_offset: number;
  bytes: number;
  /** Whether nothing more will come. */
  ended: boolean;
  lines: ILogLine[];
}

export interface IPlannedBlock {
  name: string;
  type: BlockTypeName;
  action: 'run' | 'cached' | 'skipped';
  reason: string;
  executor: string;
  executor_reason: string;
  upstream: string[];
}

/** What a run would do. */
export interface IPlan {
  project: string;
  pipeline: string;
  parameters: Record<string, unknown>;
  blocks: IPlannedBlock[];
}

/** A place where blocks can run. */
export interface IExecutor {
  name: string;
  state: 'available' | 'missing';
  about: string;
  /** What to do where it is missing. */
  detail: string;
  allowed: boolean;
}

export interface IRunState {
  run_id: string;
  pipeline: string;
  status: RunStatus;
  cancelling: boolean;
  started_at: number | null;
  finished_at: number | null;
  parameters: Record<string, unknown>;
  /** Number of the last event this state knows. */
  seq: number;
  /** Whether only the blocks that changed are given. */
  partial: boolean;
  blocks: Record<string, IBlockRun>;
}

export interface IRunRecord {
  run_id: string;
  pipeline: string;
  status: RunStatus;
  started_at: number;
  finished_at: number | null;
}

/** Payload of the event `jupyter_blocks/run/v1`. */
export interface IRunEvent {
  project: string;
  run_id: string;
  pipeline: string;
  status: RunStatus;
  seq: number;
  previous_seq: number;
  blocks: Record<string, BlockStatus>;
  more: boolean;
}

export interface IProposal {
  cell: number;
  id: string | null;
  tag: string;
  reason: string;
}

export interface IExportedFile {
  /** Below the project. */
  path: string;
  /** `differs`: would be written. `edited`: changed by hand since it was exported. */
  state: 'written' | 'unchanged' | 'differs' | 'edited' | 'removed';
  /** Unified, from the file to what the notebook says. */
  diff: string;
}

/** What an export wrote, or would write. */
export interface IExport {
  pipeline: string;
  project: string;
  files: IExportedFile[];
  problems: IProblem[];
}

/** Lines that were changed in a file and in its cell. */
export interface IConflict {
  path: string;
  cell: number | null;
  /** As they were exported; null where that is not known any more. */
  base: string[] | null;
  notebook: string[];
  file: string[];
}

/** What came of bringing changes of files into the notebook. */
export interface ITakenBack {
  pipeline: string;
  project: string;
  notebook: string;
  edited: string[];
  cells: { cell: number; files: string[] }[];
  settings: { block: string; key: string }[];
  conflicts: IConflict[];
  problems: IProblem[];
}

/** What a run is asked to do. */
export interface IRunRequest {
  changed?: boolean;
  from_block?: string;
  blocks?: string[];
  to_block?: string;
  executor?: string;
  runtime_vars?: Record<string, unknown>;
  skip_sensors?: boolean;
  run_tests?: boolean;
}

/** The pipeline of the notebook in front, for other extensions. */
export interface IBlocks {
  /** The last analysis; null while there is none. */
  readonly analysis: IAnalysis | null;
  /** The run that is followed; null while there is none. */
  readonly run: IRunState | null;
  /** Anything of it has changed. */
  readonly changed: ISignal<IBlocks, void>;
  /** Start a run; resolves to its id when it is planned. */
  start(request: IRunRequest): Promise<string>;
}

export const IBlocks = new Token<IBlocks>(
  'jupyter-blocks:IBlocks',
  'The pipeline that the cells of the notebook in front are blocks of.'
);
