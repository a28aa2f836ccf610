/**
 * The JupyterLab plugin. Only wires: state is in the model, looks are in panels and chips.
 */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';
import { Menu } from '@lumino/widgets';

import { BlocksApi } from './api';
import { attachChip } from './cellChip';
import { addCommands, CommandIds } from './commands';
import { duration } from './format';
import { watchKernel } from './kernel';
import { addLauncher } from './launcher';
import { BlocksModel } from './model';
import { cellWithId, goToCell } from './notebookCells';
import { addPreviewTabs, OPEN_VARIABLE } from './preview';
import { addRunViews } from './run';
import { PluginSettings } from './settings';
import { BlocksSidebar } from './sidebar';
import { addStatus } from './status';
import { IBlocks, type IRunEvent, type IRunState } from './tokens';

const RUN_SCHEMA = 'https://events.jupyter.org/jupyter_blocks/run/v1';
const SIDEBAR_RANK = 600;

const plugin: JupyterFrontEndPlugin<IBlocks> = {
  id: 'jupyter-blocks:plugin',
  description: 'Tag the cells of a notebook, and the notebook is a production pipeline.',
  autoStart: true,
  provides: IBlocks,
  requires: [INotebookTracker],
  optional: [
    ICommandPalette,
    ITranslator,
    ILayoutRestorer,
    IDocumentManager,
    IStatusBar,
    ILauncher,
    IDefaultFileBrowser,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    documents: IDocumentManager | null,
    statusBar: IStatusBar | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null,
    registry: ISettingRegistry | null
  ): IBlocks => {
    const trans = (translator ?? nullTranslator).load('jupyter_blocks');
    const model = new BlocksModel(new BlocksApi(app.serviceManager.serverSettings));
    const settings = new PluginSettings(registry, plugin.id);
    const events = runEvents(app);
    addRunViews({ app, model, events, documents, restorer, trans });
    addPreviewTabs({ app, model, events, palette, restorer, trans });
    addCommands({ app, model, trans, palette });
    addSidebar(app, model, restorer, trans);
    addStatus(app, model, statusBar, trans);
    addLauncher({ app, browser, documents, launcher, palette, trans });
    followNotebooks(tracker, model, settings, trans);
    settings.changed.connect(() =>
      document.body.classList.toggle('jp-mod-blocksNoOffers', !settings.value.offerTags)
    );
    events.connect((_, event) => model.onRunEvent(event));
    model.runEnded.connect((_, run) => {
      if (settings.value.notifications) {
        notify(app, model, run, trans);
      }
    });
    model.changed.connect(() => Object.values(CommandIds).forEach(id => app.commands.notifyCommandChanged(id)));
    return model;
  }
};

function addSidebar(
  app: JupyterFrontEnd,
  model: BlocksModel,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const menu = new Menu({ commands });
  for (const command of [CommandIds.runAll, CommandIds.runFrom, CommandIds.runOnly]) {
    menu.addItem({ command });
  }
  menu.addItem({ type: 'separator' });
  for (const command of [CommandIds.plan, CommandIds.export_]) {
    menu.addItem({ command });
  }
  const sidebar = new BlocksSidebar({
    model,
    trans,
    actions: {
      run: () => void commands.execute(CommandIds.runChanged),
      cancel: () => void commands.execute(CommandIds.cancel),
      suggest: () => void commands.execute(CommandIds.suggest),
      insert: () => void commands.execute(CommandIds.insert),
      export: () => void commands.execute(CommandIds.export_),
      openRun: run_id => void commands.execute(CommandIds.openRun, { run_id }),
      openOutput: ({ block, name }) =>
        void commands.execute(OPEN_VARIABLE, {
          project: model.project ?? '',
          pipeline: model.analysis?.pipeline ?? '',
          block,
          output: name
        }),
      menu: anchor => {
        const { left, bottom } = anchor.getBoundingClientRect();
        menu.open(left, bottom);
      }
    }
  });
  app.shell.add(sidebar, 'left', { rank: SIDEBAR_RANK, type: 'Blocks' });
  restorer?.add(sidebar, sidebar.id);
}

function followNotebooks(
  tracker: INotebookTracker,
  model: BlocksModel,
  settings: PluginSettings,
  trans: TranslationBundle
): void {
  tracker.currentChanged.connect((_, panel) => void model.show(panel));
  tracker.widgetAdded.connect((_, panel) => watchNotebook(panel, model, settings, trans));
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
  tracker.forEach(panel => watchNotebook(panel, model, settings, trans));
}

function watchNotebook(
  panel: NotebookPanel,
  model: BlocksModel,
  settings: PluginSettings,
  trans: TranslationBundle
): void {
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
      watchKernel(panel, model, settings, trans);
    }
  });
}

/** What the server tells of runs, whoever started them. */
function runEvents(app: JupyterFrontEnd): ISignal<unknown, IRunEvent> {
  const events = new Signal<unknown, IRunEvent>(app);
  app.serviceManager.events.stream.connect((_, event) => {
    if (event.schema_id === RUN_SCHEMA) {
      events.emit(event as unknown as IRunEvent);
    }
  });
  return events;
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
          label: trans.__('Show the cell'),
          callback: () => {
            app.shell.activateById('jupyter-blocks');
            model.reveal(name);
          }
        },
        {
          label: trans.__('Show the run'),
          callback: () => void app.commands.execute(CommandIds.openRun, { run_id: run.run_id })
        }
      ]
    });
  }
}

export { IBlocks };
export default plugin;
