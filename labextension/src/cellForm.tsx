/**
 * The form that opens from a cell's chip: what the cell is for, its name, where it runs.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ICellModel } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { BLOCK_TYPES } from './blockTypes';
import type { BlocksModel } from './model';
import { executorOfCell, roleOfCell, setExecutor, setRole } from './notebookCells';
import { openPopover } from './popover';
import { isUsable, useExecutors } from './runForm';
import { nameProblem, type ICellRole, type Role } from './tags';

/** Open the form of a cell below a node. */
export function openCellForm(
  cell: ICellModel,
  anchor: HTMLElement,
  model: BlocksModel,
  trans: TranslationBundle
): void {
  const body: ReactWidget = ReactWidget.create(
    <CellForm cell={cell} model={model} trans={trans} close={() => body.dispose()} />
  );
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-form');
  openPopover(body, anchor);
}

interface IProps {
  cell: ICellModel;
  model: BlocksModel;
  trans: TranslationBundle;
  close: () => void;
}

export function CellForm({ cell, model, trans, close }: IProps): JSX.Element {
  const own = model.blockOfCell(cell.id)?.name;
  const others = (model.analysis?.blocks ?? []).map(block => block.name).filter(name => name !== own);
  const executors = useExecutors(model);
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
              list="jp-Blocks-executors"
              placeholder={trans.__('as the pipeline')}
              onChange={event => changeExecutor(event.target.value.trim())}
            />
            <datalist id="jp-Blocks-executors">
              {executors.filter(isUsable).map(one => (
                <option key={one.name} value={one.name}>{one.about}</option>
              ))}
            </datalist>
          </label>
          <Upstream role={role} others={others} trans={trans} change={change} />
        </>
      )}
      {role.role === 'test' && (
        <label>
          <span>{trans.__('Of block')}</span>
          <select value={role.name} onChange={event => change({ ...role, name: event.target.value })}>
            {[...new Set([role.name, ...others])].map(name => (
              <option key={name} value={name}>{name || trans.__('choose one')}</option>
            ))}
          </select>
        </label>
      )}
      <div className="jp-Blocks-buttons">
        <button type="button" className="jp-Blocks-button" onClick={close}>{trans.__('Cancel')}</button>
        <button type="submit" className="jp-Blocks-button jp-mod-primary" disabled={problem !== '' || (role.role === 'test' && role.name === '')}>
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

const ROLES: readonly Role[] = ['setup', 'parameters', 'continue', 'test', 'skip', 'none'];

export function choices(trans: TranslationBundle): [string, string][] {
  const labels: Record<string, string> = {
    setup: trans.__('Setup: imports and functions for all blocks'),
    parameters: trans.__('Parameters of the pipeline'),
    continue: trans.__('More of the block above'),
    test: trans.__('Test: checks what a block gives'),
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

export function choiceOf(role: ICellRole): string {
  return role.role === 'block' ? (role.type?.name ?? 'custom') : role.role;
}

export function chosen(role: ICellRole, value: string): ICellRole {
  const type = BLOCK_TYPES.find(one => one.name === value);
  return type
    ? { ...role, role: 'block', type }
    : { role: value as Role, name: '', upstream: [], directive: role.directive };
}
