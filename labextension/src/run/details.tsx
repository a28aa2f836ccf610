/**
 * Beside the log: what went wrong, why the block ran and where, what it stored.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { bytes, cellText, count } from '../format';
import type { IBlockError, IBlockRun, IRunState } from '../tokens';

interface IProps {
  name: string;
  block: IBlockRun;
  run: IRunState;
  /** Bring a cell into sight: path of the notebook below the project, place from 1, line from 1. */
  goTo: (notebook: string, cell: number, line: number | null) => void;
  trans: TranslationBundle;
}

export function Details(props: IProps): JSX.Element {
  const { block, name, run, trans } = props;
  const parameters = Object.entries(run.parameters);
  return (
    <div className="jp-Blocks-runDetails">
      {block.error && <Failure {...props} error={block.error} />}
      <section className="jp-Blocks-card">
        <h3>{trans.__('Why')}</h3>
        <p>{sentence(block.reason)}</p>
        <p>{trans.__('Executor %1: %2.', block.executor, block.executor_reason)}</p>
        {block.upstream.length > 0 && <p>{trans.__('After %1.', block.upstream.join(', '))}</p>}
        {block.peak_rss_mib !== null && (
          <p>{trans.__('It used %1 of memory at most.', bytes(block.peak_rss_mib * 1_048_576))}</p>
        )}
      </section>
      {Object.keys(block.outputs).length > 0 && (
        <section className="jp-Blocks-card">
          <h3>{trans.__('Stored by %1', name)}</h3>
          <dl>
            {Object.entries(block.outputs).map(([output, size]) => (
              <React.Fragment key={output}>
                <dt>{output}</dt>
                <dd>
                  {[
                    size.type,
                    size.rows === null ? '' : trans.__('%1 rows', count(size.rows)),
                    size.bytes === null ? '' : bytes(size.bytes)
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </dd>
              </React.Fragment>
            ))}
          </dl>
        </section>
      )}
      {parameters.length > 0 && (
        <section className="jp-Blocks-card">
          <h3>{trans.__('Parameters')}</h3>
          <dl>
            {parameters.map(([key, value]) => (
              <React.Fragment key={key}>
                <dt>{key}</dt>
                <dd>{cellText(value)}</dd>
              </React.Fragment>
            ))}
          </dl>
        </section>
      )}
    </div>
  );
}

function Failure(props: IProps & { error: IBlockError }): JSX.Element {
  const { error, goTo, name, trans } = props;
  const { cell, cell_line: line, notebook } = error;
  const place = !cell
    ? ''
    : line
      ? trans.__('Cell %1, line %2', cell, line)
      : trans.__('Cell %1', cell);
  const file = error.file ? trans.__('%1, line %2', error.file, error.line ?? 1) : '';
  return (
    <section className="jp-Blocks-card jp-mod-failed" role="alert">
      <h3>{trans.__('%1 failed', name)}</h3>
      <code>{[error.type, error.message].filter(Boolean).join(': ')}</code>
      {(place || file) && <p title={file}>{place || file}</p>}
      {error.traceback && (
        <details>
          <summary>{trans.__('Traceback')}</summary>
          <pre>{error.traceback}</pre>
        </details>
      )}
      <div className="jp-Blocks-actions">
        {cell && notebook && (
          <button className="jp-Blocks-button jp-mod-primary" onClick={() => goTo(notebook, cell, line ?? null)}>
            {trans.__('Go to the cell')}
          </button>
        )}
        <button
          className="jp-Blocks-button"
          onClick={() => Clipboard.copyToSystem([error.type, error.message, place, file, error.traceback].filter(Boolean).join('\n'))}
        >
          {trans.__('Copy')}
        </button>
      </div>
    </section>
  );
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return !first || /[.!?]$/.test(first) ? first : `${first}.`;
}
