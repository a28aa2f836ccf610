/**
 * A run in the main area: when each block ran and where, its log, its error, and why.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ILogSource } from '../api';
import { cellText, duration } from '../format';
import { blocksIcon } from '../icons';
import { Fault, Guard, Loading } from '../panels/states';
import { blockWords, canResume, progress, runShape, runWords } from '../runState';
import { StateIcon } from '../stateIcon';
import type { IRunState } from '../tokens';
import { Details } from './details';
import { clock, LogPane } from './logPane';
import { PlanTable } from './planTable';
import type { RunModel } from './runModel';
import { Timeline } from './timeline';

type Tab = 'block' | 'all' | 'run' | 'plan';

/** What the view asks of the application. */
export interface IRunActions {
  /** Bring a cell of a notebook into sight; the path of the notebook is below the project. */
  goTo(notebook: string, cell: number, line: number | null): void;
  /** Show another run. */
  open(project: string, run: string): void;
}

interface IProps {
  model: RunModel;
  actions: IRunActions;
  trans: TranslationBundle;
}

/** The content of the tab of a run. */
export class RunView extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    const { run_id } = props.model.place;
    this.id = `jupyter-blocks-run-${run_id}`;
    this.title.icon = blocksIcon;
    this.title.label = props.trans.__('Run');
    this.title.caption = run_id;
    this.title.closable = true;
    this.addClass('jp-Blocks');
    this.addClass('jp-Blocks-runView');
    props.model.changed.connect(() => {
      const pipeline = props.model.state?.pipeline;
      if (pipeline) {
        this.title.label = props.trans.__('Run · %1', pipeline);
      }
    });
  }

  get model(): RunModel {
    return this.props.model;
  }

  override dispose(): void {
    this.props.model.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this.props.model.changed}>{() => <View {...this.props} />}</UseSignal>
    );
  }
}

function View(props: IProps): JSX.Element {
  const { actions, model, trans } = props;
  const run = model.state;
  if (!run) {
    return model.error ? (
      <Fault
        message={model.error.message}
        hint={model.error.hint}
        retry={{ label: trans.__('Try again'), action: () => void model.refresh() }}
      />
    ) : (
      <Loading label={trans.__('Reading the run …')} />
    );
  }
  const block = run.blocks[model.selected];
  return (
    <>
      <Header {...props} run={run} />
      {model.error && <Fault message={model.error.message} hint={model.error.hint} />}
      <Timeline
        run={run}
        attempts={model.attempts}
        selected={model.selected}
        select={name => model.select(name)}
        trans={trans}
      />
      <div className="jp-Blocks-runLower">
        <Guard>
          <Lower model={model} run={run} trans={trans} />
        </Guard>
        {block && (
          <Details
            name={model.selected}
            block={block}
            run={run}
            goTo={actions.goTo}
            trans={trans}
          />
        )}
      </div>
    </>
  );
}

function Header({ actions, model, run, trans }: IProps & { run: IRunState }): JSX.Element {
  const parameters = Object.entries(run.parameters);
  const resume = async (): Promise<void> => {
    const next = await model.resume();
    if (next) {
      actions.open(model.place.project, next);
    }
  };
  const end = run.finished_at;
  return (
    <header className="jp-Blocks-runHeader" data-status={run.status}>
      <StateIcon name={runShape(run.status)} label="" />
      <h2 title={run.run_id}>{run.pipeline}</h2>
      <span className={`jp-Blocks-runStatus jp-mod-${runShape(run.status)}`}>
        {runWords(run.status, trans)}
      </span>
      <span className="jp-Blocks-when">
        {[
          progress(run, trans),
          run.started_at === null ? '' : trans.__('started %1', clock(run.started_at)),
          run.started_at !== null && end !== null ? duration(end - run.started_at) : ''
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
      <span className="jp-Blocks-space" />
      {parameters.slice(0, 6).map(([name, value]) => (
        <span className="jp-Blocks-pill" key={name}>
          {name} <b>{cellText(value)}</b>
        </span>
      ))}
      {canResume(run.status) && (
        <button className="jp-Blocks-button jp-mod-primary" onClick={() => void resume()}>
          {run.status === 'FAILED' ? trans.__('Retry failed') : trans.__('Resume')}
        </button>
      )}
      {run.status === 'RUNNING' && (
        <button className="jp-Blocks-button" disabled={run.cancelling} onClick={() => void model.cancel()}>
          {run.cancelling ? trans.__('Stopping …') : trans.__('Cancel')}
        </button>
      )}
    </header>
  );
}

function Lower(props: { model: RunModel; run: IRunState; trans: TranslationBundle }): JSX.Element {
  const { model, run, trans } = props;
  const [tab, setTab] = React.useState<Tab>('block');
  const sources = sourcesOf(model, tab);
  const tabs = (
    <div className="jp-Blocks-tabs" role="tablist">
      {(
        [
          ['block', model.selected],
          ['all', trans.__('All blocks')],
          ['run', trans.__('Run')],
          ['plan', trans.__('Plan')]
        ] as [Tab, string][]
      ).map(([name, label]) => (
        <button key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>
          {label}
        </button>
      ))}
    </div>
  );
  return (
    <section className="jp-Blocks-runLog">
      {tab === 'plan' ? (
        <>
          <div className="jp-Blocks-logBar">{tabs}</div>
          <PlanTable rows={planOf(run, trans)} trans={trans} />
        </>
      ) : (
        <LogPane
          api={model.api}
          place={model.place}
          sources={sources}
          withBlocks={tab === 'all'}
          trans={trans}
        >
          {tabs}
        </LogPane>
      )}
    </section>
  );
}

/** Every attempt of the block that is looked at; of all blocks; or the run's own log. */
function sourcesOf(model: RunModel, tab: Tab): ILogSource[] {
  if (tab === 'run') {
    return [{}];
  }
  const wanted = tab === 'all' ? model.attempts : model.attempts.filter(one => one.block === model.selected);
  return wanted.map(({ block, attempt_id }) => ({ block, attempt_id }));
}

function planOf(run: IRunState, trans: TranslationBundle): Parameters<typeof PlanTable>[0]['rows'] {
  return Object.entries(run.blocks).map(([name, block]) => ({
    name,
    type: block.type,
    action: blockWords(block.status, trans),
    reason: block.reason,
    executor: block.executor,
    executorReason: block.executor_reason
  }));
}
