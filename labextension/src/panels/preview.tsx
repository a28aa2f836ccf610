/**
 * The stored outputs of the selected block: tables page by page, figures, anything else as text.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { BasicKeyHandler, BasicMouseHandler, BasicSelectionModel, DataGrid } from '@lumino/datagrid';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IOutputPlace } from '../api';
import { BlocksError } from '../errors';
import { ago, bytes, count } from '../format';
import { coloursOf, gridStyle, HEADER_HEIGHT, HeaderRenderer, isNumeric, textRenderer } from '../gridStyle';
import type { BlocksModel } from '../model';
import { FIRST_ROWS, PagedTable } from '../pagedTable';
import type { IPage, IPreview, IVariable } from '../tokens';
import { Empty, Fault, Loading } from './states';

interface IProps {
  model: BlocksModel;
  trans: TranslationBundle;
}

export function PreviewPanel({ model, trans }: IProps): JSX.Element {
  const [chosen, choose] = React.useState('');
  const block = model.selected;
  const outputs = model.variables.filter(variable => variable.block === block);
  const variable = outputs.find(output => output.name === chosen) ?? outputs[0];
  if (!block) {
    return <Empty title={trans.__('No block selected')}>{trans.__('Choose one in the graph or in the notebook.')}</Empty>;
  }
  if (!variable) {
    return (
      <Empty title={trans.__('Nothing stored')}>
        {trans.__('Run %1 to see what it gives.', block)}
      </Empty>
    );
  }
  return (
    <div className="jp-Blocks-preview">
      <header>
        <strong>{block}</strong>
        {outputs.length > 1 ? (
          <select
            aria-label={trans.__('Output')}
            value={variable.name}
            onChange={event => choose(event.target.value)}
          >
            {outputs.map(output => (
              <option key={output.name}>{output.name}</option>
            ))}
          </select>
        ) : (
          <span>{variable.name}</span>
        )}
        <span className="jp-Blocks-figures" title={figuresOf(variable)}>
          {figuresOf(variable)}
        </span>
      </header>
      <Value key={`${block}/${variable.name}/${variable.run_id}`} variable={variable} model={model} trans={trans} />
    </div>
  );
}

function figuresOf(variable: IVariable): string {
  const parts = variable.rows === null ? [] : [`${count(variable.rows)} rows`];
  return [...parts, bytes(variable.bytes), ago(variable.created_at, Date.now() / 1000)].join(' · ');
}

type Loaded = { preview: IPreview; page: IPage | null };

function Value(props: IProps & { variable: IVariable }): JSX.Element {
  const { model, trans, variable } = props;
  const [loaded, setLoaded] = React.useState<Loaded | BlocksError | null>(null);
  const place = placeOf(model, variable);
  React.useEffect(() => {
    let isCurrent = true;
    const show = (value: Loaded | BlocksError): void => {
      if (isCurrent) {
        setLoaded(value);
      }
    };
    load(model, variable, place).then(show, error =>
      show(error instanceof BlocksError ? error : new BlocksError(String(error)))
    );
    return () => {
      isCurrent = false;
    };
  }, []);
  if (loaded === null) {
    return <Loading label={trans.__('Reading …')} />;
  }
  if (loaded instanceof BlocksError) {
    return <Fault message={loaded.message} hint={loaded.hint} />;
  }
  if (variable.has_image) {
    return <img className="jp-Blocks-figure" src={model.api.imageUrl(place)} alt={variable.name} />;
  }
  if (loaded.page) {
    return <Grid page={loaded.page} preview={loaded.preview} place={place} model={model} />;
  }
  return <pre className="jp-Blocks-text">{textOf(loaded.preview)}</pre>;
}

function placeOf(model: BlocksModel, variable: IVariable): IOutputPlace {
  const { project, pipeline } = model.analysis!;
  return {
    project: project ?? '',
    pipeline,
    block: variable.block,
    output: variable.name,
    run_id: variable.run_id
  };
}

async function load(model: BlocksModel, variable: IVariable, place: IOutputPlace): Promise<Loaded> {
  const preview = await model.api.preview(place);
  const page = variable.can_page ? await model.api.rows(place, 0, FIRST_ROWS, []) : null;
  return { preview, page };
}

function textOf(preview: IPreview): string {
  const { sample, note } = preview;
  const text = typeof sample === 'string' ? sample : JSON.stringify(sample ?? null, null, 2);
  return [preview.python_type, text, note].filter(Boolean).join('\n\n');
}

/** A data grid inside of React. */
function Grid(props: {
  page: IPage;
  preview: IPreview;
  place: IOutputPlace;
  model: BlocksModel;
}): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  // A layout effect, because it is undone while the grid is still part of the page.
  React.useLayoutEffect(() => {
    const node = host.current!;
    const table = new PagedTable(props.page, (start, rows) =>
      props.model.api.rows(props.place, start, rows, [])
    );
    const grid = makeGrid(table);
    const paint = (): void => dress(grid, table, props.preview, node);
    paint();
    attach(grid, node);
    const themes = new MutationObserver(() => requestAnimationFrame(paint));
    themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    const sizes = new ResizeObserver(() => MessageLoop.sendMessage(grid, Widget.ResizeMessage.UnknownSize));
    sizes.observe(node);
    return () => {
      themes.disconnect();
      sizes.disconnect();
      grid.dispose();
    };
  }, []);
  return <div className="jp-Blocks-grid" ref={host} />;
}

function makeGrid(table: PagedTable): DataGrid {
  const grid = new DataGrid({
    defaultSizes: {
      rowHeight: 22,
      columnWidth: 104,
      rowHeaderWidth: 56,
      columnHeaderHeight: HEADER_HEIGHT
    },
    headerVisibility: 'all',
    stretchLastColumn: true
  });
  grid.dataModel = table;
  grid.keyHandler = new BasicKeyHandler();
  grid.mouseHandler = new BasicMouseHandler();
  grid.selectionModel = new BasicSelectionModel({ dataModel: table });
  return grid;
}

function dress(grid: DataGrid, table: PagedTable, preview: IPreview, node: Element): void {
  const colours = coloursOf(node);
  const known = new Map((preview.columns ?? []).map(column => [column.name, column]));
  const text = textRenderer(colours, column => isNumeric(table.columns[column]?.dtype ?? ''));
  const header = new HeaderRenderer(colours, name => known.get(name));
  grid.style = gridStyle(colours);
  grid.cellRenderers.update({
    body: text,
    'row-header': text,
    'column-header': header,
    'corner-header': header
  });
}

function attach(grid: DataGrid, node: HTMLElement): void {
  MessageLoop.sendMessage(grid, Widget.Msg.BeforeAttach);
  node.appendChild(grid.node);
  MessageLoop.sendMessage(grid, Widget.Msg.AfterAttach);
}

