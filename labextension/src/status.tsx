/**
 * The line in the status bar: how far the pipeline is.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { GroupItem, TextItem, type IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { StateName } from './blockState';
import { CommandIds } from './commands';
import type { BlocksModel } from './model';
import { hasEnded } from './runState';
import { StateIcon } from './stateIcon';

/** Add it, where there is a status bar. */
export function addStatus(
  app: JupyterFrontEnd,
  model: BlocksModel,
  statusBar: IStatusBar | null,
  trans: TranslationBundle
): void {
  const item = ReactWidget.create(
    <UseSignal signal={model.changed}>
      {() => <Status app={app} model={model} trans={trans} />}
    </UseSignal>
  );
  item.addClass('jp-Blocks');
  statusBar?.registerStatusItem('jupyter-blocks:status', {
    item,
    align: 'left',
    rank: 60,
    isActive: () => (model.analysis?.blocks.length ?? 0) > 0,
    activeStateChanged: model.changed
  });
}

function Status(props: {
  app: JupyterFrontEnd;
  model: BlocksModel;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { app, model, trans } = props;
  const analysis = model.analysis;
  if (!analysis) {
    return null;
  }
  const [shape, text] = statusOf(model, trans);
  const open = (): void => {
    const command = model.run?.status === 'RUNNING' ? CommandIds.openRun : CommandIds.open;
    void app.commands.execute(command);
  };
  return (
    <GroupItem
      spacing={4}
      className="jp-Blocks-status"
      title={trans.__('Show the pipeline')}
      tabIndex={0}
      role="button"
      onClick={open}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          open();
        }
      }}
    >
      <StateIcon name={shape} label="" />
      <TextItem source={text} />
    </GroupItem>
  );
}

/** What to show: errors first, then a run, then what is stored. */
function statusOf(model: BlocksModel, trans: TranslationBundle): [StateName, string] {
  const { blocks, pipeline, problems } = model.analysis!;
  const errors = problems.filter(problem => problem.severity === 'error').length;
  const run = model.run;
  if (run?.status === 'RUNNING') {
    const states = Object.values(run.blocks);
    const done = states.filter(hasEnded).length;
    return ['running', trans.__('%1: %2 of %3', pipeline, done, states.length)];
  }
  if (errors > 0) {
    return ['failed', `${pipeline}: ${trans._n('%1 problem', '%1 problems', errors)}`];
  }
  const fresh = blocks.filter(block => block.freshness.state === 'fresh').length;
  if (run?.status === 'FAILED' && fresh < blocks.length) {
    return ['failed', trans.__('%1: failed', pipeline)];
  }
  const shape: StateName = fresh === blocks.length ? 'fresh' : fresh > 0 ? 'stale' : 'missing';
  return [shape, trans.__('%1: %2 of %3 fresh', pipeline, fresh, blocks.length)];
}
