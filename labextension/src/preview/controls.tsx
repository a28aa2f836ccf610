/**
 * The controls that the views share: one of many, one of a few, figures with their names.
 */
import * as React from 'react';

/** A value, and how it is called; a name alone is both. */
export type Option = string | readonly [value: string, label: string];

/** One of many; with `label` alone the control is named, with `isShown` it is written before. */
export function Select(props: {
  label: string;
  isShown?: boolean;
  value: string;
  options: readonly Option[];
  change(value: string): void;
}): JSX.Element {
  const { label, isShown, value, options, change } = props;
  const select = (
    <select aria-label={label} value={value} onChange={event => change(event.target.value)}>
      {options.map(option => {
        const [name, text] = typeof option === 'string' ? [option, option] : option;
        return (
          <option key={name} value={name}>
            {text}
          </option>
        );
      })}
    </select>
  );
  return isShown ? (
    <label className="jp-Blocks-labelled">
      <span>{label}</span>
      {select}
    </label>
  ) : (
    select
  );
}

/** One of a few, all of them in sight. */
export function Choice<T extends string>(props: {
  label: string;
  value: T | undefined;
  options: readonly (readonly [value: T, label: string])[];
  change(value: T): void;
}): JSX.Element {
  return (
    <div className="jp-Blocks-choice" role="group" aria-label={props.label}>
      {props.options.map(([value, label]) => (
        <button key={value} type="button" aria-pressed={props.value === value} onClick={() => props.change(value)}>
          {label}
        </button>
      ))}
    </div>
  );
}

/** Names and what belongs to them; those without are left out. */
export function Facts(props: {
  className: string;
  facts: readonly (readonly [name: string, value: React.ReactNode])[];
}): JSX.Element {
  return (
    <dl className={props.className}>
      {props.facts.map(
        ([name, value]) =>
          value && (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd title={typeof value === 'string' ? value : undefined}>{value}</dd>
            </React.Fragment>
          )
      )}
    </dl>
  );
}
