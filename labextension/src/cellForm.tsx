/**
 * The form that opens from a cell's chip: what the cell is for, its name, where it runs.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ICellModel } from '@jupyterlab/cells';
import { showPopup, type Popup } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { BLOCK_TYPES } from './blockTypes';
import { executorOfCell, roleOfCell, setExecutor, setRole } from './notebookCells';
import { nameProblem, type ICellRole, type Role } from './tags';

/** Open the form of a cell at a widget. */
export function openCellForm(
  cell: ICellModel,
  anchor: Widget,
  others: readonly string[],
  trans: TranslationBundle
): Popup | null {
  const body: ReactWidget = ReactWidget.create(
    <CellForm cell={cell} others={others} trans={trans} close={() => popup?.dispose()} />
  );
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-form');
  const popup = showPopup({ body, anchor, align: 'left', hasDynamicSize: true });
  return popup;
}

interface IProps {
  cell: ICellModel;
  /** Names of the other blocks, which this one can be put after. */
  others: readonly string[];
  trans: TranslationBundle;
  close: () => void;
}

export function CellForm({ cell, others, trans, close }: IProps): JSX.Element {
  const [role, change] = React.useState<ICellRole>(() => roleOfCell(cell));
  const [executor, changeExecutor] = React.useState(() => executorOfCell(cell));
  const problem = nameProblem(role.name);
  const apply = (event: React.FormEvent): void => {
    event.preventDefault();
    if (!problem) {
      setRole(cell, role);
      setExecutor(cell, role.role === 'block' ? executor : '');
      close();
    }
  };
  const isBlock = role.role === 'block';
  return (
    <form onSubmit={apply} aria-label={trans.__('What the cell is for')}>
      <label>
        <span>{trans.__('Type')}</span>
        <select autoFocus value={choiceOf(role)} onChange={event => change(chosen(role, event.target.value))}>
          {choices(trans).map(([value, label]) => (
            <option key={value} value={value}>{label}</option>
          ))}
        </select>
      </label>
      {isBlock && (
        <>
          <label>
            <span>{trans.__('Name')}</span>
            <input
              value={role.name}
              placeholder={trans.__('chosen from its outputs')}
              aria-invalid={problem !== ''}
              onChange={event => change({ ...role, name: event.target.value.trim() })}
            />
          </label>
          {problem && <p className="jp-Blocks-hint" role="alert">{trans.__(problem)}</p>}
          <label>
            <span>{trans.__('Executor')}</span>
            <input
              value={executor}
              placeholder={trans.__('as the pipeline')}
              onChange={event => changeExecutor(event.target.value.trim())}
            />
          </label>
          <Upstream role={role} others={others} trans={trans} change={change} />
        </>
      )}
      <div className="jp-Blocks-buttons">
        <button type="button" className="jp-Blocks-button" onClick={close}>{trans.__('Cancel')}</button>
        <button type="submit" className="jp-Blocks-button jp-mod-primary" disabled={problem !== ''}>
          {trans.__('Apply')}
        </button>
      </div>
    </form>
  );
}

function Upstream(props: {
  role: ICellRole;
  others: readonly string[];
  trans: TranslationBundle;
  change: (role: ICellRole) => void;
}): JSX.Element | null {
  const { role, others, trans, change } = props;
  const free = others.filter(name => !role.upstream.includes(name));
  if (others.length === 0) {
    return null;
  }
  return (
    <label>
      <span>{trans.__('Run after')}</span>
      <span className="jp-Blocks-upstream">
        {role.upstream.map(name => (
          <button
            type="button"
            key={name}
            className="jp-Blocks-pill"
            title={trans.__('Remove')}
            onClick={() => change({ ...role, upstream: role.upstream.filter(other => other !== name) })}
          >
            {name} ×
          </button>
        ))}
        <select
          value=""
          aria-label={trans.__('Run after')}
          onChange={event => change({ ...role, upstream: [...role.upstream, event.target.value] })}
        >
          <option value="">{trans.__('only what it reads from')}</option>
          {free.map(name => <option key={name}>{name}</option>)}
        </select>
      </span>
    </label>
  );
}

const ROLES: readonly Role[] = ['setup', 'parameters', 'continue', 'skip', 'none'];

function choices(trans: TranslationBundle): [string, string][] {
  const labels: Record<string, string> = {
    setup: trans.__('Setup: imports and functions for all blocks'),
    parameters: trans.__('Parameters of the pipeline'),
    continue: trans.__('More of the block above'),
    skip: trans.__('Skip: never exported'),
    none: trans.__('Nothing: not part of the pipeline')
  };
  return [
    ...BLOCK_TYPES.map((type): [string, string] => [
      type.name,
      `${type.label(trans)}: ${type.description(trans)}`
    ]),
    ...ROLES.map((role): [string, string] => [role, labels[role]!])
  ];
}

function choiceOf(role: ICellRole): string {
  return role.role === 'block' ? (role.type?.name ?? 'custom') : role.role;
}

function chosen(role: ICellRole, value: string): ICellRole {
  const type = BLOCK_TYPES.find(one => one.name === value);
  return type
    ? { ...role, role: 'block', type }
    : { role: value as Role, name: '', upstream: [], directive: role.directive };
}
