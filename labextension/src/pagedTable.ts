/**
 * A table of any size for the data grid: pages come from the server as they are looked at.
 */
import { DataModel } from '@lumino/datagrid';

import { cellText } from './format';
import type { IPage } from './tokens';

const PAGE_ROWS = 200;
const MOST_PAGES = 40;

/** Fetches the rows from `start` on. */
export type PageSource = (start: number, rows: number) => Promise<IPage>;

export class PagedTable extends DataModel {
  constructor(
    first: IPage,
    private readonly source: PageSource
  ) {
    super();
    this.columns = first.columns;
    this.index = first.index ?? [];
    this.total = first.matched;
    this.pages.set(0, first);
  }

  /** Names and types of the columns, without those of the index. */
  readonly columns: IPage['columns'];

  override rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this.total : 1;
  }

  override columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.columns.length : Math.max(1, this.index.length);
  }

  override data(region: DataModel.CellRegion, row: number, column: number): string {
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

  private rowHeader(row: number, level: number): string {
    const page = this.page(row);
    const values = page?.index?.[level]?.values;
    return values ? cellText(values[row - page.start]) : String(row);
  }

  private body(row: number, column: number): string {
    const page = this.page(row);
    return page ? cellText(page.sample[row - page.start]?.[this.columns[column]!.name]) : '…';
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
      this.emitChanged({
        type: 'cells-changed',
        region: 'body',
        row: page.start,
        column: 0,
        rowSpan: page.sample.length,
        columnSpan: this.columns.length
      });
    } finally {
      this.asked.delete(number);
    }
  }

  private readonly index: NonNullable<IPage['index']>;
  private readonly total: number;
  private readonly pages = new Map<number, IPage>();
  private readonly asked = new Set<number>();
}

/** How many rows the first page of a table has. */
export const FIRST_ROWS = PAGE_ROWS;
