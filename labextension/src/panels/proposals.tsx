/**
 * What the cells of an untagged notebook could be: looked over, changed, then applied.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { choiceOf, choices, chosen } from '../cellForm';
import type { BlocksModel } from '../model';
import { cellWithId, goToCell, setRole } from '../notebookCells';
import { nameProblem, readRole, type ICellRole } from '../tags';
import type { IProposal } from '../tokens';

interface IRow {
  proposal: IProposal;
  role: ICellRole;
  isWanted: boolean;
}

export function ProposalsPanel(props: { model: BlocksModel; trans: TranslationBundle }): JSX.Element {
  const { model, trans } = props;
  const [rows, setRows] = React.useState<IRow[]>(() =>
    (model.proposals ?? []).map(proposal => ({
      proposal,
      role: readRole([proposal.tag], ''),
      isWanted: true
    }))
  );
  const wanted = rows.filter(row => row.isWanted);
  const hasFault = wanted.some(row => nameProblem(row.role.name) !== '');
  const change = (at: number, changes: Partial<IRow>): void =>
    setRows(rows.map((row, index) => (index === at ? { ...row, ...changes } : row)));
  const apply = (): void => {
    for (const row of wanted) {
      const found = cellOf(model, row.proposal);
      if (found) {
        setRole(found.model, row.role);
      }
    }
    model.forgetProposals();
  };
  return (
    <section className="jp-Blocks-review">
      <header className="jp-Blocks-header">
        <div className="jp-Blocks-row">
          <h2>{trans.__('Make a pipeline')}</h2>
          <span className="jp-Blocks-space" />
          <button className="jp-Blocks-button" onClick={() => model.forgetProposals()}>
            {trans.__('Cancel')}
          </button>
          <button
            className="jp-Blocks-button jp-mod-primary"
            disabled={wanted.length === 0 || hasFault}
            onClick={apply}
          >
            {trans._n('Tag %1 cell', 'Tag %1 cells', wanted.length)}
          </button>
        </div>
      </header>
      <ul>
        {rows.map((row, at) => (
          <Row key={row.proposal.cell} row={row} change={changes => change(at, changes)} {...props} />
        ))}
      </ul>
    </section>
  );
}

function Row(props: {
  row: IRow;
  change: (changes: Partial<IRow>) => void;
  model: BlocksModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { change, model, row, trans } = props;
  const { proposal, role } = row;
  const place = trans.__('Cell %1', proposal.cell);
  const show = (): void => {
    const cell = cellOf(model, proposal);
    if (model.panel && cell) {
      void goToCell(model.panel, model.panel.content.widgets.indexOf(cell));
    }
  };
  const problem = row.isWanted ? nameProblem(role.name) : '';
  return (
    <li className={`${role.type?.className ?? `jp-Blocks-${role.role}`} ${row.isWanted ? '' : 'jp-mod-unwanted'}`}>
      <input
        type="checkbox"
        aria-label={trans.__('Tag cell %1', proposal.cell)}
        checked={row.isWanted}
        onChange={event => change({ isWanted: event.target.checked })}
      />
      <button className="jp-Blocks-link" onClick={show}>{place}</button>
      <select
        aria-label={trans.__('Type of cell %1', proposal.cell)}
        value={choiceOf(role)}
        disabled={!row.isWanted}
        onChange={event => change({ role: chosen(role, event.target.value) })}
      >
        {choices(trans).map(([value, label]) => (
          <option key={value} value={value}>{label.split(':', 1)[0]}</option>
        ))}
      </select>
      {(role.role === 'block' || role.role === 'test') && (
        <input
          aria-label={trans.__('Name of cell %1', proposal.cell)}
          aria-invalid={problem !== ''}
          title={problem}
          value={role.name}
          disabled={!row.isWanted}
          onChange={event => change({ role: { ...role, name: event.target.value.trim() } })}
        />
      )}
      <p>{proposal.reason}</p>
    </li>
  );
}

function cellOf(model: BlocksModel, proposal: IProposal): ReturnType<typeof cellWithId> {
  const panel = model.panel;
  return panel
    ? proposal.id
      ? cellWithId(panel, proposal.id)
      : panel.content.widgets[proposal.cell - 1]
    : undefined;
}
