/**
 * A table of any size for the data grid: pages come from the server as they are looked at.
 */
import { DataModel } from '@lumino/datagrid';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IPage } from '../tokens';

const PAGE_ROWS = 200;
const MOST_PAGES = 40;
/** The server gives so many rows in one answer. */
const MOST_ROWS = 10_000;

/** How many rows the first page of a table has. */
export const FIRST_ROWS = PAGE_ROWS;

/** Fetches rows from `start` on, of all columns or of some. */
export type PageSource = (start: number, rows: number, columns?: string[]) => Promise<IPage>;

/** What is shown while a page is on its way. */
export const PENDING = Symbol('pending');

/** Values as they are; the grid's renderers make texts of them. */
export class PagedTable extends DataModel {
  /**
   * @param first The page from row 0 on.
   * @param total How many rows can be looked at.
   */
  constructor(
    readonly first: IPage,
    private readonly total: number,
    private readonly source: PageSource
  ) {
    super();
    this.columns = first.columns;
    this.index = first.index ?? [];
    this.pages.set(0, first);
  }

  /** Names and types of the columns, without those of the index. */
  readonly columns: IPage['columns'];

  /** A page could not be fetched. */
  get failed(): ISignal<this, unknown> {
    return this._failed;
  }

  override rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this.total : 1;
  }

  override columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.columns.length : Math.max(1, this.index.length);
  }

  override data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'column-header':
        return this.columns[column]?.name ?? '';
      case 'corner-header':
        return this.index[column]?.name ?? '';
      case 'row-header':
        return this.rowHeader(row, column);
      default:
        return this.body(row, column);
    }
  }

  /** The rows of a selection, as TSV; at most 10,000 of them. */
  async text(top: number, bottom: number, left: number, right: number): Promise<string> {
    const names = this.columns.slice(left, right + 1).map(column => column.name);
    const wanted = Math.min(bottom - top + 1, MOST_ROWS);
    const page = await this.source(top, wanted, names);
    return page.sample
      .slice(0, wanted)
      .map(row => names.map(name => field(row[name])).join('\t'))
      .join('\n');
  }

  /** Have the header of a column drawn again. */
  emitRepaint(column: number): void {
    this.emitChanged({ type: 'cells-changed', region: 'column-header', row: 0, column, rowSpan: 1, columnSpan: 1 });
  }

  private rowHeader(row: number, level: number): unknown {
    const page = this.page(row);
    if (!page) {
      return this.index.length > 0 ? PENDING : row;
    }
    const values = page.index?.[level]?.values ?? page.row_numbers;
    return values ? values[row - page.start] : row;
  }

  private body(row: number, column: number): unknown {
    const page = this.page(row);
    return page ? (page.sample[row - page.start]?.[this.columns[column]!.name] ?? null) : PENDING;
  }

  private page(row: number): IPage | undefined {
    const number = Math.floor(row / PAGE_ROWS);
    const page = this.pages.get(number);
    if (!page && !this.asked.has(number)) {
      this.asked.add(number);
      void this.fetch(number);
    }
    return page && row - page.start < page.sample.length ? page : undefined;
  }

  private async fetch(number: number): Promise<void> {
    try {
      const page = await this.source(number * PAGE_ROWS, PAGE_ROWS);
      this.pages.set(number, page);
      if (this.pages.size > MOST_PAGES) {
        this.pages.delete([...this.pages.keys()][0]!);
      }
      const place = { type: 'cells-changed', row: page.start, column: 0, rowSpan: page.sample.length } as const;
      this.emitChanged({ ...place, region: 'body', columnSpan: this.columns.length });
      this.emitChanged({ ...place, region: 'row-header', columnSpan: this.columnCount('row-header') });
    } catch (error) {
      this._failed.emit(error);
    } finally {
      this.asked.delete(number);
    }
  }

  private readonly index: NonNullable<IPage['index']>;
  private readonly pages = new Map<number, IPage>();
  private readonly asked = new Set<number>();
  private readonly _failed = new Signal<this, unknown>(this);
}

/** A value as spreadsheets read it; texts with tabs, quotes or new lines are quoted. */
function field(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /["\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
