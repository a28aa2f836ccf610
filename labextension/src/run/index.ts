/**
 * Runs in the main area: how they are opened, and found again after a reload.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';

import type { BlocksModel } from '../model';
import { goToCell } from '../notebookCells';
import type { IRunEvent } from '../tokens';
import { RunModel } from './runModel';
import { RunView } from './runView';

export const OPEN_RUN = 'jupyter-blocks:open-run';

export interface IRunViewOptions {
  app: JupyterFrontEnd;
  /** Knows the run that is followed, and its project. */
  model: BlocksModel;
  events: ISignal<unknown, IRunEvent>;
  documents: IDocumentManager | null;
  restorer: ILayoutRestorer | null;
  trans: TranslationBundle;
}

/** Add the command that opens a run, and reopen those that were open. */
export function addRunViews(options: IRunViewOptions): void {
  const { app, model, restorer, trans } = options;
  const tracker = new WidgetTracker<MainAreaWidget<RunView>>({ namespace: 'jupyter-blocks-runs' });
  app.commands.addCommand(OPEN_RUN, {
    label: trans.__('Show the Run'),
    isEnabled: args => Boolean(args['run_id']) || (model.run !== null && model.project !== null),
    execute: args => {
      const run_id = (args['run_id'] as string | undefined) ?? model.run?.run_id;
      const project = (args['project'] as string | undefined) ?? model.project;
      if (!run_id || project === null) {
        return;
      }
      const open = tracker.find(one => one.content.model.place.run_id === run_id);
      const widget = open ?? makeView(options, project, run_id);
      if (!open) {
        void tracker.add(widget);
      }
      if (!widget.isAttached) {
        app.shell.add(widget, 'main', { type: 'Blocks' });
      }
      app.shell.activateById(widget.id);
    }
  });
  void restorer?.restore(tracker, {
    command: OPEN_RUN,
    args: widget => ({ ...widget.content.model.place }),
    name: widget => widget.content.model.place.run_id
  });
}

function makeView(options: IRunViewOptions, project: string, run_id: string): MainAreaWidget<RunView> {
  const { app, events, trans } = options;
  const model = new RunModel(options.model.api, { project, run_id }, events);
  const content = new RunView({
    model,
    trans,
    actions: {
      goTo: (notebook, cell, line) => void goTo(options, PathExt.join(project, notebook), cell, line),
      open: (place, run) => void app.commands.execute(OPEN_RUN, { project: place, run_id: run })
    }
  });
  const widget = new MainAreaWidget({ content });
  widget.id = `${content.id}-tab`;
  widget.toolbar.hide();
  return widget;
}

async function goTo(
  { documents }: IRunViewOptions,
  path: string,
  cell: number,
  line: number | null
): Promise<void> {
  const panel = documents?.openOrReveal(path) as NotebookPanel | undefined;
  await panel?.context?.ready;
  if (panel && !panel.isDisposed && panel.content?.widgets) {
    await panel.revealed;
    await goToCell(panel, cell - 1, line ?? undefined);
  }
}
