/**
 * A new notebook that is a small pipeline from the start.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification, type ICommandPalette } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID, type PartialJSONValue } from '@lumino/coreutils';

import { asBlocksError } from './errors';
import { blocksIcon } from './icons';

export const NEW_PIPELINE = 'jupyter-blocks:new-pipeline';

interface IContext {
  app: JupyterFrontEnd;
  browser: IDefaultFileBrowser | null;
  documents: IDocumentManager | null;
  launcher: ILauncher | null;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
}

/** Add the card to the launcher, and the command behind it. */
export function addLauncher(context: IContext): void {
  const { app, browser, documents, launcher, palette, trans } = context;
  if (!documents) {
    return;
  }
  app.commands.addCommand(NEW_PIPELINE, {
    label: args => (args['isLauncher'] ? trans.__('Pipeline Notebook') : trans.__('New Pipeline Notebook')),
    caption: trans.__('A notebook whose cells are blocks of a pipeline'),
    icon: blocksIcon,
    execute: async args => {
      const folder = (args['cwd'] as string | undefined) ?? browser?.model.path ?? '';
      try {
        const path = await create(app, documents.services.contents, folder);
        documents.openOrReveal(path);
      } catch (error) {
        Notification.error(asBlocksError(error).message);
      }
    }
  });
  launcher?.add({
    command: NEW_PIPELINE,
    args: { isLauncher: true },
    category: trans.__('Other'),
    rank: 0
  });
  palette?.addItem({ command: NEW_PIPELINE, category: trans.__('Blocks') });
}

async function create(
  app: JupyterFrontEnd,
  contents: Contents.IManager,
  folder: string
): Promise<string> {
  await app.serviceManager.kernelspecs.ready;
  const specs = app.serviceManager.kernelspecs.specs;
  const name = specs?.default ?? 'python3';
  const display_name = specs?.kernelspecs[name]?.display_name ?? 'Python 3';
  const { path } = await contents.newUntitled({ path: folder, type: 'notebook' });
  const content = firstNotebook({ name, display_name, language: 'python' });
  await contents.save(path, { type: 'notebook', format: 'json', content });
  return path;
}

/** Parameters, a loader, a transformer and an exporter that run as they are. */
function firstNotebook(kernelspec: Record<string, string>): PartialJSONValue {
  return {
    cells: [
      markdown('# A pipeline\n\nEach tagged cell is a block. Run them from the sidebar.'),
      code(['parameters'], 'rows = 100'),
      code(['loader:load_data'], 'import pandas as pd\n\ndata = pd.DataFrame({"value": range(rows)})'),
      code(
        ['transformer:summary'],
        'summary = data.assign(group=data["value"] % 3).groupby("group", as_index=False)["value"].mean()'
      ),
      code(['exporter:write_summary'], 'summary.to_csv("summary.csv", index=False)')
    ],
    metadata: { kernelspec, language_info: { name: 'python' } },
    nbformat: 4,
    nbformat_minor: 5
  };
}

function markdown(source: string): PartialJSONValue {
  return { cell_type: 'markdown', id: UUID.uuid4(), metadata: {}, source };
}

function code(tags: string[], source: string): PartialJSONValue {
  return {
    cell_type: 'code',
    id: UUID.uuid4(),
    metadata: { tags },
    source,
    outputs: [],
    execution_count: null
  };
}
