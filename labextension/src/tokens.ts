/**
 * What the server tells, as `jupyter_blocks/server/openapi.yaml` describes it, and the public token.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

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
  upstream: string[];
  started_at: number | null;
  finished_at: number | null;
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

export interface IVariable {
  block: string;
  name: string;
  type: string;
  python_type: string;
  rows: number | null;
  bytes: number;
  run_id: string;
  /** Seconds since 1970. */
  created_at: number;
  can_page: boolean;
  has_image: boolean;
}

export interface IHistogram {
  /** One more than `counts`. */
  edges: number[];
  counts: number[];
}

export interface IColumnStatistics {
  name: string;
  dtype: string;
  nulls?: number;
  distinct?: number | null;
  min?: unknown;
  max?: unknown;
  mean?: number | null;
  histogram?: IHistogram | null;
  top?: [unknown, number][] | null;
}

export interface IPreview {
  type: string;
  python_type: string;
  rows: number | null;
  bytes: number;
  columns?: IColumnStatistics[];
  sample?: unknown;
  note?: string;
}

export interface IPage {
  rows: number;
  matched: number;
  start: number;
  columns: { name: string; dtype: string }[];
  sample: Record<string, unknown>[];
  index?: { name: string; dtype: string; values: unknown[] }[];
  complete: boolean;
}

export interface ISortOrder {
  column: string;
  descending: boolean;
}

export interface IProposal {
  cell: number;
  id: string | null;
  tag: string;
  reason: string;
}

/** What a run is asked to do. */
export interface IRunRequest {
  changed?: boolean;
  from_block?: string;
  blocks?: string[];
  executor?: string;
  runtime_vars?: Record<string, unknown>;
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
