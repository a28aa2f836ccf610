/**
 * The form of the next runs, generated from the parameters of the notebook.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { BlocksModel } from './model';
import { openPopover } from './popover';
import { changesOf, inputText, inputValue, USUAL, type IRunOptions } from './runOptions';
import type { IExecutor } from './tokens';

/** Open the form below a node. */
export function openRunForm(model: BlocksModel, anchor: HTMLElement, trans: TranslationBundle): void {
  const body: ReactWidget = ReactWidget.create(
    <RunForm model={model} trans={trans} close={() => body.dispose()} />
  );
  body.addClass('jp-Blocks');
  body.addClass('jp-Blocks-form');
  openPopover(body, anchor);
}

export function RunForm(props: {
  model: BlocksModel;
  trans: TranslationBundle;
  close: () => void;
}): JSX.Element {
  const { model, trans, close } = props;
  const usual = model.analysis?.parameters ?? {};
  const known = { ...usual, ...model.options.parameters };
  const [texts, setTexts] = React.useState<Record<string, string>>(() =>
    Object.fromEntries(Object.entries(known).map(([name, value]) => [name, inputText(value)]))
  );
  const [options, setOptions] = React.useState<IRunOptions>(model.options);
  const executors = useExecutors(model);
  const { values, faults } = read(texts, usual);
  const apply = (event: React.FormEvent): void => {
    event.preventDefault();
    if (Object.keys(faults).length === 0) {
      model.setOptions({ ...options, parameters: changesOf(usual, values) });
      close();
    }
  };
  return (
    <form onSubmit={apply} aria-label={trans.__('How to run')}>
      {Object.entries(usual).map(([name, value], at) => (
        <Parameter
          key={name}
          name={name}
          usual={value}
          text={texts[name] ?? ''}
          fault={faults[name]}
          isFirst={at === 0}
          change={text => setTexts({ ...texts, [name]: text })}
          trans={trans}
        />
      ))}
      <label>
        <span>{trans.__('Executor')}</span>
        <select
          value={options.executor}
          onChange={event => setOptions({ ...options, executor: event.target.value })}
        >
          <option value="">{trans.__('that of each block')}</option>
          {executors.map(executor => (
            <option key={executor.name} value={executor.name} disabled={!isUsable(executor)} title={executor.detail || executor.about}>
              {isUsable(executor) ? executor.name : trans.__('%1 (not available)', executor.name)}
            </option>
          ))}
        </select>
      </label>
      <label className="jp-Blocks-check">
        <input
          type="checkbox"
          checked={options.skipSensors}
          onChange={event => setOptions({ ...options, skipSensors: event.target.checked })}
        />
        {trans.__('Skip sensors')}
      </label>
      <label className="jp-Blocks-check">
        <input
          type="checkbox"
          checked={options.skipTests}
          onChange={event => setOptions({ ...options, skipTests: event.target.checked })}
        />
        {trans.__('Skip tests on data')}
      </label>
      <div className="jp-Blocks-buttons">
        <button
          type="button"
          className="jp-Blocks-button"
          onClick={() => {
            model.setOptions(USUAL);
            close();
          }}
        >
          {trans.__('As in the notebook')}
        </button>
        <button type="submit" className="jp-Blocks-button jp-mod-primary" disabled={Object.keys(faults).length > 0}>
          {trans.__('Use for the next runs')}
        </button>
      </div>
    </form>
  );
}

function Parameter(props: {
  name: string;
  usual: unknown;
  text: string;
  fault: string | undefined;
  isFirst: boolean;
  change: (text: string) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { change, fault, name, text, usual, trans } = props;
  const placeholder = inputText(usual);
  return (
    <>
      <label>
        <span className="jp-Blocks-blockName">{name}</span>
        {typeof usual === 'boolean' ? (
          <input
            type="checkbox"
            checked={text === 'true'}
            onChange={event => change(String(event.target.checked))}
          />
        ) : (
          <input
            autoFocus={props.isFirst}
            inputMode={typeof usual === 'number' ? 'decimal' : 'text'}
            value={text}
            placeholder={placeholder}
            aria-invalid={fault !== undefined}
            onChange={event => change(event.target.value)}
          />
        )}
      </label>
      {fault && <p className="jp-Blocks-hint" role="alert">{trans.__(fault)}</p>}
    </>
  );
}

interface IEntered {
  values: Record<string, unknown>;
  faults: Record<string, string>;
}

function read(texts: Record<string, string>, usual: Record<string, unknown>): IEntered {
  const entered: IEntered = { values: {}, faults: {} };
  for (const [name, text] of Object.entries(texts)) {
    try {
      entered.values[name] = inputValue(text, usual[name]);
    } catch (error) {
      entered.faults[name] = (error as Error).message;
    }
  }
  return entered;
}

/** Executors of the server; none while they are asked for, or where it does not say. */
export function useExecutors(model: BlocksModel): readonly IExecutor[] {
  const [executors, setExecutors] = React.useState<readonly IExecutor[]>([]);
  React.useEffect(() => {
    let isCurrent = true;
    model.executors().then(
      found => isCurrent && setExecutors(found),
      () => undefined
    );
    return () => {
      isCurrent = false;
    };
  }, []);
  return executors;
}

/** Whether blocks can be sent there. */
export function isUsable(executor: IExecutor): boolean {
  return executor.allowed && executor.state === 'available';
}
