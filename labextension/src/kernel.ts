/**
 * Loads the kernel extension in notebooks with blocks, silently, and says what to install where the
 * kernel lacks it.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import { Notification } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { BlocksModel } from './model';
import { hasBlocks } from './notebookCells';
import type { PluginSettings } from './settings';

const LOAD =
  "get_ipython().run_line_magic('load_ext', 'jupyter_blocks')\n" +
  "__import__('sys').modules.get('jupyter_blocks') is not None";

/** Kernels that have been asked, so that nobody is told twice. */
const asked = new WeakSet<Kernel.IKernelConnection>();

/** Keep the kernel extension loaded in the kernel of a notebook. */
export function watchKernel(
  panel: NotebookPanel,
  model: BlocksModel,
  settings: PluginSettings,
  trans: TranslationBundle
): void {
  const check = (): void => {
    const kernel = panel.sessionContext.session?.kernel;
    if (kernel && settings.value.loadKernelExtension && !asked.has(kernel) && !panel.isDisposed && hasBlocks(panel)) {
      asked.add(kernel);
      void load(kernel, panel.sessionContext, trans);
    }
  };
  panel.sessionContext.ready.then(check, () => undefined);
  panel.sessionContext.kernelChanged.connect(check);
  panel.sessionContext.statusChanged.connect((_, status) => {
    if (status === 'restarting' || status === 'autorestarting') {
      const kernel = panel.sessionContext.session?.kernel;
      if (kernel) {
        asked.delete(kernel);
      }
      // Asked now, it stands in the queue before whatever is run next; the queue itself is emptied
      // right after this signal.
      void Promise.resolve().then(check);
    } else if (status === 'idle') {
      check();
    }
  });
  // After an analysis, not after each key.
  model.changed.connect(check);
  panel.disposed.connect(() => model.changed.disconnect(check));
}

async function load(
  kernel: Kernel.IKernelConnection,
  context: ISessionContext,
  trans: TranslationBundle
): Promise<void> {
  const info = await kernel.info;
  if (info.language_info.name !== 'python') {
    return;
  }
  const future = kernel.requestExecute({ code: LOAD, silent: true, store_history: false, stop_on_error: false });
  const reply = await future.done.catch(() => null);
  if (reply === null) {
    asked.delete(kernel); // the kernel was restarted meanwhile: it is asked again when it is idle
  } else if (reply.content.status === 'error') {
    Notification.warning(
      trans.__(
        'The kernel %1 has no Jupyter Blocks: cells run, but their inputs and outputs are not kept.',
        context.kernelDisplayName
      ) + ' pip install jupyter-blocks',
      { autoClose: 8000 }
    );
  }
}
