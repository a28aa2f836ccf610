/**
 * What the next runs are asked to do differently: values of parameters, executor, tests, sensors.
 */
import { cellText } from './format';
import type { IRunRequest } from './tokens';

export interface IRunOptions {
  /** Only those that differ from the notebook. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Executor of every block; empty for that of each block. */
  readonly executor: string;
  readonly skipSensors: boolean;
  readonly skipTests: boolean;
}

export const USUAL: IRunOptions = { parameters: {}, executor: '', skipSensors: false, skipTests: false };

/** A request with the options in it; empty ones are left out. */
export function withOptions(request: IRunRequest, options: IRunOptions): IRunRequest {
  return {
    ...request,
    ...(Object.keys(options.parameters).length > 0 ? { runtime_vars: { ...options.parameters } } : {}),
    ...(options.executor ? { executor: options.executor } : {}),
    ...(options.skipSensors ? { skip_sensors: true } : {}),
    ...(options.skipTests ? { run_tests: false } : {})
  };
}

/** How a value is written in a form. */
export function inputText(value: unknown): string {
  return typeof value === 'string' ? value : cellText(value);
}

/**
 * The value that a text in a form stands for, of the kind that `usual` is.
 *
 * Throws an error that says what is expected.
 */
export function inputValue(text: string, usual: unknown): unknown {
  if (typeof usual === 'string') {
    return text;
  }
  if (typeof usual === 'boolean') {
    return text === 'true';
  }
  if (typeof usual === 'number') {
    const value = Number(text);
    if (text.trim() === '' || Number.isNaN(value)) {
      throw new Error('A number is expected.');
    }
    return value;
  }
  try {
    return text.trim() === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    if (usual === null) {
      return text;
    }
    throw new Error('JSON is expected, such as ["a", 1] or {"a": 1}.');
  }
}

/** The values of `entered` that differ from the usual ones. */
export function changesOf(
  usual: Readonly<Record<string, unknown>>,
  entered: Readonly<Record<string, unknown>>
): Record<string, unknown> {
  const isSame = (name: string): boolean => JSON.stringify(usual[name]) === JSON.stringify(entered[name]);
  return Object.fromEntries(Object.entries(entered).filter(([name]) => name in usual && !isSame(name)));
}
