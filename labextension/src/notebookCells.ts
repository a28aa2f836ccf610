/**
 * Cells of an open notebook: their roles, changes to them, and the way there.
 */
import type { Cell, CodeCell, ICellModel } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

import { readRole, retagged, tagsOf, type ICellRole } from './tags';

const METADATA_KEY = 'jupyter_blocks';
const DIRECTIVE_LINE = /^\s*#\s*\|\s*block\s*:.*(\n|$)/;

/** Tags of a cell; none where its metadata holds anything else under that name. */
export function tagsOfCell(cell: ICellModel): string[] {
  const tags: unknown = cell.getMetadata('tags');
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
}

/** What a cell is for. */
export function roleOfCell(cell: ICellModel): ICellRole {
  return readRole(tagsOfCell(cell), cell.sharedModel.getSource());
}

/** Whether any code cell has a role: whether the notebook is a pipeline. */
export function hasBlocks(panel: NotebookPanel): boolean {
  for (const cell of panel.model?.cells ?? []) {
    if (cell.type === 'code' && roleOfCell(cell).role === 'block') {
      return true;
    }
  }
  return false;
}

/** Give a cell a role: in its tags, or in its first line where that says it now. */
export function setRole(cell: ICellModel, role: ICellRole): void {
  const source = cell.sharedModel.getSource();
  if (DIRECTIVE_LINE.test(source)) {
    const words = tagsOf(role).join(' ');
    const line = words ? `#| block: ${words}\n` : '';
    cell.sharedModel.setSource(source.replace(DIRECTIVE_LINE, line));
    setTags(cell, retagged(tagsOfCell(cell), { ...role, role: 'none', upstream: [] }));
  } else {
    setTags(cell, retagged(tagsOfCell(cell), role));
  }
}

function setTags(cell: ICellModel, tags: string[]): void {
  // Inside of a transaction that can be undone, as an edit of the text can.
  cell.sharedModel.transact(() => {
    if (tags.length > 0) {
      cell.setMetadata('tags', tags);
    } else {
      cell.deleteMetadata('tags');
    }
  });
}

/** Executor that the settings of a cell name; empty for the usual one. */
export function executorOfCell(cell: ICellModel): string {
  const settings = cell.getMetadata(METADATA_KEY) as { executor?: unknown } | undefined;
  return typeof settings?.executor === 'string' ? settings.executor : '';
}

/** Set the executor of a cell; empty for the usual one. Other settings stay. */
export function setExecutor(cell: ICellModel, executor: string): void {
  const known = (cell.getMetadata(METADATA_KEY) ?? {}) as Record<string, unknown>;
  const { executor: _old, ...others } = known;
  const settings = executor ? { ...others, executor } : others;
  if (Object.keys(settings).length > 0) {
    cell.setMetadata(METADATA_KEY, settings);
  } else if (METADATA_KEY in cell.metadata) {
    cell.deleteMetadata(METADATA_KEY);
  }
}

/** The widget of the cell with an id. */
export function cellWithId(panel: NotebookPanel, id: string): Cell | undefined {
  return panel.content.widgets.find(cell => cell.model.id === id);
}

/** Bring a cell into sight and make it the active one; with `line` (from 1) put the cursor there. */
export async function goToCell(panel: NotebookPanel, index: number, line?: number): Promise<void> {
  const cell = panel.content.widgets[index];
  if (!cell) {
    return;
  }
  panel.content.activeCellIndex = index;
  await NotebookActions.focusActiveCell(panel.content);
  await panel.content.scrollToCell(cell, 'center').catch(() => undefined);
  if (line) {
    (cell as CodeCell).editor?.setCursorPosition({ line: line - 1, column: 0 });
  }
}
