/**
 * The JupyterLab plugin. Only wires: state is in the model, looks are in panels and chips.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Menu } from '@lumino/widgets';

import { BlocksApi } from './api';
import { attachChip } from './cellChip';
import { addCommands, CommandIds } from './commands';
import { duration } from './format';
import { watchKernel } from './kernel';
import { BlocksModel } from './model';
import { cellWithId, goToCell } from './notebookCells';
import { BlocksSidebar } from './sidebar';
import { IBlocks, type IRunEvent, type IRunState } from './tokens';

const RUN_SCHEMA = 'https://events.jupyter.org/jupyter_blocks/run/v1';
const SIDEBAR_RANK = 600;

const plugin: JupyterFrontEndPlugin<IBlocks> = {
  id: 'jupyter-blocks:plugin',
  description: 'Tag the cells of a notebook, and the notebook is a production pipeline.',
  autoStart: true,
  provides: IBlocks,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): IBlocks => {
    const trans = (translator ?? nullTranslator).load('jupyter_blocks');
    const model = new BlocksModel(new BlocksApi(app.serviceManager.serverSettings));
    addCommands({ app, model, trans, palette });
    addSidebar(app, model, trans);
    followNotebooks(tracker, model, trans);
    followRuns(app, model, trans);
    model.changed.connect(() => Object.values(CommandIds).forEach(id => app.commands.notifyCommandChanged(id)));
    return model;
  }
};

function addSidebar(app: JupyterFrontEnd, model: BlocksModel, trans: TranslationBundle): void {
  const { commands } = app;
  const menu = new Menu({ commands });
  for (const command of [CommandIds.runAll, CommandIds.runFrom, CommandIds.runOnly]) {
    menu.addItem({ command });
  }
  const sidebar = new BlocksSidebar({
    model,
    trans,
    actions: {
      run: () => void commands.execute(CommandIds.runChanged),
      cancel: () => void commands.execute(CommandIds.cancel),
      suggest: () => void commands.execute(CommandIds.suggest),
      menu: anchor => {
        const { left, bottom } = anchor.getBoundingClientRect();
        menu.open(left, bottom);
      }
    }
  });
  app.shell.add(sidebar, 'left', { rank: SIDEBAR_RANK, type: 'Blocks' });
}

function followNotebooks(
  tracker: INotebookTracker,
  model: BlocksModel,
  trans: TranslationBundle
): void {
  tracker.currentChanged.connect((_, panel) => void model.show(panel));
  tracker.widgetAdded.connect((_, panel) => watchNotebook(panel, model, trans));
  tracker.activeCellChanged.connect((_, cell) => {
    const block = cell ? model.blockOfCell(cell.model.id) : undefined;
    if (block) {
      model.select(block.name);
    }
  });
  model.revealed.connect((_, name) => {
    const panel = model.panel;
    const id = model.block(name)?.cell_ids[0];
    const cell = panel && id ? cellWithId(panel, id) : undefined;
    if (panel && cell) {
      void goToCell(panel, panel.content.widgets.indexOf(cell));
    }
  });
  void model.show(tracker.currentWidget);
  tracker.forEach(panel => watchNotebook(panel, model, trans));
}

function watchNotebook(panel: NotebookPanel, model: BlocksModel, trans: TranslationBundle): void {
  const addChips = (): void => {
    for (const cell of panel.content.widgets) {
      if (cell.model.type === 'code') {
        void cell.ready.then(() => attachChip(cell as CodeCell, model, trans));
      }
    }
  };
  void panel.context.ready.then(() => {
    if (!panel.isDisposed) {
      addChips();
      panel.content.model?.cells.changed.connect(addChips);
      watchKernel(panel, model, trans);
    }
  });
}

function followRuns(app: JupyterFrontEnd, model: BlocksModel, trans: TranslationBundle): void {
  app.serviceManager.events.stream.connect((_, event) => {
    if (event.schema_id === RUN_SCHEMA) {
      model.onRunEvent(event as unknown as IRunEvent);
    }
  });
  model.runEnded.connect((_, run) => notify(app, model, run, trans));
}

/** One notification per run; errors stay, with the way to them. */
function notify(
  app: JupyterFrontEnd,
  model: BlocksModel,
  run: IRunState,
  trans: TranslationBundle
): void {
  const failed = Object.entries(run.blocks).filter(([, block]) => block.status === 'FAILED');
  const time = run.started_at && run.finished_at ? duration(run.finished_at - run.started_at) : '';
  if (run.status === 'SUCCEEDED') {
    Notification.success(trans.__('%1 succeeded in %2', run.pipeline, time), { autoClose: 3000 });
  } else if (run.status === 'FAILED' && failed[0]) {
    const [name, block] = failed[0];
    Notification.error(trans.__('%1: block %2 failed. %3', run.pipeline, name, block.error?.message ?? ''), {
      autoClose: false,
      actions: [
        {
          label: trans.__('Show'),
          callback: () => {
            app.shell.activateById('jupyter-blocks');
            model.reveal(name);
          }
        }
      ]
    });
  }
}

export { IBlocks };
export default plugin;
