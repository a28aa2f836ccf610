/**
 * What a view waits for: an answer of the server, and what is shown until it is there.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IOutputPlace } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { Fault, Loading } from '../panels/states';

export interface IFetched<T> {
  /** The last answer; null until there is one. */
  value: T | null;
  /** Why there is no newer one. */
  error: BlocksError | null;
  isLoading: boolean;
  retry(): void;
}

/** Places are equal where their parts are. */
export function placeKey(place: IOutputPlace): string {
  return [place.project, place.pipeline, place.block, place.output, place.run_id].join('\n');
}

/** Ask again whenever one of `keys` changes; answers that come too late are thrown away. */
export function useFetched<T>(fetch: () => Promise<T>, keys: readonly unknown[]): IFetched<T> {
  const [state, setState] = React.useState({ value: null as T | null, error: null as BlocksError | null, isLoading: true });
  const [tries, setTries] = React.useState(0);
  React.useEffect(() => {
    let isCurrent = true;
    const take = (changes: Partial<typeof state>): void => {
      if (isCurrent) {
        setState(known => ({ ...known, isLoading: false, error: null, ...changes }));
      }
    };
    setState(known => ({ ...known, isLoading: true }));
    fetch().then(
      value => take({ value }),
      error => take({ error: asBlocksError(error) })
    );
    return () => {
      isCurrent = false;
    };
  }, [...keys, tries]);
  return { ...state, retry: () => setTries(tries + 1) };
}

/** Until the first answer is there: that it is on its way, or why it will not come. */
export function Waiting({ for: found, trans }: { for: IFetched<unknown>; trans: TranslationBundle }): JSX.Element {
  const { error, isLoading, retry } = found;
  return error && !isLoading ? (
    <Fault message={error.message} hint={error.hint} retry={{ label: trans.__('Try again'), action: retry }} />
  ) : (
    <Loading label={trans.__('Reading …')} />
  );
}
