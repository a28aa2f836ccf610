/**
 * Mouse and keys over the data grid: a click on a header sorts, its funnel filters, long values are
 * shown whole, the selection is copied.
 */
import { BasicKeyHandler, BasicMouseHandler, type DataGrid } from '@lumino/datagrid';

import { FILTER_BUTTON } from './gridStyle';

/** What the grid is asked for. */
export interface IGridActions {
  sort(column: number, add: boolean): void;
  /** Filter a column; the place of its header in the window. */
  filter(column: number, place: DOMRect): void;
  /** Make a column as wide as what is in it. */
  fit(column: number): void;
  copy(): void;
  /** The header under the pointer; -1 for none. */
  hover(column: number): void;
  /** The whole text of a cell, where it does not fit; empty otherwise. */
  wholeText(region: string, row: number, column: number, width: number): string;
  /** Whether the funnel of a header is at its left. */
  isFunnelLeft(column: number): boolean;
}

const EDGE = 6;
const TIP_DELAY_MS = 350;

export class GridMouse extends BasicMouseHandler {
  constructor(private readonly actions: IGridActions) {
    super();
  }

  override dispose(): void {
    this.hideTip();
    super.dispose();
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    this.hideTip();
    this.pressed = event.button === 0 ? this.headerAt(grid, event) : null;
    if (!this.pressed) {
      super.onMouseDown(grid, event);
    }
  }

  override onMouseUp(grid: DataGrid, event: MouseEvent): void {
    const pressed = this.pressed;
    this.pressed = null;
    super.onMouseUp(grid, event);
    const hit = pressed && this.headerAt(grid, event);
    if (!hit || hit.column !== pressed.column) {
      return;
    }
    if (hit.isFunnel) {
      this.actions.filter(hit.column, hit.place);
    } else {
      this.actions.sort(hit.column, event.shiftKey);
    }
  }

  override onMouseHover(grid: DataGrid, event: MouseEvent): void {
    super.onMouseHover(grid, event);
    const header = this.headerAt(grid, event);
    this.actions.hover(header?.column ?? -1);
    if (header) {
      grid.viewport.node.style.cursor = 'pointer';
    }
    const { region, row, column, x, y, width } = grid.hitTest(event.clientX, event.clientY);
    const cell = `${region}/${row}/${column}`;
    if (cell !== this.tipCell) {
      this.hideTip();
      this.tipCell = cell;
      const text = region === 'void' ? '' : this.actions.wholeText(region, row, column, width);
      if (text) {
        const place: [number, number] = [event.clientX - x, event.clientY - y];
        this.timer = window.setTimeout(() => this.showTip(text, place), TIP_DELAY_MS);
      }
    }
  }

  override onMouseLeave(grid: DataGrid, event: MouseEvent): void {
    super.onMouseLeave(grid, event);
    this.actions.hover(-1);
    this.hideTip();
  }

  override onMouseDoubleClick(grid: DataGrid, event: MouseEvent): void {
    const { region, column, x, width } = grid.hitTest(event.clientX, event.clientY);
    if (region === 'column-header' && x < EDGE && column > 0) {
      this.actions.fit(column - 1);
    } else if (region === 'column-header' && width - x <= EDGE) {
      this.actions.fit(column);
    }
  }

  override onWheel(grid: DataGrid, event: WheelEvent): void {
    this.hideTip();
    super.onWheel(grid, event);
  }

  /** The header a pointer is on, away from its edges, which are for its width. */
  private headerAt(
    grid: DataGrid,
    event: MouseEvent
  ): { column: number; isFunnel: boolean; place: DOMRect } | null {
    const { region, column, x, y, width, height } = grid.hitTest(event.clientX, event.clientY);
    if (region !== 'column-header' || x < EDGE || width - x <= EDGE) {
      return null;
    }
    const inside = this.actions.isFunnelLeft(column) ? x : width - x;
    const isFunnel = inside <= FILTER_BUTTON.width && y <= FILTER_BUTTON.height;
    const place = new DOMRect(event.clientX - x, event.clientY - y, width, height);
    return { column, isFunnel, place };
  }

  private showTip(text: string, [left, top]: [number, number]): void {
    const tip = document.createElement('div');
    tip.className = 'jp-Blocks-tip';
    tip.textContent = text;
    document.body.appendChild(tip);
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(left, window.innerWidth - width - 8))}px`;
    tip.style.top = `${top + 24 + height > window.innerHeight ? top - height - 2 : top + 24}px`;
    this.tip = tip;
  }

  private hideTip(): void {
    window.clearTimeout(this.timer);
    this.tip?.remove();
    this.tip = null;
    this.tipCell = '';
  }

  private pressed: { column: number } | null = null;
  private timer = 0;
  private tip: HTMLElement | null = null;
  private tipCell = '';
}

/** Enter sorts by the column of the cursor, Alt+Down filters it, Tab goes on in the page. */
export class GridKeys extends BasicKeyHandler {
  constructor(private readonly actions: IGridActions) {
    super();
  }

  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    const column = grid.selectionModel?.cursorColumn ?? -1;
    if (event.key === 'Tab' || (event.key === 'Enter' && column < 0)) {
      return;
    }
    if (event.key === 'Enter') {
      this.actions.sort(column, event.shiftKey);
    } else if (event.altKey && event.key === 'ArrowDown' && column >= 0) {
      const { left, top } = grid.viewport.node.getBoundingClientRect();
      const x = left + grid.headerWidth + grid.columnOffset('body', column) - grid.scrollX;
      this.actions.filter(column, new DOMRect(x, top, grid.columnSize('body', column), grid.headerHeight));
    } else {
      super.onKeyDown(grid, event);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  protected override onKeyC(_grid: DataGrid, event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      this.actions.copy();
    }
  }
}
