/**
 * The rows of a table: grid, search, filters as chips, and how many rows fit.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { count } from '../format';
import { Fault } from '../panels/states';
import { openPopover } from '../popover';
import type { IColumnStatistics, IPage, IPreview, IRowQuery } from '../tokens';
import { placeKey, useFetched, Waiting } from './fetched';
import { FilterForm } from './filterForm';
import { FIRST_ROWS, PagedTable } from './pagedTable';
import { ALL_ROWS, conditionText, isAll, nextSort, reachable, SORTED_ROWS, withFilters } from './query';
import { TableGrid } from './tableGrid';

export interface IDataViewProps {
  api: BlocksApi;
  place: IOutputPlace;
  preview: IPreview;
  /** In the sidebar there is no room for search and buttons. */
  isSmall: boolean;
  trans: TranslationBundle;
}

const SEARCH_DELAY_MS = 350;

export function DataView({ api, place, preview, isSmall, trans }: IDataViewProps): JSX.Element {
  const [query, setQuery] = React.useState<IRowQuery>(ALL_ROWS);
  const found = useFetched(() => api.rows(place, 0, FIRST_ROWS, query), [query, placeKey(place)]);
  const [failed, setFailed] = React.useState<BlocksError | null>(null);
  const [note, setNote] = React.useState('');
  const { value: page, isLoading } = found;
  const error = found.error ?? failed;
  React.useEffect(() => setFailed(null), [page]);
  const columns = React.useMemo(() => columnsOf(preview, page), [preview, page?.columns.length]);
  const tell = (text: string): void => {
    setNote(text);
    window.setTimeout(() => setNote(''), 2500);
  };
  if (!page) {
    return <Waiting for={found} trans={trans} />;
  }
  const openFilter = (place: DOMRect, column?: string): void => {
    const body = ReactWidget.create(
      <FilterForm
        columns={columns}
        column={column ?? columns[0]?.name ?? ''}
        canChoose={column === undefined}
        query={query}
        trans={trans}
        apply={setQuery}
        close={() => body.dispose()}
      />
    );
    body.addClass('jp-Blocks');
    openPopover(body, { getBoundingClientRect: () => place });
  };
  return (
    <div className="jp-Blocks-data" aria-busy={isLoading}>
      {!isSmall && page.complete && (
        <div className="jp-Blocks-dataBar">
          <Search value={query.search} trans={trans} change={search => setQuery({ ...query, search })} />
          <button
            className="jp-Blocks-button"
            aria-haspopup="dialog"
            onClick={event => openFilter(event.currentTarget.getBoundingClientRect())}
          >
            {trans.__('Filter and sort …')}
          </button>
          <Rows page={page} query={query} note={note} trans={trans} />
        </div>
      )}
      <Chips query={query} change={setQuery} trans={trans} />
      {isSmall && (note || !isAll(query) || query.sort.length > 0) && (
        <div className="jp-Blocks-dataBar">
          <Rows page={page} query={query} note={note} trans={trans} />
        </div>
      )}
      {!page.complete && (
        <p className="jp-Blocks-notice">
          {page.note ?? trans.__('Only the first rows are shown, as they were kept when the table was stored.')}
        </p>
      )}
      {error && (
        <Fault
          message={error.message}
          hint={error.hint}
          retry={{ label: trans.__('Show all rows'), action: () => setQuery(ALL_ROWS) }}
        />
      )}
      <Grid
        page={page}
        query={query}
        columns={columns}
        label={trans.__(
          '%1, %2 rows. Arrow keys move, Enter sorts by the column, Alt and arrow down filter it.',
          place.output,
          count(page.matched)
        )}
        read={(start, rows, names) => api.rows(place, start, rows, query, names)}
        sort={(column, add) => page.complete && setQuery({ ...query, sort: nextSort(query.sort, column, add) })}
        filter={(column, at) => page.complete && openFilter(at, column)}
        copied={(rows, wide) => tell(trans.__('Copied %1 × %2 cells', count(rows), wide))}
        failed={reason => setFailed(asBlocksError(reason))}
      />
      {page.matched === 0 && !isLoading && (
        <div className="jp-Blocks-noRows">
          <strong>{isAll(query) ? trans.__('The table has no rows') : trans.__('No row fits')}</strong>
          {!isAll(query) && (
            <button className="jp-Blocks-link" onClick={() => setQuery({ ...ALL_ROWS, sort: query.sort })}>
              {trans.__('Show all rows')}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** Statistics of the columns that are shown; columns without any have name and type. */
function columnsOf(preview: IPreview, page: IPage | null): IColumnStatistics[] {
  const known = new Map((preview.columns ?? []).map(column => [column.name, column]));
  return (page?.columns ?? []).map(column => ({ ...known.get(column.name), ...column }));
}

function Search(props: { value: string; trans: TranslationBundle; change(text: string): void }): JSX.Element {
  const [text, setText] = React.useState(props.value);
  React.useEffect(() => setText(props.value), [props.value]);
  React.useEffect(() => {
    if (text === props.value) {
      return undefined;
    }
    const timer = window.setTimeout(() => props.change(text), SEARCH_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <input
      type="search"
      className="jp-Blocks-search"
      placeholder={props.trans.__('Search all columns')}
      aria-label={props.trans.__('Search all columns')}
      maxLength={200}
      value={text}
      onChange={event => setText(event.target.value)}
    />
  );
}

function Rows(props: { page: IPage; query: IRowQuery; note: string; trans: TranslationBundle }): JSX.Element {
  const { page, query, note, trans } = props;
  const shown = reachable(page.matched, query);
  const all = trans._n('%2 row', '%2 rows', page.rows, count(page.rows));
  const matched = isAll(query) ? all : trans.__('%1 of %2 rows match', count(page.matched), count(page.rows));
  const deepest = trans.__('the first %1 in this order', count(SORTED_ROWS));
  const omitted = page.omitted_columns ? trans.__('%1 columns are not shown', page.omitted_columns) : '';
  return (
    <span className="jp-Blocks-rows" role="status">
      {note || [matched, shown < page.matched ? deepest : '', omitted].filter(Boolean).join(' · ')}
    </span>
  );
}

function Chips(props: {
  query: IRowQuery;
  change(query: IRowQuery): void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { query, change, trans } = props;
  const names = [...new Set(query.filters.map(filter => filter.column))];
  const search = query.search.trim();
  if (names.length === 0 && !search) {
    return null;
  }
  return (
    <div className="jp-Blocks-chips">
      {search && (
        <Chip label={`“${search}”`} trans={trans} remove={() => change({ ...query, search: '' })} />
      )}
      {names.map(name => (
        <Chip
          key={name}
          label={query.filters
            .filter(filter => filter.column === name)
            .map(filter => conditionText(filter, trans))
            .join(', ')}
          trans={trans}
          remove={() => change(withFilters(query, name, []))}
        />
      ))}
    </div>
  );
}

function Chip(props: { label: string; trans: TranslationBundle; remove(): void }): JSX.Element {
  return (
    <span className="jp-Blocks-filterChip" title={props.label}>
      <span>{props.label}</span>
      <button aria-label={props.trans.__('Remove the filter %1', props.label)} onClick={props.remove}>
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <path d="M2.5 2.5l5 5M7.5 2.5l-5 5" />
        </svg>
      </button>
    </span>
  );
}

interface IGridProps {
  page: IPage;
  query: IRowQuery;
  columns: readonly IColumnStatistics[];
  label: string;
  read(start: number, rows: number, columns?: string[]): Promise<IPage>;
  sort(column: string, add: boolean): void;
  filter(column: string, place: DOMRect): void;
  copied(rows: number, columns: number): void;
  failed(error: unknown): void;
}

/** A data grid inside of React. */
function Grid(props: IGridProps): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const grid = React.useRef<TableGrid | null>(null);
  const latest = React.useRef(props);
  latest.current = props;
  const shape = props.columns.map(column => `${column.name}\n${column.dtype}`).join('\n');
  // A layout effect, because it is undone while the grid is still part of the page.
  React.useLayoutEffect(() => {
    grid.current = new TableGrid(host.current!, {
      statistics: props.columns,
      label: props.label,
      sort: (column, add) => latest.current.sort(column, add),
      filter: (column, place) => latest.current.filter(column, place),
      copied: (rows, columns) => latest.current.copied(rows, columns),
      failed: error => latest.current.failed(error)
    });
    return () => grid.current?.dispose();
  }, [shape]);
  React.useLayoutEffect(() => {
    // Pages that come later are those of the query that has found this one.
    const { query, read } = props;
    const table = new PagedTable(props.page, reachable(props.page.matched, query), read);
    grid.current?.show(props.page.complete ? table : firstRows(props.page), query);
  }, [props.page, shape]);
  return <div className="jp-Blocks-grid" ref={host} />;
}

/** Of a table that cannot be paged. */
function firstRows(page: IPage): PagedTable {
  return new PagedTable(page, page.sample.length, (start, rows) =>
    Promise.resolve({ ...page, start, sample: page.sample.slice(start, start + rows) })
  );
}
