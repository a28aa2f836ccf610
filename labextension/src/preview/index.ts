/**
 * The tabs of outputs: one command opens them, the layout brings them back.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker, type ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { spreadsheetIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { BlocksModel } from '../model';
import type { IRunEvent } from '../tokens';
import { OutputModel, OutputTab, type IOutputName } from './tab';

export { PreviewPanel } from './panel';

export const OPEN_VARIABLE = 'jupyter-blocks:open-variable';

interface IContext {
  app: JupyterFrontEnd;
  model: BlocksModel;
  events: ISignal<unknown, IRunEvent>;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: TranslationBundle;
}

/** Add the command that opens an output; without arguments that of the selected block. */
export function addPreviewTabs({ app, model, events, palette, restorer, trans }: IContext): void {
  const { commands, shell } = app;
  const tracker = new WidgetTracker<OutputTab>({ namespace: 'jupyter-blocks-outputs' });
  const open = (name: IOutputName): OutputTab => {
    const known = tracker.find(tab => keyOf(tab.model.name) === keyOf(name));
    const openOther = (output: string): void => void commands.execute(OPEN_VARIABLE, { ...name, output });
    const tab = known ?? new OutputTab(new OutputModel(model.api, name), openOther, events, trans);
    if (!known) {
      tab.id = `jupyter-blocks-output-${keyOf(name)}`;
      void tracker.add(tab);
      shell.add(tab, 'main', { type: 'Blocks Output' });
    }
    shell.activateById(tab.id);
    return tab;
  };
  commands.addCommand(OPEN_VARIABLE, {
    label: trans.__('Open the Output in a Tab'),
    caption: trans.__('Rows, statistics, charts and changes of what a block has stored'),
    icon: spreadsheetIcon,
    isEnabled: args => nameOf(args, model) !== null,
    execute: args => {
      const name = nameOf(args, model);
      return name && open(name);
    }
  });
  palette?.addItem({ command: OPEN_VARIABLE, category: trans.__('Blocks') });
  model.changed.connect(() => commands.notifyCommandChanged(OPEN_VARIABLE));
  void restorer?.restore(tracker, {
    command: OPEN_VARIABLE,
    args: tab => ({ ...tab.model.name }),
    name: tab => keyOf(tab.model.name)
  });
}

function keyOf({ project, pipeline, block, output }: IOutputName): string {
  return [project, pipeline, block, output].map(encodeURIComponent).join('/');
}

/** The output that arguments name, or the first of the selected block; null for none. */
function nameOf(args: ReadonlyPartialJSONObject, model: BlocksModel): IOutputName | null {
  const { project, pipeline, block, output } = args;
  if (typeof project === 'string' && typeof pipeline === 'string' && typeof block === 'string' && typeof output === 'string') {
    return { project, pipeline, block, output };
  }
  const first = model.variables.find(variable => variable.block === model.selected);
  const { analysis } = model;
  return first && analysis && model.project !== null
    ? { project: model.project, pipeline: analysis.pipeline, block: first.block, output: first.name }
    : null;
}
