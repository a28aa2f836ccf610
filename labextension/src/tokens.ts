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
  nulls?: number | null;
  distinct?: number | null;
  min?: unknown;
  max?: unknown;
  mean?: number | null;
  std?: number | null;
  /** Those of 5, 25, 50, 75 and 95 %. */
  quantiles?: unknown[] | null;
  histogram?: IHistogram | null;
  top?: [unknown, number][] | null;
  /** Distinct values and all below are those of `sample_rows` rows. */
  sampled?: boolean;
  sample_rows?: number;
  /** All figures are those of the sample. */
  estimated?: boolean;
  note?: string;
}

/** What a fitted model says of itself. */
export interface IModelSummary {
  parameters?: Record<string, unknown>;
  features?: string[] | number;
  classes?: unknown[];
  weights?: [string, number][];
  steps?: [string, string][];
}

export interface IPreview {
  type: string;
  python_type: string;
  rows: number | null;
  bytes: number;
  columns?: IColumnStatistics[];
  omitted_columns?: number;
  sample?: unknown;
  note?: string;
  /** Plain data, cut where it is long. */
  value?: unknown;
  truncated?: boolean;
  /** Entries of a text or of bytes. */
  length?: number;
  repr?: string;
  model?: IModelSummary;
  /** Of arrays. */
  dtype?: string;
  shape?: number[];
  nulls?: number;
  min?: unknown;
  max?: unknown;
  mean?: number | null;
  histogram?: IHistogram | null;
}

export interface IPage {
  rows: number;
  /** How many rows fit the filters. */
  matched: number;
  start: number;
  columns: { name: string; dtype: string }[];
  sample: Record<string, unknown>[];
  index?: { name: string; dtype: string; values: unknown[] }[];
  /** Where the rows lie in the table, if they are filtered or sorted. */
  row_numbers?: number[];
  omitted_columns?: number;
  /** False where only the kept first rows can be shown. */
  complete: boolean;
  /** What would make all rows visible. */
  note?: string;
}

export interface ISortOrder {
  column: string;
  descending: boolean;
}

export type ConditionOperator =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'contains'
  | 'starts_with'
  | 'in'
  | 'is_null'
  | 'not_null';

export interface ICondition {
  column: string;
  op: ConditionOperator;
  value?: unknown;
}

/** Which rows of a table, in which order. */
export interface IRowQuery {
  sort: ISortOrder[];
  filters: ICondition[];
  search: string;
}

export type ChartKind = 'bar' | 'line' | 'scatter' | 'histogram';

export interface IChartRequest {
  kind: ChartKind;
  x: string;
  y?: string;
  color?: string;
  aggregate?: 'count' | 'sum' | 'mean' | 'min' | 'max';
  bins?: number;
  limit?: number;
}

export interface IChart {
  kind: ChartKind;
  x: string;
  y: string | null;
  aggregate?: string;
  /** Of a histogram; times are seconds since 1970. */
  edges?: (number | string)[];
  counts?: number[];
  /** Counts for each colour. */
  series?: number[][];
  /** `color` is its place in `colors`; of a dot the value itself. */
  values?: { x: unknown; y: unknown; color?: unknown }[];
  colors?: unknown[];
  /** One more colour stands for all other values. */
  others?: boolean;
  groups?: number;
  sampled: boolean;
}

export interface ITreeEntry {
  step: number;
  key: unknown;
  kind: 'object' | 'array' | 'value';
  length: number | null;
  value: unknown;
}

export interface ITree {
  kind: 'object' | 'array' | 'value';
  length: number | null;
  value: unknown;
  offset: number;
  entries: ITreeEntry[];
}

export interface IText {
  text: string;
  offset: number;
  next_offset: number;
  bytes: number;
}

export interface IStoredRun {
  run_id: string;
  /** Seconds since 1970. */
  created_at: number;
}

export interface IComparedValue extends IStoredRun {
  type: string;
  python_type: string;
  rows: number | null;
  bytes: number;
}

/** Pairs are those of before and after. */
export interface IComparedColumn {
  name: string;
  dtype: (string | null)[];
  change: 'same' | 'type' | 'added' | 'removed';
  nulls: unknown[];
  distinct: unknown[];
  min: unknown[];
  max: unknown[];
  mean: unknown[];
  /** The part of the rows that would have to move; null where that is not known. */
  shift: number | null;
  histogram?: { edges: number[]; before: number[]; after: number[] };
  /** Value, its part before, its part after. */
  top?: [unknown, number, number][];
}

export interface IComparison {
  after: IComparedValue;
  before: IComparedValue | null;
  equal: boolean;
  columns: IComparedColumn[];
  candidates: IStoredRun[];
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
