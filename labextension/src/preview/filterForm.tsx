/**
 * What is asked of one column: its order, and which rows are shown, in the terms of its type.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { cellText, count } from '../format';
import type { ConditionOperator, IColumnStatistics, IRowQuery, ISortOrder } from '../tokens';
import { Choice, Select } from './controls';
import { columnKind, conditionsOf, formOf, withFilters, type ColumnKind, type IFilterForm } from './query';
import { figure } from './scale';

interface IProps {
  columns: readonly IColumnStatistics[];
  /** The column to begin with. */
  column: string;
  /** Whether another column can be chosen. */
  canChoose: boolean;
  query: IRowQuery;
  trans: TranslationBundle;
  apply(query: IRowQuery): void;
  close(): void;
}

export function FilterForm(props: IProps): JSX.Element {
  const { columns, trans, query, close } = props;
  const [name, setName] = React.useState(props.column);
  const node = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => node.current?.querySelector<HTMLElement>('select, input')?.focus(), []);
  const column = columns.find(item => item.name === name) ?? { name, dtype: '' };
  const sort = (descending: boolean): void => {
    const isOn = query.sort.some(order => order.column === name && order.descending === descending);
    const others = query.sort.filter(order => order.column !== name);
    const orders: ISortOrder[] = isOn ? others : [...others, { column: name, descending }];
    props.apply({ ...query, sort: orders });
    close();
  };
  const order = query.sort.find(item => item.column === name);
  return (
    <div className="jp-Blocks-filter" ref={node}>
      <header role="none">
        {props.canChoose ? (
          <Select label={trans.__('Column')} value={name} options={columns.map(item => item.name)} change={setName} />
        ) : (
          <strong title={name}>{name}</strong>
        )}
        <span className="jp-Blocks-hint">{column.dtype}</span>
      </header>
      <Choice
        label={trans.__('Order')}
        value={order && (order.descending ? 'down' : 'up')}
        options={[
          ['up', trans.__('Ascending')],
          ['down', trans.__('Descending')]
        ]}
        change={way => sort(way === 'down')}
      />
      <Conditions key={name} {...props} column={column} />
    </div>
  );
}

function Conditions(
  props: Omit<IProps, 'column'> & { column: IColumnStatistics }
): JSX.Element {
  const { column, query, trans, close } = props;
  const kind = columnKind(column.dtype);
  const present = query.filters.filter(filter => filter.column === column.name);
  const [form, setForm] = React.useState<IFilterForm>(() => withOptions(formOf(present, kind), column, kind));
  const conditions = conditionsOf(form, column.name, kind);
  const change = (changes: Partial<IFilterForm>): void => setForm({ ...form, ...changes });
  const apply = (event: React.FormEvent): void => {
    event.preventDefault();
    if (conditions) {
      props.apply(withFilters(query, column.name, conditions));
      close();
    }
  };
  const clear = (): void => {
    props.apply(withFilters(query, column.name, []));
    close();
  };
  return (
    <form onSubmit={apply}>
      {kind !== 'other' && form.missing !== 'only' && (
        <>
          {kind !== 'bool' && (
            <Select
              label={trans.__('Condition')}
              value={form.op}
              options={operators(column, kind, trans)}
              change={op => change({ op: op as IFilterForm['op'] })}
            />
          )}
          {form.op === 'in' ? (
            <Checklist column={column} kind={kind} form={form} change={change} />
          ) : (
            <Values column={column} kind={kind} form={form} change={change} trans={trans} />
          )}
        </>
      )}
      <Choice
        label={trans.__('Missing values')}
        value={form.missing}
        options={[
          ['any', trans.__('All')],
          ['none', trans.__('Not null')],
          ['only', column.nulls ? trans.__('Null (%1)', count(column.nulls)) : trans.__('Null')]
        ]}
        change={missing => change({ missing })}
      />
      {!conditions && (
        <p className="jp-Blocks-invalid" role="alert">
          {kind === 'time' ? trans.__('No date: write it like 2026-05-04 14:00.') : trans.__('No number.')}
        </p>
      )}
      <div className="jp-Blocks-buttons">
        <button type="button" className="jp-Blocks-button" disabled={present.length === 0} onClick={clear}>
          {trans.__('Clear')}
        </button>
        <button className="jp-Blocks-button jp-mod-primary" disabled={!conditions}>
          {trans.__('Apply')}
        </button>
      </div>
    </form>
  );
}

interface IPartProps {
  column: IColumnStatistics;
  kind: ColumnKind;
  form: IFilterForm;
  change(changes: Partial<IFilterForm>): void;
}

function Values({ column, kind, form, change, trans }: IPartProps & { trans: TranslationBundle }): JSX.Element {
  const isBetween = form.op === 'between';
  const mode = kind === 'number' ? 'decimal' : 'text';
  return (
    <div className="jp-Blocks-range">
      <input
        aria-label={isBetween ? trans.__('From') : trans.__('Value')}
        placeholder={isBetween ? figure(column.min) : ''}
        inputMode={mode}
        value={form.from}
        onChange={event => change({ from: event.target.value })}
      />
      {isBetween && (
        <>
          <span>{trans.__('to')}</span>
          <input
            aria-label={trans.__('To')}
            placeholder={figure(column.max)}
            inputMode={mode}
            value={form.to}
            onChange={event => change({ to: event.target.value })}
          />
        </>
      )}
    </div>
  );
}

function Checklist({ column, kind, form, change }: IPartProps): JSX.Element {
  return (
    <div className="jp-Blocks-checklist">
      {options(column, kind).map(([value, number]) => (
        <label key={String(value)}>
          <input
            type="checkbox"
            checked={form.chosen.includes(value)}
            onChange={event =>
              change({
                chosen: event.target.checked
                  ? [...form.chosen, value]
                  : form.chosen.filter(item => item !== value)
              })
            }
          />
          <span title={cellText(value)}>{cellText(value) || '""'}</span>
          <span className="jp-Blocks-number">{number === null ? '' : count(number)}</span>
        </label>
      ))}
    </div>
  );
}

/** The values to choose from, those chosen before among them. */
function options(column: IColumnStatistics, kind: ColumnKind): [unknown, number | null][] {
  return column.top?.length ? column.top : kind === 'bool' ? [[true, null], [false, null]] : [];
}

/** Without values to choose from, one types. */
function withOptions(form: IFilterForm, column: IColumnStatistics, kind: ColumnKind): IFilterForm {
  return form.op === 'in' && options(column, kind).length === 0 ? { ...form, op: 'contains' } : form;
}

function operators(
  column: IColumnStatistics,
  kind: ColumnKind,
  trans: TranslationBundle
): [ConditionOperator | 'between', string][] {
  const compared: [ConditionOperator, string][] = [
    ['eq', trans.__('equals')],
    ['ne', trans.__('is not')]
  ];
  const isOne: [ConditionOperator, string][] = column.top?.length ? [['in', trans.__('is one of')]] : [];
  if (kind === 'text') {
    return [
      ...isOne,
      ['contains', trans.__('contains')],
      ['starts_with', trans.__('starts with')],
      ...compared
    ];
  }
  return [
    ['between', trans.__('is between')],
    ['ge', '≥'],
    ['le', '≤'],
    ['gt', '>'],
    ['lt', '<'],
    ...compared,
    ...(kind === 'number' ? isOne : [])
  ];
}
