/**
 * The gallery of templates: choose one, and it is a tagged cell below the active one.
 */
import { Dialog } from '@jupyterlab/apputils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { blockType } from './blockTypes';
import { iconOf } from './icons';
import { goToCell, setRole } from './notebookCells';
import { readRole } from './tags';
import { freeName, matching, type ITemplate } from './templates';

/** Let one choose a template, and insert it. */
export async function openGallery(
  panel: NotebookPanel,
  taken: readonly string[],
  trans: TranslationBundle
): Promise<void> {
  const chosen: { template: ITemplate | null } = { template: null };
  const body = ReactWidget.create(
    <Gallery
      trans={trans}
      show={template => {
        chosen.template = template;
      }}
      take={() => dialog.resolve(1)}
    />
  );
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-gallery');
  const dialog = new Dialog({
    title: trans.__('Insert a block'),
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Insert') })],
    defaultButton: 1,
    focusNodeSelector: 'input'
  });
  const answer = await dialog.launch();
  if (answer.button.accept && chosen.template && !panel.isDisposed) {
    insertTemplate(panel, chosen.template, taken);
  }
}

/** Insert a template below the active cell. */
function insertTemplate(
  panel: NotebookPanel,
  template: ITemplate,
  taken: readonly string[]
): void {
  const name = freeName(template.name, taken);
  NotebookActions.insertBelow(panel.content);
  const cell = panel.content.activeCell!.model;
  // A decorated function is what its block is named after.
  cell.sharedModel.setSource(template.source.replace(`def ${template.name}(`, `def ${name}(`));
  setRole(cell, readRole([`${template.type}:${name}`], ''));
  void goToCell(panel, panel.content.activeCellIndex);
}

function Gallery(props: {
  trans: TranslationBundle;
  /** Which one is looked at; null where nothing was found. */
  show: (template: ITemplate | null) => void;
  take: () => void;
}): JSX.Element {
  const { show, take, trans } = props;
  const [text, setText] = React.useState('');
  const [at, setAt] = React.useState(0);
  const list = React.useRef<HTMLUListElement>(null);
  const found = matching(text);
  const shown = found[Math.min(at, found.length - 1)];
  React.useEffect(() => {
    show(shown ?? null);
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView?.({ block: 'nearest' });
  }, [shown]);
  return (
    <>
      <input
        type="search"
        placeholder={trans.__('Search: csv, sql, s3 …')}
        aria-label={trans.__('Search')}
        value={text}
        onChange={event => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={event => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step) {
            event.preventDefault();
            setAt(Math.max(0, Math.min(found.length - 1, at + step)));
          }
        }}
      />
      <div className="jp-Blocks-columns">
        <ul role="listbox" aria-label={trans.__('Blocks')} ref={list}>
          {found.map((template, index) => {
            const type = blockType(template.type)!;
            const Icon = iconOf(template.type);
            return (
              <li
                key={template.name}
                role="option"
                className={type.className}
                aria-selected={template === shown}
                onClick={() => setAt(index)}
                onDoubleClick={take}
              >
                <Icon.react className="jp-Blocks-typeIcon" tag="span" />
                <span className="jp-Blocks-typeName">{type.label(trans)}</span>
                <span>{trans.__(template.title)}</span>
              </li>
            );
          })}
          {found.length === 0 && <li>{trans.__('Nothing found')}</li>}
        </ul>
        <pre>{shown?.source ?? ''}</pre>
      </div>
    </>
  );
}
