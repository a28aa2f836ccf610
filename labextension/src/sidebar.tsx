/**
 * The left sidebar: header with Run, the graph, and below it preview, problems and runs.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { stateOf } from './blockState';
import { cellText } from './format';
import { blocksIcon } from './icons';
import type { BlocksModel } from './model';
import { DagPanel } from './panels/dag';
import { PreviewPanel } from './panels/preview';
import { ProblemsPanel } from './panels/problems';
import { RunsPanel } from './panels/runs';
import { Empty, Fault, Guard, Loading } from './panels/states';

type Tab = 'preview' | 'problems' | 'runs';

/** What the sidebar asks for; commands of the application. */
export interface ISidebarActions {
  run(): void;
  /** Open the menu of runs below a node. */
  menu(anchor: HTMLElement): void;
  cancel(): void;
  suggest(): void;
}

interface IProps {
  model: BlocksModel;
  actions: ISidebarActions;
  trans: TranslationBundle;
}

export class BlocksSidebar extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.id = 'jupyter-blocks';
    this.title.icon = blocksIcon;
    this.title.caption = props.trans.__('Blocks');
    this.addClass('jp-Blocks');
    this.addClass('jp-Blocks-sidebar');
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this.props.model.changed}>
        {() => <Sidebar {...this.props} />}
      </UseSignal>
    );
  }
}

function Sidebar(props: IProps): JSX.Element {
  const { model, trans, actions } = props;
  switch (model.phase) {
    case 'none':
      return (
        <Empty title={trans.__('No notebook')}>
          {trans.__('Open a notebook to see the blocks its cells make.')}
        </Empty>
      );
    case 'loading':
      return <Loading label={trans.__('Reading the notebook …')} />;
    case 'error':
      return (
        <Fault
          message={model.error?.message ?? ''}
          hint={model.error?.hint ?? ''}
          retry={{ label: trans.__('Try again'), action: () => void model.analyze() }}
        />
      );
    default:
  }
  if (model.analysis?.blocks.length === 0) {
    return (
      <>
        <Empty title={trans.__('No blocks yet')}>
          <p>{trans.__('Give cells a type: hover over a cell and choose “Tag this cell”.')}</p>
          <button className="jp-Blocks-button jp-mod-primary" onClick={actions.suggest}>
            {trans.__('Make pipeline')}
          </button>
        </Empty>
        {model.analysis.problems.some(problem => problem.cell) && (
          <ProblemsPanel model={model} trans={trans} />
        )}
      </>
    );
  }
  return (
    <>
      <Header {...props} />
      <DagPanel model={model} trans={trans} />
      <Tabs model={model} trans={trans} />
    </>
  );
}

function Header({ model, actions, trans }: IProps): JSX.Element {
  const analysis = model.analysis!;
  const isRunning = model.run?.status === 'RUNNING';
  const hasErrors = analysis.problems.some(problem => problem.severity === 'error');
  return (
    <header
      className="jp-Blocks-header"
      data-run={model.run?.run_id}
      data-status={model.run?.status}
    >
      <div className="jp-Blocks-row">
        <h2 title={analysis.notebook}>{analysis.pipeline}</h2>
        <span className="jp-Blocks-summary">{summary(model, trans)}</span>
        {isRunning ? (
          <button className="jp-Blocks-button" disabled={model.run!.cancelling} onClick={actions.cancel}>
            {model.run!.cancelling ? trans.__('Stopping …') : trans.__('Cancel')}
          </button>
        ) : (
          <span className="jp-Blocks-split">
            <button
              className="jp-Blocks-button jp-mod-primary"
              disabled={hasErrors || model.isStarting}
              title={hasErrors ? trans.__('Mend the problems first') : trans.__('Run what has changed')}
              onClick={actions.run}
            >
              {model.isStarting ? trans.__('Starting …') : trans.__('Run changed')}
            </button>
            <button
              className="jp-Blocks-button jp-mod-primary"
              disabled={hasErrors || model.isStarting}
              aria-label={trans.__('More ways to run')}
              aria-haspopup="menu"
              onClick={event => actions.menu(event.currentTarget)}
            >
              <svg viewBox="0 0 10 10" aria-hidden="true">
                <path d="M2 3.5l3 3 3-3" />
              </svg>
            </button>
          </span>
        )}
      </div>
      <Parameters values={analysis.parameters} />
      {model.error && <Fault message={model.error.message} hint={model.error.hint} />}
    </header>
  );
}

function Parameters({ values }: { values: Record<string, unknown> }): JSX.Element | null {
  const entries = Object.entries(values);
  if (entries.length === 0) {
    return null;
  }
  return (
    <div className="jp-Blocks-row jp-Blocks-pills">
      {entries.map(([name, value]) => (
        <span className="jp-Blocks-pill" key={name}>
          {name} <b>{cellText(value)}</b>
        </span>
      ))}
    </div>
  );
}

function summary(model: BlocksModel, trans: TranslationBundle): string {
  const blocks = model.analysis!.blocks;
  const states = blocks.map(block => stateOf(block, model.run, trans).name);
  const number = (name: string): number => states.filter(state => state === name).length;
  const parts = [trans._n('%1 block', '%1 blocks', blocks.length)];
  if (model.run?.status === 'RUNNING') {
    parts.push(trans.__('%1 done', number('fresh')));
    return parts.join(' · ');
  }
  const kinds: [string, number][] = [
    [trans.__('fresh'), number('fresh')],
    [trans.__('stale'), number('stale')],
    [trans.__('failed'), number('failed')]
  ];
  return [...parts, ...kinds.filter(([, n]) => n > 0).map(([word, n]) => `${n} ${word}`)].join(' · ');
}

function Tabs({ model, trans }: { model: BlocksModel; trans: TranslationBundle }): JSX.Element {
  const [tab, setTab] = React.useState<Tab>('preview');
  const problems = model.analysis!.problems.length;
  const tabs: [Tab, string][] = [
    ['preview', trans.__('Preview')],
    ['problems', trans.__('Problems')],
    ['runs', trans.__('Runs')]
  ];
  return (
    <section className="jp-Blocks-lower">
      <div className="jp-Blocks-tabs" role="tablist">
        {tabs.map(([name, label]) => (
          <button
            key={name}
            id={`jp-Blocks-tab-${name}`}
            role="tab"
            aria-selected={tab === name}
            aria-controls="jp-Blocks-tabpanel"
            onClick={() => setTab(name)}
          >
            {label}
            {name === 'problems' && problems > 0 && <span className="jp-Blocks-count">{problems}</span>}
          </button>
        ))}
      </div>
      <div
        id="jp-Blocks-tabpanel"
        className="jp-Blocks-tabpanel"
        role="tabpanel"
        aria-labelledby={`jp-Blocks-tab-${tab}`}
      >
        <Guard key={`${tab}:${model.selected}`}>
          {tab === 'preview' && <PreviewPanel model={model} trans={trans} />}
          {tab === 'problems' && <ProblemsPanel model={model} trans={trans} />}
          {tab === 'runs' && <RunsPanel model={model} trans={trans} />}
        </Guard>
      </div>
    </section>
  );
}
