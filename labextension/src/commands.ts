/**
 * Commands, for palette, menus, toolbar and sidebar alike.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog, type ICommandPalette } from '@jupyterlab/apputils';
import { addIcon, ReactWidget, stopIcon } from '@jupyterlab/ui-components';
import type { CodeCell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CellChip } from './cellChip';
import { asBlocksError, type BlocksError } from './errors';
import { confirmExport, isByOthers, settleConflicts } from './exportDialog';
import { openGallery } from './gallery';
import { blocksIcon } from './icons';
import type { BlocksModel } from './model';
import { OPEN_RUN } from './run';
import { PlanTable } from './run/planTable';
import type { IRunRequest } from './tokens';

export namespace CommandIds {
  export const open = 'jupyter-blocks:open';
  export const runChanged = 'jupyter-blocks:run-changed';
  export const runAll = 'jupyter-blocks:run-all';
  export const runFrom = 'jupyter-blocks:run-from';
  export const runOnly = 'jupyter-blocks:run-only';
  export const plan = 'jupyter-blocks:plan';
  export const cancel = 'jupyter-blocks:cancel';
  export const openRun = OPEN_RUN;
  export const export_ = 'jupyter-blocks:export';
  export const insert = 'jupyter-blocks:insert';
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
  app.commands.addCommand(CommandIds.plan, {
    label: trans.__('Show What Would Run …'),
    isEnabled: canRun,
    execute: () => told(showPlan(model, trans))
  });
  app.commands.addCommand(CommandIds.export_, {
    label: trans.__('Export Block Files …'),
    isEnabled: () => (model.analysis?.blocks.length ?? 0) > 0,
    execute: () => exportFiles(model, trans)
  });
  app.commands.addCommand(CommandIds.cancel, {
    label: trans.__('Cancel the Run'),
    icon: stopIcon,
    isEnabled: () => model.run?.status === 'RUNNING',
    execute: () => model.cancel()
  });
}

/** Start a run; where files were changed by hand, show what would be lost first. */
async function run(model: BlocksModel, request: IRunRequest, trans: TranslationBundle): Promise<void> {
  try {
    await model.start(request);
  } catch (error) {
    const fault = asBlocksError(error);
    if (!fault.problems.some(problem => problem.code === 'edited-file')) {
      tell(fault);
    } else if (await exportFiles(model, trans)) {
      await told(model.start(request));
    }
  }
}

/** Show what an export would change, and write it if that is wanted; whether it was. */
async function exportFiles(model: BlocksModel, trans: TranslationBundle): Promise<boolean> {
  try {
    const found = await model.export({ check: true });
    const answer = await confirmExport(found, trans);
    if (answer === 'take') {
      return await takeBack(model, trans);
    }
    if (!answer) {
      return false;
    }
    const done = await model.export({ force: found.files.some(isByOthers) });
    const written = done.files.filter(file => file.state !== 'unchanged').length;
    Notification.success(trans._n('Exported: %1 file has changed', 'Exported: %1 files have changed', written), {
      autoClose: 3000
    });
    return true;
  } catch (error) {
    tell(asBlocksError(error));
    return false;
  }
}

/** Bring into the notebook what was changed in its files; whether both agree then. */
async function takeBack(model: BlocksModel, trans: TranslationBundle): Promise<boolean> {
  const taken = await model.takeBack(false);
  if (taken.conflicts.length > 0) {
    const answer = await settleConflicts(taken.conflicts, trans);
    if (!answer) {
      return false;
    }
    await (answer === 'take' ? model.takeBack(true) : model.export({ force: true }));
  }
  return true;
}

/** Show what a run would do, without running anything. */
async function showPlan(model: BlocksModel, trans: TranslationBundle): Promise<void> {
  const plan = await model.plan({ changed: true });
  const words = { run: trans.__('runs'), cached: trans.__('stays'), skipped: trans.__('skipped') };
  const rows = plan.blocks.map(block => ({
    ...block,
    action: words[block.action],
    executorReason: block.executor_reason
  }));
  const number = plan.blocks.filter(block => block.action === 'run').length;
  const body = ReactWidget.create(React.createElement(PlanTable, { rows, trans }));
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-planDialog');
  const answer = await showDialog({
    title: trans.__('%1 of %2 blocks would run', number, rows.length),
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Run Them') })]
  });
  if (answer.button.accept) {
    await run(model, { changed: true }, trans);
  }
}

/** Wait for something, and tell what went wrong. */
async function told(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    tell(asBlocksError(error));
  }
}

function tell(fault: BlocksError): void {
  const problems = fault.problems.slice(0, 3).map(problem => {
    const place = problem.cell ? `Cell ${problem.cell}: ` : '';
    return `${place}${problem.message} ${problem.hint ?? ''}`;
  });
  const lines = problems.length > 0 ? problems : [fault.message, fault.hint];
  Notification.error(lines.filter(Boolean).join('\n'), { autoClose: false });
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
  app.commands.addCommand(CommandIds.insert, {
    label: trans.__('Insert a Block …'),
    icon: addIcon,
    isEnabled: () => model.panel !== null,
    execute: () =>
      openGallery(model.panel!, (model.analysis?.blocks ?? []).map(block => block.name), trans)
  });
  app.commands.addCommand(CommandIds.suggest, {
    label: trans.__('Make Pipeline …'),
    isEnabled: () => model.panel !== null,
    execute: () => {
      app.shell.activateById('jupyter-blocks');
      return told(model.suggest());
    }
  });
}
