/**
 * Looks of the data grid, which is drawn on a canvas and follows no style sheet: theme variables are
 * read and handed to it. Column headers show type, missing values, order, and a small histogram.
 */
import { CellRenderer, DataGrid, TextRenderer, type GraphicsContext } from '@lumino/datagrid';

import { count } from '../format';
import type { IColumnStatistics, IRowQuery } from '../tokens';
import { PENDING, type PagedTable } from './pagedTable';
import { columnKind } from './query';
import { decimalsOf } from './scale';

export interface IColours {
  background: string;
  header: string;
  line: string;
  text: string;
  faint: string;
  accent: string;
  brand: string;
  selection: string;
  font: string;
}

/** Colours of the theme in force where `node` is. */
export function coloursOf(node: Element): IColours {
  const style = getComputedStyle(node);
  const value = (name: string, otherwise: string): string =>
    style.getPropertyValue(name).trim() || otherwise;
  return {
    background: value('--jp-layout-color1', '#fff'),
    header: value('--jp-layout-color2', '#f5f5f5'),
    line: value('--jp-border-color2', '#e0e0e0'),
    text: value('--jp-ui-font-color1', '#212121'),
    faint: value('--jp-ui-font-color2', '#616161'),
    accent: value('--jp-blocks-transformer', '#00835f'),
    brand: value('--jp-blocks-running', '#1565c0'),
    selection: value('--jp-brand-color1', '#1976d2'),
    font: value('--jp-ui-font-family', 'sans-serif')
  };
}

export function gridStyle(colours: IColours): DataGrid.Style {
  return {
    ...DataGrid.defaultStyle,
    voidColor: colours.background,
    backgroundColor: colours.background,
    gridLineColor: colours.line,
    headerBackgroundColor: colours.header,
    headerGridLineColor: colours.line,
    selectionFillColor: `${colours.selection}22`,
    selectionBorderColor: colours.selection,
    headerSelectionFillColor: `${colours.selection}22`,
    headerSelectionBorderColor: colours.selection,
    cursorFillColor: `${colours.selection}22`,
    cursorBorderColor: colours.selection
  };
}

/** Height of the header row. */
export const HEADER_HEIGHT = 58;
/** Where in a header the button for filters is: so far from its side, and so high. */
export const FILTER_BUTTON = { width: 22, height: 20 };
const FONT_SIZE = 11.5;
/** Day and hour are easier to read apart. */
const MOMENT = /^(\d{4}-\d\d-\d\d)T(?=\d\d:)/;

/** How values of a table are written: floats of one column with the same decimals. */
export class CellTexts {
  constructor(private readonly table: PagedTable) {}

  text(value: unknown, column: number): string {
    if (value === PENDING) {
      return '…';
    }
    if (value === null || value === undefined) {
      return 'null';
    }
    if (typeof value === 'number' && !Number.isInteger(value)) {
      return Math.abs(value) < 1e12 ? value.toFixed(this.decimals(column)) : String(value);
    }
    if (typeof value === 'number' && this.decimals(column) > 0 && Math.abs(value) < 1e12) {
      return value.toFixed(this.decimals(column));
    }
    return typeof value === 'object' ? JSON.stringify(value) : String(value).replace(MOMENT, '$1 ');
  }

  private decimals(column: number): number {
    let found = this.known.get(column);
    if (found === undefined) {
      const name = this.table.columns[column]?.name ?? '';
      const { dtype } = this.table.columns[column] ?? { dtype: '' };
      const isFloat = /float|double|decimal/i.test(dtype);
      found = Math.max(decimalsOf(this.table.first.sample.map(row => row[name])), isFloat ? 1 : 0);
      this.known.set(column, found);
    }
    return found;
  }

  private readonly known = new Map<number, number>();
}

export function bodyRenderer(colours: IColours, table: PagedTable, texts: CellTexts): TextRenderer {
  const kinds = table.columns.map(column => columnKind(column.dtype));
  return new TextRenderer({
    font: `${FONT_SIZE}px ${colours.font}`,
    format: ({ value, column }) => oneLine(texts.text(value, column)),
    textColor: ({ value }) => (value === null || value === PENDING ? colours.faint : colours.text),
    horizontalAlignment: ({ column }) => (kinds[column] === 'number' ? 'right' : 'left')
  });
}

