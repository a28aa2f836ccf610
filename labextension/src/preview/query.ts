/**
 * Which rows of a table are shown and in which order: what a click changes, and how it is said.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellText } from '../format';
import type { ConditionOperator, ICondition, IRowQuery, ISortOrder } from '../tokens';

export type ColumnKind = 'number' | 'text' | 'time' | 'bool' | 'other';

/** All rows, as they are stored. */
export const ALL_ROWS: IRowQuery = { sort: [], filters: [], search: '' };

/** The server sorts down to this row. */
export const SORTED_ROWS = 100_000;

/** What can be asked of a column, by the types that pandas, polars and Arrow name. */
export function columnKind(dtype: string): ColumnKind {
  const name = dtype.toLowerCase();
  if (/^(u?int|float|double|halffloat|decimal)/.test(name)) {
    return 'number';
  }
  if (/^(datetime|timestamp|date)/.test(name)) {
    return 'time';
  }
  if (/^(object|str|large_string|utf8|category|categorical|dictionary|enum)/.test(name)) {
    return 'text';
  }
  return name.startsWith('bool') ? 'bool' : 'other';
}

/** Ascending, descending, not at all; `add` keeps the other columns. */
export function nextSort(sort: readonly ISortOrder[], column: string, add: boolean): ISortOrder[] {
  const at = sort.findIndex(order => order.column === column);
  const next = at < 0 ? [{ column, descending: false }] : sort[at]!.descending ? [] : [{ column, descending: true }];
  if (!add) {
    return next;
  }
  return at < 0 ? [...sort, ...next] : [...sort.slice(0, at), ...next, ...sort.slice(at + 1)];
}

/** The filters with those of one column replaced. */
export function withFilters(query: IRowQuery, column: string, filters: ICondition[]): IRowQuery {
  const others = query.filters.filter(filter => filter.column !== column);
  return { ...query, filters: [...others, ...filters] };
}

export function isAll(query: IRowQuery): boolean {
  return query.filters.length === 0 && query.search.trim() === '';
}

/** How many rows of those that fit can be looked at. */
export function reachable(matched: number, query: IRowQuery): number {
  return query.sort.length > 0 ? Math.min(matched, SORTED_ROWS) : matched;
}

const SIGNS: Record<ConditionOperator, string> = {
  eq: '=',
  ne: '≠',
  lt: '<',
  le: '≤',
  gt: '>',
  ge: '≥',
  contains: '∋',
  starts_with: '^',
  in: '=',
  is_null: '',
  not_null: ''
};

/** `dep_delay ≥ 15`, `carrier = UA, AA`, `tailnum is missing`. */
export function conditionText({ column, op, value }: ICondition, trans: TranslationBundle): string {
  switch (op) {
    case 'is_null':
      return trans.__('%1 is missing', column);
    case 'not_null':
      return trans.__('%1 is not missing', column);
    case 'contains':
      return trans.__('%1 contains “%2”', column, value);
    case 'starts_with':
      return trans.__('%1 starts with “%2”', column, value);
    default:
      return `${column} ${SIGNS[op]} ${(Array.isArray(value) ? value : [value]).map(cellText).join(', ')}`;
  }
}

/** How a person filters a column: one operator with its values, and what of missing values. */
export interface IFilterForm {
  op: ConditionOperator | 'between';
  from: string;
  to: string;
  /** Of `in`. */
  chosen: unknown[];
  missing: 'any' | 'only' | 'none';
}

/** The form that shows conditions. */
export function formOf(conditions: readonly ICondition[], kind: ColumnKind): IFilterForm {
  const form: IFilterForm = { op: defaultOperator(kind), from: '', to: '', chosen: [], missing: 'any' };
  const bounds: ConditionOperator[] = [];
  for (const { op, value } of conditions) {
    if (op === 'is_null' || op === 'not_null') {
      form.missing = op === 'is_null' ? 'only' : 'none';
    } else if (op === 'in') {
      form.op = op;
      form.chosen = value as unknown[];
    } else {
      bounds.push(op);
      form.op = op;
      form[op === 'le' && bounds.includes('ge') ? 'to' : 'from'] = String(value);
    }
  }
  return bounds.join() === 'ge,le' ? { ...form, op: 'between' } : form;
}

/** The conditions that a form means; null where a value is not one of the column's kind. */
export function conditionsOf(form: IFilterForm, column: string, kind: ColumnKind): ICondition[] | null {
  if (form.missing === 'only') {
    return [{ column, op: 'is_null' }];
  }
  const conditions: ICondition[] = form.missing === 'none' ? [{ column, op: 'not_null' }] : [];
  if (form.op === 'in') {
    return form.chosen.length > 0 ? [...conditions, { column, op: 'in', value: form.chosen }] : conditions;
  }
  const sides: [ConditionOperator, string][] =
    form.op === 'between' ? [['ge', form.from], ['le', form.to]] : [[form.op, form.from]];
  for (const [op, text] of sides) {
    const value = valueOf(text.trim(), kind);
    if (value === null) {
      return null;
    }
    if (value !== '') {
      conditions.push({ column, op, value });
    }
  }
  return conditions;
}

export function defaultOperator(kind: ColumnKind): IFilterForm['op'] {
  return kind === 'number' || kind === 'time' ? 'between' : 'in';
}

/** A typed value; empty for none, null for none of the kind. */
function valueOf(text: string, kind: ColumnKind): unknown {
  if (text === '' || kind === 'text') {
    return text;
  }
  if (kind === 'number') {
    const number = Number(text.replace(/[\s_]/g, ''));
    return Number.isFinite(number) ? number : null;
  }
  return kind === 'time' && Number.isNaN(Date.parse(text)) ? null : text;
}
