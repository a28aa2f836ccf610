/**
 * The preview of the sidebar: the stored outputs of the selected block, in short.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ago, bytes, count } from '../format';
import type { BlocksModel } from '../model';
import { Empty } from '../panels/states';
import type { IVariable } from '../tokens';
import { Select } from './controls';
import { ValueView } from './valueView';

interface IProps {
  model: BlocksModel;
  /** Show an output in the main area. */
  open(variable: IVariable): void;
  trans: TranslationBundle;
}

export function PreviewPanel({ model, open, trans }: IProps): JSX.Element {
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
  const { pipeline } = model.analysis!;
  const place = { project: model.project ?? '', pipeline, block, output: variable.name, run_id: variable.run_id };
  return (
    <div className="jp-Blocks-preview">
      <header role="none">
        <strong title={block}>{block}</strong>
        {outputs.length > 1 ? (
          <Select
            label={trans.__('Output')}
            value={variable.name}
            options={outputs.map(output => output.name)}
            change={choose}
          />
        ) : (
          <span className="jp-Blocks-outputName">{variable.name}</span>
        )}
        <span className="jp-Blocks-figures" title={figuresOf(variable, trans)}>
          {figuresOf(variable, trans)}
        </span>
        <button
          className="jp-Blocks-iconButton"
          title={trans.__('Open in a tab: statistics, charts, changes')}
          aria-label={trans.__('Open %1 in a tab', variable.name)}
          onClick={() => open(variable)}
        >
          <launchIcon.react tag="span" width="14px" height="14px" />
        </button>
      </header>
      <ValueView
        key={`${block}/${variable.name}`}
        api={model.api}
        place={place}
        variable={variable}
        isSmall
        trans={trans}
      />
    </div>
  );
}

/** `27,004 rows · 1.2 MB · 3 min ago`. */
export function figuresOf(variable: IVariable, trans: TranslationBundle): string {
  const parts = variable.rows === null ? [] : [trans._n('%2 row', '%2 rows', variable.rows, count(variable.rows))];
  return [...parts, bytes(variable.bytes), ago(variable.created_at, Date.now() / 1000)].join(' · ');
}
