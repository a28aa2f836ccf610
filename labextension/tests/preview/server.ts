/**
 * One server for the tests of the preview: what it answers, and what it was asked.
 */
import type { BlocksApi } from '../../src/api';
import type {
  IChart,
  IColumnStatistics,
  IComparison,
  IPage,
  IPreview,
  IText,
  ITree,
  IVariable
} from '../../src/tokens';

export const PLACE = { project: 'shop', pipeline: 'pipe', block: 'load', output: 'sales', run_id: 'r1' };

export const COLUMNS: IColumnStatistics[] = [
  { name: 'city', dtype: 'str', nulls: 1, distinct: 2, top: [['Bonn', 3], ['Ulm', 1]], min: 'Bonn', max: 'Ulm' },
  {
    name: 'price',
    dtype: 'float64',
    nulls: 0,
    distinct: 5,
    min: 1.5,
    max: 9,
    mean: 4.25,
    std: 2,
    quantiles: [1.5, 2, 4, 6, 9],
    histogram: { edges: [0, 5, 10], counts: [3, 2] }
  },
  { name: 'sold', dtype: 'datetime64[us]', nulls: 0, distinct: 5, min: '2026-01-01T00:00:00', max: '2026-02-01T00:00:00' },
  { name: 'paid', dtype: 'bool', nulls: 0, distinct: 2, top: [[true, 4], [false, 1]] }
];

export const PREVIEW: IPreview = { type: 'table', python_type: 'pandas.DataFrame', rows: 5, bytes: 900, columns: COLUMNS };

export const VARIABLE: IVariable = {
  block: 'load',
  name: 'sales',
  type: 'table',
  python_type: 'pandas.DataFrame',
  rows: 5,
  bytes: 900,
  run_id: 'r1',
  created_at: 1,
  can_page: true,
  has_image: false
};

/** A page of a table whose column `n` holds the numbers of the rows. */
export function page(changes: Partial<IPage> = {}): IPage {
  return {
    rows: 5,
    matched: 5,
    start: 0,
    columns: COLUMNS.map(({ name, dtype }) => ({ name, dtype })),
    sample: [{ city: 'Bonn', price: 1.5, sold: '2026-01-01T00:00:00', paid: true }],
    complete: true,
    ...changes
  };
}

export class Server {
  readonly asked: unknown[][] = [];
  answers: {
    preview: IPreview;
    rows: IPage | Error;
    chart: IChart | Error;
    compare: IComparison | Error;
    tree: (path: number[], offset: number) => ITree;
    text: (offset: number) => IText;
    variables: IVariable[] | Error;
  } = {
    preview: PREVIEW,
    rows: page(),
    chart: { kind: 'bar', x: 'city', y: null, values: [], sampled: false },
    compare: { after: { ...PREVIEW, run_id: 'r1', created_at: 2 }, before: null, equal: false, columns: [], candidates: [] },
    tree: () => ({ kind: 'value', length: null, value: 1, offset: 0, entries: [] }),
    text: () => ({ text: '', offset: 0, next_offset: 0, bytes: 0 }),
    variables: [VARIABLE]
  };

  get api(): BlocksApi {
    return this as unknown as BlocksApi;
  }

  preview = (...asked: unknown[]): Promise<IPreview> => this.answer('preview', asked, this.answers.preview);
  rows = (...asked: unknown[]): Promise<IPage> => this.answer('rows', asked, this.answers.rows);
  chart = (...asked: unknown[]): Promise<IChart> => this.answer('chart', asked, this.answers.chart);
  compare = (...asked: unknown[]): Promise<IComparison> => this.answer('compare', asked, this.answers.compare);
  variables = (...asked: unknown[]): Promise<IVariable[]> => this.answer('variables', asked, this.answers.variables);
  tree = (_place: unknown, path: number[], offset: number): Promise<ITree> =>
    this.answer('tree', [path, offset], this.answers.tree(path, offset));
  text = (_place: unknown, offset: number): Promise<IText> =>
    this.answer('text', [offset], this.answers.text(offset));
  imageUrl = (): string => 'blocks/variables/image';
  downloadUrl = (_place: unknown, format: string): string => `blocks/variables/download?format=${format}`;

  private answer<T>(name: string, asked: unknown[], value: T | Error): Promise<T> {
    this.asked.push([name, ...asked]);
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  }
}
