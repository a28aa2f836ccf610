/**
 * What an export would change in the files of the project, shown before anything is overwritten.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IConflict, IExport, IExportedFile } from './tokens';

/** What to do about files that differ; empty for nothing. */
export type Answer = '' | 'write' | 'take';

/** Show what would change; resolves to what one wants. */
export async function confirmExport(found: IExport, trans: TranslationBundle): Promise<Answer> {
  const changes = found.files.filter(file => file.state !== 'unchanged');
  if (changes.length === 0) {
    await showDialog({
      title: trans.__('The files are as the notebook has them'),
      body: trans._n('%1 file of %2.', '%1 files of %2.', found.files.length, found.pipeline),
      buttons: [Dialog.okButton()]
    });
    return '';
  }
  const isLoss = changes.some(file => isByOthers(file));
  const body = ReactWidget.create(<Changes files={changes} trans={trans} />);
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-changes');
  const write = isLoss
    ? Dialog.warnButton({ label: trans.__('Overwrite') })
    : Dialog.okButton({ label: trans.__('Export') });
  const answer = await showDialog({
    title: isLoss
      ? trans.__('Files were changed by hand')
      : trans._n('Export changes %1 file', 'Export changes %1 files', changes.length),
    body,
    buttons: [
      Dialog.cancelButton(),
      ...(isLoss ? [Dialog.okButton({ label: TAKE(trans) })] : []),
      write
    ],
    defaultButton: 1
  });
  return !answer.button.accept ? '' : answer.button.label === TAKE(trans) ? 'take' : 'write';
}

const TAKE = (trans: TranslationBundle): string => trans.__('Take into the Notebook');

/** Show what was changed on both sides; resolves to whose lines to keep. */
export async function settleConflicts(
  conflicts: readonly IConflict[],
  trans: TranslationBundle
): Promise<Answer> {
  const body = ReactWidget.create(<Conflicts conflicts={conflicts} trans={trans} />);
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-changes');
  const theirs = trans.__('Keep the File’s');
  const answer = await showDialog({
    title: trans.__('Changed in the notebook and in the file'),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: theirs }),
      Dialog.warnButton({ label: trans.__('Keep the Notebook’s') })
    ],
    defaultButton: 0
  });
  return !answer.button.accept ? '' : answer.button.label === theirs ? 'take' : 'write';
}

function Conflicts(props: { conflicts: readonly IConflict[]; trans: TranslationBundle }): JSX.Element {
  const { conflicts, trans } = props;
  return (
    <>
      {conflicts.map((conflict, at) => (
        <section key={at}>
          <p>
            <code>{conflict.path}</code>
            {conflict.cell !== null && ` · ${trans.__('Cell %1', conflict.cell)}`}
          </p>
          <Lines title={trans.__('In the notebook')} lines={conflict.notebook} />
          <Lines title={trans.__('In the file')} lines={conflict.file} />
          {conflict.base && <Lines title={trans.__('As it was exported')} lines={conflict.base} />}
        </section>
      ))}
    </>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }): JSX.Element {
  return (
    <>
      <p className="jp-Blocks-when">{title}</p>
      <pre className="jp-Blocks-diff">{lines.join('\n')}</pre>
    </>
  );
}

/** Whether writing the file would undo what somebody wrote into it. */
export function isByOthers(file: IExportedFile): boolean {
  return file.state === 'edited';
}

function Changes({ files, trans }: { files: readonly IExportedFile[]; trans: TranslationBundle }): JSX.Element {
  return (
    <>
      {files.map(file => (
        <details key={file.path} open={isByOthers(file) || files.length === 1}>
          <summary>
            <code>{file.path}</code> <span className="jp-Blocks-pill">{stateWords(file, trans)}</span>
          </summary>
          <Diff text={file.diff} />
        </details>
      ))}
    </>
  );
}

function stateWords(file: IExportedFile, trans: TranslationBundle): string {
  switch (file.state) {
    case 'edited':
      return trans.__('changed by hand');
    case 'removed':
      return trans.__('goes away');
    default:
      return /^@@ -0,0 /m.test(file.diff) ? trans.__('new') : trans.__('changes');
  }
}

/** A unified diff, line by line. */
function Diff({ text }: { text: string }): JSX.Element {
  const lines = text.split('\n').filter(line => !/^(---|\+\+\+) /.test(line));
  return (
    <pre className="jp-Blocks-diff">
      {lines.map((line, at) => (
        <span key={at} data-mark={line.charAt(0)}>{`${line}\n`}</span>
      ))}
    </pre>
  );
}
