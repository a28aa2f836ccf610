/**
 * A notebook as the server wants it.
 */
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { PartialJSONObject, PartialJSONValue } from '@lumino/coreutils';

/** A notebook without its outputs, which no analysis needs and which may be large. */
export function contentOf(panel: NotebookPanel): PartialJSONValue {
  const cells: PartialJSONObject[] = [];
  for (const cell of panel.model?.cells ?? []) {
    const isCode = cell.type === 'code';
    cells.push({
      cell_type: cell.type,
      id: cell.id,
      metadata: { ...cell.metadata } as PartialJSONObject,
      source: cell.sharedModel.getSource(),
      ...(isCode ? { outputs: [], execution_count: (cell as ICodeCellModel).executionCount } : {})
    });
  }
  return {
    cells,
    metadata: { ...panel.model?.metadata } as PartialJSONObject,
    nbformat: 4,
    nbformat_minor: 5
  };
}
