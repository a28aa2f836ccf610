/**
 * The line above a code cell that says which block it is; and, where it is none, a quiet offer.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CodeCell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import { figuresOf, stateOf } from './blockState';
import type { IBlockType } from './blockTypes';
import { openCellForm } from './cellForm';
import { iconOf } from './icons';
import type { BlocksModel } from './model';
import { executorOfCell, roleOfCell } from './notebookCells';
import { StateIcon } from './stateIcon';
import type { ICellRole } from './tags';
import type { IAnalyzedBlock } from './tokens';

const MARK = 'jp-Blocks-cell';

export class CellChip extends ReactWidget {
  constructor(
    private readonly cell: CodeCell,
    private readonly model: BlocksModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Blocks');
    this.addClass('jp-Blocks-chip');
    cell.model.metadataChanged.connect(this._changed, this);
    model.changed.connect(this._changed, this);
    this._changed();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.cell.model?.metadataChanged.disconnect(this._changed, this);
      this.model.changed.disconnect(this._changed, this);
      super.dispose();
    }
  }

  /** Open the form that changes what the cell is for. */
  edit(): void {
    openCellForm(this.cell.model, this.node, this.model, this.trans);
  }

  protected override render(): JSX.Element | null {
    if (this.cell.isDisposed) {
      return null;
    }
    const role = roleOfCell(this.cell.model);
    const block = this.model.blockOfCell(this.cell.model.id);
    return role.role === 'none' && !block ? (
      <button className="jp-Blocks-tagButton" onClick={() => this.edit()}>
        {this.trans.__('Tag this cell')}
      </button>
    ) : (
      <Chip
        role={role}
        block={block}
        executor={executorOfCell(this.cell.model)}
        model={this.model}
        trans={this.trans}
        edit={() => this.edit()}
      />
    );
  }

  private _changed(): void {
    if (this.isDisposed || this.cell.isDisposed) {
      return;
    }
    const role = roleOfCell(this.cell.model);
    const isNone = role.role === 'none';
    this.toggleClass('jp-mod-untagged', isNone);
    this.cell.toggleClass(MARK, !isNone && role.role !== 'skip');
    const type = this.model.blockOfCell(this.cell.model.id)?.type;
    for (const name of ['loader', 'transformer', 'exporter', 'sensor', 'custom', 'setup', 'parameters']) {
      this.cell.toggleClass(`jp-Blocks-${name}`, classOf(role, type) === name);
    }
    this.update();
  }
}

function classOf(role: ICellRole, type: string | undefined): string {
  if (role.role === 'block' || role.role === 'continue') {
    return role.type?.tag ?? type?.replace('data_', '') ?? 'custom';
  }
  return role.role;
}

/** Put a chip on a cell, once. */
export function attachChip(cell: CodeCell, model: BlocksModel, trans: TranslationBundle): void {
  const layout = cell.layout as PanelLayout | null;
  if (!layout || cell.isDisposed || layout.widgets.some(widget => widget instanceof CellChip)) {
    return;
  }
  layout.insertWidget(Math.min(1, layout.widgets.length), new CellChip(cell, model, trans));
}

interface IChipProps {
  role: ICellRole;
  block: IAnalyzedBlock | undefined;
  executor: string;
  model: BlocksModel;
  trans: TranslationBundle;
  edit: () => void;
}

function Chip(props: IChipProps): JSX.Element {
  const { block, edit, executor, role, trans } = props;
  const label = labelOf(role, trans);
  const Icon = iconOf(role.type?.tag ?? role.role);
  const isFirst = role.role === 'block';
  return (
    <div className="jp-Blocks-chipLine">
      <button className="jp-Blocks-chipButton" onClick={edit} title={trans.__('Change what this cell is for')}>
        <Icon.react className="jp-Blocks-typeIcon" tag="span" />
        <span className="jp-Blocks-typeName">{label}</span>
        {isFirst && <span className="jp-Blocks-blockName">{block?.name ?? role.name}</span>}
      </button>
      {isFirst && block && <Flow block={block} />}
      <span className="jp-Blocks-space" />
      {isFirst && executor && <span className="jp-Blocks-pill">{executor}</span>}
      {isFirst && block && <State {...props} block={block} />}
    </div>
  );
}

function labelOf(role: ICellRole, trans: TranslationBundle): string {
  const type: IBlockType | undefined = role.type;
  const labels: Record<ICellRole['role'], string> = {
    none: '',
    block: type?.label(trans) ?? trans.__('Block'),
    setup: trans.__('Setup'),
    parameters: trans.__('Parameters'),
    continue: trans.__('Continues the block above'),
    test: trans.__('Test of %1', role.name),
    skip: trans.__('Skipped')
  };
  return labels[role.role];
}

/** `flights, weather → joined`, with the reason of each on hover. */
function Flow({ block }: { block: IAnalyzedBlock }): JSX.Element | null {
  const inputs = [...Object.keys(block.inputs), ...block.parameters];
  if (inputs.length === 0 && block.outputs.length === 0) {
    return null;
  }
  const reasons = block.edges.map(edge => edge.reason).join('\n');
  return (
    <code className="jp-Blocks-flow" title={reasons || undefined}>
      {[inputs.join(', '), '→', block.outputs.join(', ')].filter(Boolean).join(' ')}
    </code>
  );
}

function State(props: IChipProps & { block: IAnalyzedBlock }): JSX.Element {
  const { block, model, trans } = props;
  const state = stateOf(block, model.run, trans);
  const numbers = state.name === 'running' ? '' : figuresOf(model, block);
  return (
    <button
      className={`jp-Blocks-chipState jp-mod-${state.name}`}
      title={state.reason || undefined}
      onClick={() => model.select(block.name)}
    >
      {numbers && <span className="jp-Blocks-figures">{numbers}</span>}
      <StateIcon name={state.name} label="" />
      <span>{state.label}</span>
    </button>
  );
}