export function rowHeaderRenderer(colours: IColours): TextRenderer {
  return new TextRenderer({
    font: `${FONT_SIZE}px ${colours.font}`,
    format: ({ value }) => (value === PENDING ? '…' : oneLine(String(value ?? ''))),
    textColor: colours.faint,
    horizontalAlignment: ({ value }) => (typeof value === 'number' ? 'right' : 'left')
  });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Widths at which headers and the first rows can be read, within limits. */
export function fittingWidths(
  table: PagedTable,
  texts: CellTexts,
  statistics: (name: string) => IColumnStatistics | undefined,
  measure: (text: string, font: string) => number
): number[] {
  return table.columns.map(({ name, dtype }, column) => {
    let longest = '';
    for (const row of table.first.sample.slice(0, 60)) {
      const text = oneLine(texts.text(row[name] ?? null, column)).slice(0, 80);
      longest = text.length > longest.length ? text : longest;
    }
    const header = measure(name, 'bold') + FILTER_BUTTON.width + 12;
    const type = measure(typeText(statistics(name) ?? { name, dtype }), 'small');
    return Math.round(Math.min(Math.max(header, type + 4, measure(longest, 'body'), 48) + 18, 280));
  });
}

/** Name, order, type and missing values, and a histogram of what a column holds. */
export class HeaderRenderer extends CellRenderer {
  constructor(
    private readonly colours: IColours,
    private readonly statistics: (name: string) => IColumnStatistics | undefined,
    private readonly state: { query: IRowQuery; hovered: number }
  ) {
    super();
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { colours } = this;
    const name = String(config.value ?? '');
    const column = config.region === 'column-header' ? this.statistics(name) : undefined;
    const isRight = column !== undefined && columnKind(column.dtype) === 'number';
    gc.fillStyle = colours.header;
    gc.fillRect(config.x, config.y, config.width, config.height - 1);
    gc.save();
    gc.beginPath();
    gc.rect(config.x, config.y, config.width, config.height);
    gc.clip();
    gc.textBaseline = 'alphabetic';
    const order = this.state.query.sort.findIndex(item => item.column === name);
    const isFiltered = this.state.query.filters.some(item => item.column === name);
    const room = config.width - 16;
    if (column) {
      const hasButton = isFiltered || this.state.hovered === config.column;
      const taken = (hasButton ? FILTER_BUTTON.width - 4 : 0) + (order >= 0 ? 14 : 0);
      gc.font = `600 ${FONT_SIZE}px ${colours.font}`;
      gc.fillStyle = colours.text;
      const shown = elided(gc, name, room - taken);
      line(gc, shown, config, 16, isRight);
      if (order >= 0) {
        const width = gc.measureText(shown).width + 5;
        const x = isRight ? config.x + config.width - 8 - width - 8 : config.x + 8 + width;
        this.arrow(gc, x, config.y + 12, this.state.query.sort[order]!.descending);
      }
      if (hasButton) {
        this.funnel(gc, isRight ? config.x + 7 : config.x + config.width - 19, config.y + 6, isFiltered);
      }
      gc.font = `10.5px ${colours.font}`;
      gc.fillStyle = colours.faint;
      line(gc, elided(gc, typeText(column), room), config, 30, isRight);
      gc.fillStyle = colours.accent;
      this.bars(gc, column, config, isRight);
    } else {
      gc.font = `600 ${FONT_SIZE}px ${colours.font}`;
      gc.fillStyle = colours.faint;
      line(gc, elided(gc, name, room), config, 16, false);
    }
    gc.restore();
  }

  private arrow(gc: GraphicsContext, x: number, y: number, descending: boolean): void {
    const tip = descending ? 3.5 : -3.5;
    gc.fillStyle = this.colours.brand;
    gc.beginPath();
    gc.moveTo(x, y - tip);
    gc.lineTo(x + 8, y - tip);
    gc.lineTo(x + 4, y + tip);
    gc.closePath();
    gc.fill();
  }

  private funnel(gc: GraphicsContext, x: number, y: number, isFiltered: boolean): void {
    gc.beginPath();
    gc.moveTo(x, y + 1);
    gc.lineTo(x + 12, y + 1);
    gc.lineTo(x + 7.5, y + 6);
    gc.lineTo(x + 7.5, y + 11);
    gc.lineTo(x + 4.5, y + 9.5);
    gc.lineTo(x + 4.5, y + 6);
    gc.closePath();
    gc.fillStyle = this.colours.brand;
    gc.strokeStyle = isFiltered ? this.colours.brand : this.colours.faint;
    gc.lineWidth = 1.2;
    if (isFiltered) {
      gc.fill();
    }
    gc.stroke();
  }

  private bars(
    gc: GraphicsContext,
    column: IColumnStatistics,
    config: CellRenderer.CellConfig,
    isRight: boolean
  ): void {
    const top = column.top?.map(([, number]) => number) ?? [];
    // Values that are all there once say nothing.
    const counts = column.histogram?.counts ?? (Math.max(...top, 0) > 1 ? top : []);
    const most = Math.max(...counts, 1);
    const width = Math.min(5, (config.width - 16) / Math.max(counts.length, 1));
    const start = isRight ? config.x + config.width - 8 - width * counts.length : config.x + 8;
    counts.forEach((number, at) => {
      const height = number > 0 ? Math.max(1, (number / most) * 18) : 0;
      gc.fillRect(start + at * width, config.y + 53 - height, Math.max(1, width - 1), height);
    });
  }
}

function line(
  gc: GraphicsContext,
  text: string,
  config: CellRenderer.CellConfig,
  below: number,
  isRight: boolean
): void {
  gc.textAlign = isRight ? 'right' : 'left';
  gc.fillText(text, isRight ? config.x + config.width - 8 : config.x + 8, config.y + below);
}

function elided(gc: GraphicsContext, text: string, room: number): string {
  if (gc.measureText(text).width <= room) {
    return text;
  }
  let length = text.length;
  while (length > 1 && gc.measureText(`${text.slice(0, length)}…`).width > room) {
    length -= 1;
  }
  return `${text.slice(0, length)}…`;
}

/** `float64 · 2.4 % null`. */
export function typeText({ dtype, nulls }: IColumnStatistics): string {
  return nulls ? `${dtype} · ${count(nulls)} null` : dtype;
}
