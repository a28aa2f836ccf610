/**
 * A stored value, whatever it is: tables with their tabs, figures, plain data, texts, models.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { Guard } from '../panels/states';
import type { IPreview, IVariable } from '../tokens';
import { ChartView } from './chartView';
import { CompareView } from './compareView';
import { DataView } from './dataView';
import { placeKey, useFetched, Waiting } from './fetched';
import { ArrayView, ModelView, ObjectView, TextView } from './otherViews';
import { StatisticsView } from './statisticsView';
import { TreeView } from './treeView';

export interface IValueProps {
  api: BlocksApi;
  place: IOutputPlace;
  variable: IVariable;
  /** In the sidebar: no tabs, only the value. */
  isSmall: boolean;
  trans: TranslationBundle;
}

type Tab = 'data' | 'statistics' | 'chart' | 'changes';

export function ValueView(props: IValueProps): JSX.Element {
  const { api, place, variable, isSmall, trans } = props;
  const found = useFetched(() => api.preview(place), [placeKey(place), variable.created_at]);
  const name = React.useId();
  const [tab, setTab] = React.useState<Tab>('data');
  const preview = found.value;
  if (!preview || found.error) {
    return <Waiting for={found} trans={trans} />;
  }
  const all = { api, place, preview, variable, isSmall, trans };
  if (isSmall) {
    return <Guard><Value {...all} /></Guard>;
  }
  const isTable = isTableValue(variable);
  const tabs: [Tab, string][] = [
    ['data', isTable ? trans.__('Data') : trans.__('Value')],
    ...(isTable ? ([['statistics', trans.__('Statistics')]] as [Tab, string][]) : []),
    ...(isTable && variable.can_page ? ([['chart', trans.__('Chart')]] as [Tab, string][]) : []),
    ['changes', trans.__('Changes')]
  ];
  return (
    <>
      <Tabs tabs={tabs} chosen={tab} choose={setTab} name={name} />
      {tabs.map(([key]) => (
        <div
          key={key}
          className="jp-Blocks-view"
          role="tabpanel"
          id={`${name}-${key}-panel`}
          aria-labelledby={`${name}-${key}`}
          hidden={key !== tab}
        >
          <Guard>
            <Once isShown={key === tab}>
              {key === 'data' && <Value {...all} />}
              {key === 'statistics' && <StatisticsView preview={preview} trans={trans} />}
              {key === 'chart' && <ChartView api={api} place={place} preview={preview} trans={trans} />}
              {key === 'changes' && <CompareView api={api} place={place} trans={trans} />}
            </Once>
          </Guard>
        </div>
      ))}
    </>
  );
}

/** Made when it is first shown, and kept with its state from then on. */
function Once({ isShown, children }: { isShown: boolean; children: React.ReactNode }): JSX.Element | null {
  const was = React.useRef(false);
  was.current ||= isShown;
  return was.current ? <>{children}</> : null;
}

function Tabs(props: { tabs: [Tab, string][]; chosen: Tab; choose(tab: Tab): void; name: string }): JSX.Element {
  const { tabs, chosen, choose, name } = props;
  const move = (event: React.KeyboardEvent<HTMLElement>): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
    const at = tabs.findIndex(([key]) => key === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length]!;
    if (step) {
      event.preventDefault();
      choose(next[0]);
      document.getElementById(`${name}-${next[0]}`)?.focus();
    }
  };
  return (
    <div className="jp-Blocks-tabs" role="tablist" onKeyDown={move}>
      {tabs.map(([key, label]) => (
        <button
          key={key}
          id={`${name}-${key}`}
          role="tab"
          tabIndex={key === chosen ? 0 : -1}
          aria-selected={key === chosen}
          aria-controls={`${name}-${key}-panel`}
          onClick={() => choose(key)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** Whether a value has rows: tables, and iterators whose parts are tables. */
function isTableValue({ type, can_page }: IVariable): boolean {
  return can_page || type === 'table' || type === 'series';
}

function Value(props: IValueProps & { preview: IPreview }): JSX.Element {
  const { api, place, preview, variable, isSmall, trans } = props;
  // Nothing of these is worth keeping when another run has stored the value.
  const key = placeKey(place);
  if (isTableValue(variable)) {
    return <DataView api={api} place={place} preview={preview} isSmall={isSmall} trans={trans} />;
  }
  if (variable.has_image) {
    return (
      <div className="jp-Blocks-scroll">
        <img className="jp-Blocks-figure" src={api.imageUrl(place)} alt={variable.name} />
      </div>
    );
  }
  switch (variable.type) {
    case 'json':
      return preview.note ? <ObjectView preview={preview} /> : <TreeView key={key} api={api} place={place} trans={trans} />;
    case 'text':
      return <TextView key={key} api={api} place={place} trans={trans} />;
    case 'array':
      return <ArrayView preview={preview} trans={trans} />;
    case 'model':
      return <ModelView preview={preview} trans={trans} />;
    default:
      return <ObjectView preview={preview} />;
  }
}
