/**
 * A stored output as a tab of the main area; it follows the runs that store it anew.
 */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, spreadsheetIcon, UseSignal } from '@jupyterlab/ui-components';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { BlocksApi } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { Empty, Fault, Loading } from '../panels/states';
import type { IRunEvent, IVariable } from '../tokens';
import { Select } from './controls';
import { figuresOf } from './panel';
import { ValueView } from './valueView';

/** Which output; the newest value of it is shown. */
export interface IOutputName {
  project: string;
  pipeline: string;
  block: string;
  output: string;
}

/** The outputs of a block as they are stored now. */
export class OutputModel {
  constructor(
    readonly api: BlocksApi,
    readonly name: IOutputName
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get variable(): IVariable | undefined {
    return this.outputs.find(output => output.name === this.name.output);
  }

  /** Null until they are known. */
  get outputs(): readonly IVariable[] {
    return this._outputs ?? [];
  }

  get isKnown(): boolean {
    return this._outputs !== null;
  }

  get error(): BlocksError | null {
    return this._error;
  }

  async refresh(): Promise<void> {
    const { project, pipeline, block } = this.name;
    try {
      const all = await this.api.variables(project, pipeline);
      this._outputs = all.filter(variable => variable.block === block);
      this._error = null;
    } catch (error) {
      this._error = asBlocksError(error);
    }
    this._changed.emit();
  }

  /** A run has ended a block, or has ended itself. */
  onRunEvent(event: IRunEvent): void {
    const { project, pipeline, block } = this.name;
    const isOver = event.status !== 'RUNNING' || event.blocks[block] === 'SUCCEEDED' || event.more;
    if (event.project === project && event.pipeline === pipeline && isOver) {
      void this.refresh();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _outputs: IVariable[] | null = null;
  private _error: BlocksError | null = null;
}

interface IProps {
  model: OutputModel;
  /** Show another output of the block. */
  open(output: string): void;
  trans: TranslationBundle;
}

class OutputBody extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.addClass('jp-Blocks');
    this.addClass('jp-Blocks-output');
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.props.model.changed}>{() => <Output {...this.props} />}</UseSignal>;
  }
}

export class OutputTab extends MainAreaWidget<OutputBody> {
  constructor(
    readonly model: OutputModel,
    open: (output: string) => void,
    events: ISignal<unknown, IRunEvent>,
    trans: TranslationBundle
  ) {
    super({ content: new OutputBody({ model, open, trans }) });
    const { pipeline, block, output } = model.name;
    this.title.label = `${block} › ${output}`;
    this.title.caption = trans.__('%1 of block %2, pipeline %3', output, block, pipeline);
    this.title.icon = spreadsheetIcon;
    this.title.closable = true;
    this.toolbar.hide();
    events.connect(this.onRunEvent, this);
    void model.refresh();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  private onRunEvent(_: unknown, event: IRunEvent): void {
    this.model.onRunEvent(event);
  }
}

function Output({ model, open, trans }: IProps): JSX.Element {
  const { variable, error, name, outputs } = model;
  if (error && !variable) {
    return <Fault message={error.message} hint={error.hint} retry={{ label: trans.__('Try again'), action: () => void model.refresh() }} />;
  }
  if (!model.isKnown) {
    return <Loading label={trans.__('Reading …')} />;
  }
  if (!variable) {
    return (
      <Empty title={trans.__('Nothing stored')}>
        {trans.__('Run block %1 of pipeline %2, and its output %3 is shown here.', name.block, name.pipeline, name.output)}
      </Empty>
    );
  }
  const place = { ...name, run_id: variable.run_id };
  return (
    <>
      <header role="none" className="jp-Blocks-outputHead">
        <h2 title={name.block}>{name.block}</h2>
        <span aria-hidden="true">›</span>
        {outputs.length > 1 ? (
          <Select
            label={trans.__('Output')}
            value={variable.name}
            options={outputs.map(output => output.name)}
            change={open}
          />
        ) : (
          <span>{variable.name}</span>
        )}
        <span className="jp-Blocks-figures" title={`${variable.python_type}, ${variable.run_id}`}>
          {figuresOf(variable, trans)}
        </span>
        {variable.can_page && (
          <span className="jp-Blocks-downloads">
            {trans.__('Download')}
            {(['csv', 'parquet'] as const).map(format => (
              <a key={format} className="jp-Blocks-button" download href={model.api.downloadUrl(place, format)}>
                {format === 'csv' ? 'CSV' : 'Parquet'}
              </a>
            ))}
          </span>
        )}
      </header>
      <ValueView api={model.api} place={place} variable={variable} isSmall={false} trans={trans} />
    </>
  );
}
