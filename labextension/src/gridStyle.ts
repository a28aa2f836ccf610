/**
 * Looks of the data grid, which is drawn on a canvas and follows no style sheet: theme variables are
 * read and handed to it. Column headers show type, missing values and a small histogram.
 */
import { CellRenderer, DataGrid, TextRenderer, type GraphicsContext } from '@lumino/datagrid';

import type { IColumnStatistics } from './tokens';

export interface IColours {
  background: string;
  header: string;
  line: string;
  text: string;
  faint: string;
  accent: string;
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
    selection: value('--jp-brand-color3', '#bbdefb'),
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
    selectionFillColor: `${colours.selection}44`,
    selectionBorderColor: colours.selection
  };
}

export function textRenderer(colours: IColours, numeric: (column: number) => boolean): TextRenderer {
  return new TextRenderer({
    font: `11.5px ${colours.font}`,
    textColor: colours.text,
    horizontalAlignment: config =>
      config.region === 'body' && numeric(config.column) ? 'right' : 'left'
  });
}

/** Height of the header row. */
export const HEADER_HEIGHT = 58;

/** Name, type and missing values, and a histogram of what a column holds. */
export class HeaderRenderer extends CellRenderer {
  constructor(
    private readonly colours: IColours,
    private readonly statistics: (name: string) => IColumnStatistics | undefined
  ) {
    super();
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { colours } = this;
    const name = String(config.value ?? '');
    const column = config.region === 'column-header' ? this.statistics(name) : undefined;
    gc.fillStyle = colours.header;
    gc.fillRect(config.x, config.y, config.width, config.height - 1);
    gc.save();
    gc.beginPath();
    gc.rect(config.x, config.y, config.width - 4, config.height);
    gc.clip();
    gc.textBaseline = 'alphabetic';
    gc.fillStyle = colours.text;
    gc.font = `600 11.5px ${colours.font}`;
    gc.fillText(name, config.x + 8, config.y + 15);
    if (column) {
      gc.fillStyle = colours.faint;
      gc.font = `10.5px ${colours.font}`;
      gc.fillText(typeText(column), config.x + 8, config.y + 28);
      gc.fillStyle = colours.accent;
      this.bars(gc, column, config);
    }
    gc.restore();
  }

  private bars(gc: GraphicsContext, column: IColumnStatistics, config: CellRenderer.CellConfig): void {
    const top = column.top?.map(([, count]) => count) ?? [];
    // Values that are all there once say nothing.
    const counts = column.histogram?.counts ?? (Math.max(...top, 0) > 1 ? top : []);
    const most = Math.max(...counts, 1);
    const width = Math.min(5, (config.width - 16) / Math.max(counts.length, 1));
    counts.forEach((count, at) => {
      const height = count > 0 ? Math.max(1, (count / most) * 18) : 0;
      const x = config.x + 8 + at * width;
      gc.fillRect(x, config.y + 52 - height, Math.max(1, width - 1), height);
    });
  }
}

function typeText(column: IColumnStatistics): string {
  return column.nulls ? `${column.dtype} · ${column.nulls.toLocaleString('en-US')} null` : column.dtype;
}

/** Whether values of a type are numbers, which stand at the right. */
export function isNumeric(dtype: string): boolean {
  return /^(u?int|float|decimal|double|complex|Int|UInt|Float)/.test(dtype);
}
