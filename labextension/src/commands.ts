/**
 * Commands, for palette, menus, toolbar and sidebar alike.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog, type ICommandPalette } from '@jupyterlab/apputils';
import { addIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CodeCell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { blockType } from './blockTypes';
import { CellChip } from './cellChip';
import { BlocksError } from './errors';
import { blocksIcon } from './icons';
import type { BlocksModel } from './model';
import { cellWithId, setRole } from './notebookCells';
import { readRole } from './tags';
import type { IRunRequest } from './tokens';

export namespace CommandIds {
  export const open = 'jupyter-blocks:open';
  export const runChanged = 'jupyter-blocks:run-changed';
  export const runAll = 'jupyter-blocks:run-all';
  export const runFrom = 'jupyter-blocks:run-from';
  export const runOnly = 'jupyter-blocks:run-only';
  export const cancel = 'jupyter-blocks:cancel';
  export const tagCell = 'jupyter-blocks:tag-cell';
  export const suggest = 'jupyter-blocks:suggest';
}

interface IContext {
  app: JupyterFrontEnd;
  model: BlocksModel;
  trans: TranslationBundle;
  palette: ICommandPalette | null;
}

/** Add every command. */
export function addCommands(context: IContext): void {
  addRuns(context);
  addTagging(context);
  const { app, palette, trans } = context;
  app.commands.addCommand(CommandIds.open, {
    label: trans.__('Show Blocks'),
    icon: blocksIcon,
    execute: () => app.shell.activateById('jupyter-blocks')
  });
  for (const command of Object.values(CommandIds)) {
    palette?.addItem({ command, category: trans.__('Blocks') });
  }
}

function addRuns({ app, model, trans }: IContext): void {
  const canRun = (): boolean =>
    (model.analysis?.blocks.length ?? 0) > 0 && model.run?.status !== 'RUNNING' && !model.isStarting;
  const add = (
    id: string,
    label: string,
    request: () => IRunRequest,
    isEnabled: () => boolean = canRun
  ): void => {
    app.commands.addCommand(id, {
      label,
      icon: id === CommandIds.runChanged ? blocksIcon : undefined,
      isEnabled,
      execute: () => run(model, request(), trans)
    });
  };
  const isSelected = (): boolean => canRun() && model.selected !== '';
  add(CommandIds.runChanged, trans.__('Run Changed Blocks'), () => ({ changed: true }));
  add(CommandIds.runAll, trans.__('Run All Blocks'), () => ({}));
  add(CommandIds.runFrom, trans.__('Run from the Selected Block'), () => ({ from_block: model.selected }), isSelected);
  add(CommandIds.runOnly, trans.__('Run Only the Selected Block'), () => ({ blocks: [model.selected] }), isSelected);
  app.commands.addCommand(CommandIds.cancel, {
    label: trans.__('Cancel the Run'),
    icon: stopIcon,
    isEnabled: () => model.run?.status === 'RUNNING',
    execute: () => model.cancel()
  });
}

async function run(model: BlocksModel, request: IRunRequest, trans: TranslationBundle): Promise<void> {
  try {
    await model.start(request);
  } catch (error) {
    const fault = error instanceof BlocksError ? error : new BlocksError(String(error));
    const first = fault.problems[0];
    const place = first?.cell ? trans.__('Cell %1: ', first.cell) : '';
    Notification.error([fault.message, first ? `${place}${first.message}` : '', fault.hint].filter(Boolean).join('\n'));
  }
}

function addTagging({ app, model, trans }: IContext): void {
  app.commands.addCommand(CommandIds.tagCell, {
    label: trans.__('Tag Cell as Block …'),
    icon: addIcon,
    isEnabled: () => model.panel?.content.activeCell?.model.type === 'code',
    execute: () => {
      const cell = model.panel?.content.activeCell as CodeCell | undefined;
      const chip = [...(cell?.layout ?? [])].find(widget => widget instanceof CellChip);
      (chip as CellChip | undefined)?.edit();
    }
  });
  app.commands.addCommand(CommandIds.suggest, {
    label: trans.__('Make Pipeline …'),
    isEnabled: () => model.panel !== null,
    execute: () => suggest(model, trans)
  });
}

/** Show what the cells could be, and tag them if that is wanted. */
async function suggest(model: BlocksModel, trans: TranslationBundle): Promise<void> {
  const panel = model.panel!;
  const proposals = await model.suggest();
  const list = document.createElement('ul');
  list.className = 'jp-Blocks-proposals';
  for (const proposal of proposals) {
    const item = list.appendChild(document.createElement('li'));
    const place = item.appendChild(document.createElement('b'));
    place.textContent = trans.__('Cell %1', proposal.cell);
    const tag = item.appendChild(document.createElement('code'));
    tag.textContent = proposal.tag;
    tag.className = blockType(proposal.tag.split(':')[0]!)?.className ?? '';
    item.appendChild(document.createElement('span')).textContent = proposal.reason;
  }
  const body = new Widget({ node: list });
  const answer = await showDialog({
    title: trans.__('Make a pipeline of %1 cells?', proposals.length),
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Tag the Cells') })]
  });
  if (!answer.button.accept) {
    return;
  }
  for (const proposal of proposals) {
    const cell = proposal.id
      ? cellWithId(panel, proposal.id)
      : panel.content.widgets[proposal.cell - 1];
    if (cell) {
      setRole(cell.model, readRole([proposal.tag], ''));
    }
  }
}
