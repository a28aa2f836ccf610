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
import { ProposalsPanel } from './panels/proposals';
import { ProblemsPanel } from './panels/problems';
import { RunsPanel } from './panels/runs';
import { PreviewPanel } from './preview';
import { LogPane } from './run/logPane';
import { openRunForm } from './runForm';
import { Empty, Fault, Guard, Loading } from './panels/states';
import type { IVariable } from './tokens';

type Tab = 'preview' | 'problems' | 'runs' | 'log';

/** What the sidebar asks for; commands of the application. */
export interface ISidebarActions {
  run(): void;
  /** Open the menu of runs below a node. */
  menu(anchor: HTMLElement): void;
  cancel(): void;
  suggest(): void;
  /** Let one choose a template. */
  insert(): void;
  /** Show what an export would change. */
  export(): void;
  /** Show a run in the main area. */
  openRun(run: string): void;
  /** Show a stored output in the main area. */
  openOutput(variable: IVariable): void;
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
  if (model.proposals) {
    return <ProposalsPanel model={model} trans={trans} />;
  }
  if (model.analysis?.blocks.length === 0) {
    return (
      <>
        <Empty title={trans.__('No blocks yet')}>
          <p>{trans.__('Give cells a type: hover over a cell and choose “Tag this cell”.')}</p>
          <button className="jp-Blocks-button jp-mod-primary" onClick={actions.suggest}>
            {trans.__('Make pipeline')}
          </button>
          <button className="jp-Blocks-link" onClick={actions.insert}>
            {trans.__('Insert a block from the gallery')}
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
      <Tabs {...props} />
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
      <RunSettings model={model} trans={trans} />
      {analysis.blocks.some(block => block.drift === 'edited') && (
        <div className="jp-Blocks-drift" role="status">
          <span>{trans.__('Block files were changed by hand.')}</span>
          <button className="jp-Blocks-link" onClick={actions.export}>
            {trans.__('Show the difference')}
          </button>
        </div>
      )}
      {model.error && <Fault message={model.error.message} hint={model.error.hint} />}
    </header>
  );
}

/** Parameters and executor of the next runs; a click changes them. */
function RunSettings({ model, trans }: { model: BlocksModel; trans: TranslationBundle }): JSX.Element {
  const { options } = model;
  const pill = React.useRef<HTMLButtonElement>(null);
  const edit = (): void => openRunForm(model, pill.current!.parentElement!, trans);
  const values = Object.entries(model.analysis!.parameters);
  const others = [
    options.executor || trans.__('executor per block'),
    options.skipSensors ? trans.__('no sensors') : '',
    options.skipTests ? trans.__('no tests') : ''
  ].filter(Boolean);
  return (
    <div className="jp-Blocks-row jp-Blocks-pills">
      {values.map(([name, value]) => {
        const isOwn = name in options.parameters;
        return (
          <button
            className={`jp-Blocks-pill ${isOwn ? 'jp-mod-changed' : ''}`}
            key={name}
            title={isOwn ? trans.__('%1 in the notebook', cellText(value)) : trans.__('Change it for the next runs')}
            onClick={edit}
          >
            {name} <b>{cellText(isOwn ? options.parameters[name] : value)}</b>
          </button>
        );
      })}
      <button
        ref={pill}
        className={`jp-Blocks-pill ${options.executor || others.length > 1 ? 'jp-mod-changed' : ''}`}
        title={trans.__('How to run: parameters, executor, sensors, tests')}
        onClick={edit}
      >
        {others.join(' · ')}
      </button>
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

function Tabs({ model, actions, trans }: IProps): JSX.Element {
  const [tab, setTab] = React.useState<Tab>('preview');
  const problems = model.analysis!.problems.length;
  const tabs: [Tab, string][] = [
    ['preview', trans.__('Preview')],
    ['problems', trans.__('Problems')],
    ['runs', trans.__('Runs')],
    ['log', trans.__('Log')]
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
          {tab === 'preview' && <PreviewPanel model={model} open={actions.openOutput} trans={trans} />}
          {tab === 'problems' && <ProblemsPanel model={model} trans={trans} />}
          {tab === 'runs' && <RunsPanel model={model} open={actions.openRun} trans={trans} />}
          {tab === 'log' && <BlockLog model={model} trans={trans} />}
        </Guard>
      </div>
    </section>
  );
}

/** What the selected block printed in the run that is followed. */
function BlockLog({ model, trans }: { model: BlocksModel; trans: TranslationBundle }): JSX.Element {
  const block = model.selected;
  const run = model.run;
  const attempt_id = run?.blocks[block]?.attempt_id;
  if (!run || !attempt_id) {
    return (
      <Empty title={trans.__('No log')}>
        {block ? trans.__('%1 did not run in this run.', block) : trans.__('Choose a block in the graph.')}
      </Empty>
    );
  }
  return (
    <LogPane
      api={model.api}
      place={{ project: model.project ?? '', run_id: run.run_id }}
      sources={[{ block, attempt_id }]}
      trans={trans}
    />
  );
}
