/**
 * The data grid with our looks, order, filters, tips and copying; React only holds its node.
 */
import { Clipboard } from '@jupyterlab/apputils';
import { BasicSelectionModel, DataGrid } from '@lumino/datagrid';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { IColumnStatistics, IRowQuery } from '../tokens';
import {
  bodyRenderer,
  CellTexts,
  coloursOf,
  fittingWidths,
  gridStyle,
  HEADER_HEIGHT,
  HeaderRenderer,
  rowHeaderRenderer
} from './gridStyle';
import { GridKeys, GridMouse, type IGridActions } from './handlers';
import type { PagedTable } from './pagedTable';
import { ALL_ROWS, columnKind } from './query';

/** What happens outside of the grid. */
export interface ITableGridOptions {
  statistics: readonly IColumnStatistics[];
  label: string;
  sort(column: string, add: boolean): void;
  filter(column: string, place: DOMRect): void;
  /** So many rows and columns are in the clipboard. */
  copied(rows: number, columns: number): void;
  failed(error: unknown): void;
}

export class TableGrid {
  constructor(
    private readonly host: HTMLElement,
    private readonly options: ITableGridOptions
  ) {
    const { actions, grid } = this;
    grid.keyHandler = new GridKeys(actions);
    grid.mouseHandler = new GridMouse(actions);
    grid.node.tabIndex = 0;
    grid.node.setAttribute('role', 'group');
    grid.node.setAttribute('aria-label', options.label);
    this.known = new Map(options.statistics.map(column => [column.name, column]));
    MessageLoop.sendMessage(grid, Widget.Msg.BeforeAttach);
    host.appendChild(grid.node);
    MessageLoop.sendMessage(grid, Widget.Msg.AfterAttach);
    this.themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    this.sizes.observe(host);
  }

  /** Show the rows that a query has found. */
  show(table: PagedTable, query: IRowQuery): void {
    const { grid } = this;
    const [columns, levels] = (['body', 'row-header'] as const).map(region =>
      Array.from({ length: grid.columnCount(region) }, (_, column) => grid.columnSize(region, column))
    ) as [number[], number[]];
    const isFirst = this.table === null;
    this.table = table;
    this.state.query = query;
    table.failed.connect((_, error) => this.options.failed(error));
    this.texts = new CellTexts(table);
    grid.dataModel = table; // forgets the widths
    grid.selectionModel = new BasicSelectionModel({ dataModel: table });
    this.paint();
    if (isFirst) {
      this.widths = fittingWidths(table, this.texts, name => this.known.get(name), this.measure);
    }
    (isFirst ? this.widths : columns).forEach((width, column) => grid.resizeColumn('body', column, width));
    (isFirst ? this.levelWidths(table) : levels).forEach((width, level) => grid.resizeColumn('row-header', level, width));
    grid.scrollTo(grid.scrollX, 0);
  }

  dispose(): void {
    this.themes.disconnect();
    this.sizes.disconnect();
    this.grid.dispose();
  }

  private levelWidths(table: PagedTable): number[] {
    const levels = table.first.index ?? [{ name: '', values: [table.first.rows] }];
    return levels.map(({ name, values }) => {
      const texts = [name, ...values.slice(0, 60).map(value => String(value ?? '').slice(0, 40))];
      return Math.min(Math.max(...texts.map(text => this.measure(text, 'bold') + 18), 40), 220);
    });
  }

  private paint(): void {
    const { grid, table } = this;
    if (!table) {
      return;
    }
    const colours = coloursOf(this.host);
    this.font = colours.font;
    const header = new HeaderRenderer(colours, name => this.known.get(name), this.state);
    grid.style = gridStyle(colours);
    grid.cellRenderers.update({
      body: bodyRenderer(colours, table, this.texts!),
      'row-header': rowHeaderRenderer(colours),
      'column-header': header,
      'corner-header': header
    });
  }

