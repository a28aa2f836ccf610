/**
 * What the server tells of stored values, as `jupyter_blocks/server/openapi.yaml` describes it.
 */
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
