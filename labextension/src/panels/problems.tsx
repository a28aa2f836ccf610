/**
 * What keeps the notebook from being exported, and what may go wrong, with fixes of one click.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksModel } from '../model';
import { goToCell, roleOfCell, setRole } from '../notebookCells';
import { readRole } from '../tags';
import type { IFix, IProblem } from '../tokens';
import { Empty } from './states';

export function ProblemsPanel(props: {
  model: BlocksModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const problems = model.analysis?.problems ?? [];
  if (problems.length === 0) {
    return <Empty title={trans.__('No problems')}>{trans.__('The notebook can be exported.')}</Empty>;
  }
  return (
    <ul className="jp-Blocks-problems">
      {problems.map((problem, at) => (
        <Problem key={`${problem.code}:${problem.cell}:${at}`} problem={problem} {...props} />
      ))}
    </ul>
  );
}

function Problem(props: {
  problem: IProblem;
  model: BlocksModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, problem, trans } = props;
  const panel = model.panel;
  const place = problem.line
    ? trans.__('Cell %1, line %2', problem.cell, problem.line)
    : trans.__('Cell %1', problem.cell);
  return (
    <li className={`jp-mod-${problem.severity}`}>
      <svg className="jp-Blocks-severity" viewBox="0 0 14 14" role="img" aria-label={problem.severity}>
        {problem.severity === 'error' ? (
          <path d="M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5zM7 3.8v4M7 10.1v.1" />
        ) : (
          <path d="M7 1.5L13 12.5H1zM7 5.5v3.4M7 10.8v.1" />
        )}
      </svg>
      <div>
        {problem.cell !== undefined && panel && (
          <button
            className="jp-Blocks-link"
            onClick={() => goToCell(panel, problem.cell! - 1, problem.line)}
          >
            {place}
          </button>
        )}
        <p>{problem.message}</p>
        {problem.hint && <p className="jp-Blocks-hint">{problem.hint}</p>}
        {panel &&
          (problem.fixes ?? []).map(fix => (
            <button
              key={fix.label}
              className="jp-Blocks-button"
              onClick={() => mend(panel, fix)}
            >
              {fix.label}
            </button>
          ))}
      </div>
    </li>
  );
}

function mend(panel: NotebookPanel, fix: IFix): void {
  const cell = panel.content.widgets[fix.cell - 1];
  if (cell) {
    const { upstream } = roleOfCell(cell.model);
    setRole(cell.model, { ...readRole([fix.tag], ''), upstream });
    void goToCell(panel, fix.cell - 1);
  }
}
