/**
 * The runs of the pipeline, newest first, and the blocks of the one that is followed.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ago, duration } from '../format';
import type { BlocksModel } from '../model';
import { canResume, runShape, runWords } from '../runState';
import { StateIcon } from '../stateIcon';
import type { IBlockRun, IRunRecord, IRunState } from '../tokens';
import { goToCell } from '../notebookCells';
import { Empty } from './states';

const SHOWN = 20;

interface IProps {
  model: BlocksModel;
  /** Show a run in the main area. */
  open: (run: string) => void;
  trans: TranslationBundle;
}

export function RunsPanel({ model, open, trans }: IProps): JSX.Element {
  if (model.runs.length === 0) {
    return (
      <Empty title={trans.__('No runs yet')}>{trans.__('Run the pipeline with the button above.')}</Empty>
    );
  }
  return (
    <div>
      {model.run && <Followed model={model} run={model.run} open={open} trans={trans} />}
      <ul className="jp-Blocks-runs">
        {model.runs.slice(0, SHOWN).map(run => (
          <Run key={run.run_id} run={run} model={model} open={open} trans={trans} />
        ))}
      </ul>
    </div>
  );
}

function Run(props: IProps & { run: IRunRecord }): JSX.Element {
  const { model, open, run, trans } = props;
  const isFollowed = model.run?.run_id === run.run_id;
  const status = isFollowed ? model.run!.status : run.status;
  const end = isFollowed ? model.run!.finished_at : run.finished_at;
  return (
    <li className={isFollowed ? 'jp-mod-selected' : ''}>
      <button onClick={() => {
          void model.follow(run.run_id);
          open(run.run_id);
        }} title={run.run_id}>
        <StateIcon name={runShape(status)} label={runWords(status, trans)} />
        <span>{runWords(status, trans)}</span>
        <span className="jp-Blocks-when">{ago(run.started_at, Date.now() / 1000)}</span>
        <span className="jp-Blocks-number">{end ? duration(end - run.started_at) : ''}</span>
      </button>
    </li>
  );
}

function Followed(props: IProps & { run: IRunState }): JSX.Element | null {
  const { model, run, trans } = props;
  const failed = Object.entries(run.blocks).filter(([, block]) => block.status === 'FAILED');
  const isResumable = canResume(run.status);
  if (failed.length === 0 && !isResumable) {
    return null;
  }
  return (
    <div className="jp-Blocks-followed">
      {failed.map(([name, block]) => (
        <Failure key={name} {...props} name={name} block={block} />
      ))}
      {isResumable && (
        <button className="jp-Blocks-button" onClick={() => void model.resume(run.run_id)}>
          {trans.__('Resume the run')}
        </button>
      )}
    </div>
  );
}

function Failure(props: IProps & { name: string; block: IBlockRun }): JSX.Element {
  const { block, model, name, trans } = props;
  const { cell, cell_line: line, type, message } = block.error ?? {};
  const panel = model.panel;
  return (
    <div className="jp-Blocks-failure" role="alert">
      <strong>{trans.__('%1 failed', name)}</strong>
      <code>{[type, message ?? block.reason].filter(Boolean).join(': ')}</code>
      {cell && panel ? (
        <button
          className="jp-Blocks-link"
          onClick={() => void goToCell(panel, cell - 1, line ?? undefined)}
        >
          {line ? trans.__('Cell %1, line %2', cell, line) : trans.__('Cell %1', cell)}
        </button>
      ) : (
        <button className="jp-Blocks-link" onClick={() => model.reveal(name)}>
          {trans.__('Show the cell')}
        </button>
      )}
    </div>
  );
}