  private readonly measure = (text: string, font: string): number => {
    const gc = (this.canvas ??= document.createElement('canvas').getContext('2d'));
    if (!gc) {
      return text.length * 7;
    }
    gc.font = `${font === 'bold' ? '600 ' : ''}${font === 'small' ? 10.5 : 11.5}px ${this.font}`;
    return gc.measureText(text).width;
  };

  private copy(): void {
    const selections = [...(this.grid.selectionModel?.selections() ?? [])];
    const { table } = this;
    if (!table || selections.length === 0) {
      return;
    }
    const top = Math.max(0, Math.min(...selections.map(({ r1, r2 }) => Math.min(r1, r2))));
    const left = Math.max(0, Math.min(...selections.map(({ c1, c2 }) => Math.min(c1, c2))));
    const right = Math.max(...selections.map(({ c1, c2 }) => Math.max(c1, c2)));
    const last = Math.max(...selections.map(({ r1, r2 }) => Math.max(r1, r2)));
    const bottom = Math.min(last, table.rowCount('body') - 1, top + 9_999);
    table
      .text(top, bottom, left, right)
      .then(text => toClipboard(text))
      .then(() => this.options.copied(bottom - top + 1, right - left + 1))
      .catch(error => this.options.failed(error));
  }

  private readonly actions: IGridActions = {
    sort: (column, add) => this.options.sort(this.name(column), add),
    filter: (column, place) => this.options.filter(this.name(column), place),
    fit: column => this.grid.resizeColumn('body', column, this.widths[column] ?? null),
    copy: () => this.copy(),
    hover: column => this.hover(column),
    isFunnelLeft: column => columnKind(this.table?.columns[column]?.dtype ?? '') === 'number',
    wholeText: (region, row, column, width) => this.wholeText(region, row, column, width)
  };

  private name(column: number): string {
    return this.table?.columns[column]?.name ?? '';
  }

  private hover(column: number): void {
    if (column === this.state.hovered || !this.table) {
      return;
    }
    const before = this.state.hovered;
    this.state.hovered = column;
    for (const changed of [before, column].filter(one => one >= 0)) {
      this.table.emitRepaint(changed);
    }
  }

  private wholeText(region: string, row: number, column: number, width: number): string {
    const { table, texts } = this;
    if (!table || !texts) {
      return '';
    }
    if (region === 'column-header') {
      const { name, dtype } = table.columns[column]!;
      return this.measure(name, 'bold') > width - 34 ? `${name}\n${dtype}` : '';
    }
    if (region !== 'body' && region !== 'row-header') {
      return '';
    }
    const value = table.data(region, row, column);
    if (value === null || typeof value === 'symbol') {
      return '';
    }
    const shown = region === 'body' ? texts.text(value, column) : String(value);
    const whole = typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value);
    return shown !== whole || whole.includes('\n') || this.measure(shown, 'body') > width - 16 ? whole : '';
  }

  private readonly grid = new DataGrid({
    defaultSizes: { rowHeight: 22, columnWidth: 104, rowHeaderWidth: 56, columnHeaderHeight: HEADER_HEIGHT },
    headerVisibility: 'all',
    stretchLastColumn: false
  });
  private readonly themes = new MutationObserver(() => requestAnimationFrame(() => this.paint()));
  private readonly sizes = new ResizeObserver(() =>
    MessageLoop.sendMessage(this.grid, Widget.ResizeMessage.UnknownSize)
  );
  private readonly state = { query: ALL_ROWS, hovered: -1 };
  private readonly known: Map<string, IColumnStatistics>;
  private table: PagedTable | null = null;
  private texts: CellTexts | null = null;
  private widths: number[] = [];
  private font = 'sans-serif';
  private canvas: CanvasRenderingContext2D | null = null;
}

async function toClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages that are not from this machine and not encrypted have no clipboard of their own.
    Clipboard.copyToSystem(text);
  }
}
