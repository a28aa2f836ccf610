/**
 * The pipeline of the notebook in front: its analysis, the run that is followed, what is selected.
 *
 * Panels and chips render it and call its methods. Nothing is polled: an edit asks for a new
 * analysis, events of the server tell of runs, and a gap in them asks for the state of the run.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Debouncer, Throttler } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import type { BlocksApi } from './api';
import { asBlocksError, BlocksError } from './errors';
import { contentOf } from './notebookContent';
import { USUAL, withOptions, type IRunOptions } from './runOptions';
import { merged } from './runState';
import type {
  IAnalysis,
  IAnalyzedBlock,
  IBlocks,
  IExecutor,
  IExport,
  IPlan,
  IProposal,
  IRunEvent,
  IRunRecord,
  IRunRequest,
  IRunState,
  ITakenBack,
  IVariable
} from './tokens';

/** `none`: no notebook is in front. */
export type Phase = 'none' | 'loading' | 'error' | 'ready';

const ANALYSIS_DELAY_MS = 400;
const REFRESH_DELAY_MS = 250;

/** State of the sidebar and of the chips. */
export class BlocksModel implements IBlocks {
  constructor(readonly api: BlocksApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A run has ended, as seen by this client. */
  get runEnded(): ISignal<this, IRunState> {
    return this._runEnded;
  }

  /** Somebody asked to see a block: by name. */
  get revealed(): ISignal<this, string> {
    return this._revealed;
  }

  get panel(): NotebookPanel | null {
    return this._panel;
  }

  get phase(): Phase {
    return this._phase;
  }

  get error(): BlocksError | null {
    return this._error;
  }

  get analysis(): IAnalysis | null {
    return this._analysis;
  }

  /** Folder of the project below the root of the server, empty for the root; null for none yet. */
  get project(): string | null {
    return this._analysis?.project ?? null;
  }

  get run(): IRunState | null {
    return this._run;
  }

  get runs(): readonly IRunRecord[] {
    return this._runs;
  }

  get variables(): readonly IVariable[] {
    return this._variables;
  }

  /** Name of the selected block; empty if there is none. */
  get selected(): string {
    return this._selected;
  }

  /** Whether a run is being asked for and has no id yet. */
  get isStarting(): boolean {
    return this._isStarting;
  }

  /** What the next runs do differently. */
  get options(): IRunOptions {
    return this._options;
  }

  setOptions(options: IRunOptions): void {
    this._options = options;
    this._changed.emit();
  }

  /** What blocks can run on; asked once. */
  executors(): Promise<IExecutor[]> {
    this._executors ??= this.api.executors().catch((error: unknown) => {
      this._executors = null;
      throw error;
    });
    return this._executors;
  }

  block(name: string): IAnalyzedBlock | undefined {
    return this._analysis?.blocks.find(block => block.name === name);
  }

  /** The block that a cell is part of. */
  blockOfCell(id: string): IAnalyzedBlock | undefined {
    return this._analysis?.blocks.find(block => block.cell_ids.includes(id));
  }

  /** Follow another notebook; null for none. */
  async show(panel: NotebookPanel | null): Promise<void> {
    if (panel === this._panel) {
      return;
    }
    this._panel?.model?.contentChanged.disconnect(this._contentChanged, this);
    this._panel = panel;
    this._analysis = this._run = this._error = null;
    this._runs = [];
    this._variables = [];
    this._selected = '';
    this._options = USUAL;
    this._proposals = null;
    this._phase = panel ? 'loading' : 'none';
    this._changed.emit();
    if (panel) {
      await panel.context.ready;
      if (panel === this._panel && !panel.isDisposed) {
        panel.model?.contentChanged.connect(this._contentChanged, this);
        await this.analyze();
      }
    }
  }

  /** Ask for the analysis of the notebook as it is now. */
  async analyze(): Promise<void> {
    const panel = this._panel;
    if (!panel?.model) {
      return;
    }
    try {
      const analysis = await this.api.analyze(panel.context.path, contentOf(panel));
      if (panel !== this._panel) {
        return;
      }
      const isFirst = this._analysis === null;
      this._analysis = analysis;
      this._error = null;
      this._phase = 'ready';
      if (isFirst) {
        await this._readStore();
      }
    } catch (error) {
      this._fail(error);
    }
    this._changed.emit();
  }

  /** What the cells could be, while that is being looked over; null otherwise. */
  get proposals(): readonly IProposal[] | null {
    return this._proposals;
  }

  /** Ask for tags that the cells could have, to look them over. Throws what the server refuses. */
  async suggest(): Promise<void> {
    const panel = this._panel;
    if (panel) {
      const proposals = await this.api.suggest(panel.context.path, contentOf(panel));
      if (panel === this._panel) {
        this._proposals = proposals;
        this._changed.emit();
      }
    }
  }

  /** Be done with the proposals. */
  forgetProposals(): void {
    this._proposals = null;
    this._changed.emit();
  }

  select(name: string): void {
    if (name !== this._selected) {
      this._selected = name;
      this._changed.emit();
    }
  }

  /** Select a block and bring its cell into sight. */
  reveal(name: string): void {
    this.select(name);
    this._revealed.emit(name);
  }

  /** Save the notebook and run it; resolves to the id of the run. Throws what the server refuses. */
  async start(request: IRunRequest): Promise<string> {
    this._isStarting = true;
    this._changed.emit();
    try {
      const panel = await this._saved();
      const id = await this.api.start(panel.context.path, withOptions(request, this._options));
      await this.analyze(); // the project may be new
      await this.follow(id);
      return id;
    } finally {
      this._isStarting = false;
      this._changed.emit();
    }
  }

  /** Save the notebook and write its files, or say what would be written. Throws what is refused. */
  async export(how: { check?: boolean; force?: boolean }): Promise<IExport> {
    const panel = await this._saved();
    const done = await this.api.export(panel.context.path, how);
    if (!how.check) {
      await this.analyze();
    }
    return done;
  }

  /**
   * Save the notebook, bring into it what was changed in its files, and show it as it is then.
   *
   * With conflicts nothing is changed, unless `force` lets the files win.
   */
  async takeBack(force: boolean): Promise<ITakenBack> {
    const panel = await this._saved();
    const taken = await this.api.takeBack(panel.context.path, force);
    if (force || taken.conflicts.length === 0) {
      const active = panel.content.activeCellIndex;
      await panel.context.revert();
      panel.content.activeCellIndex = active;
      await this.analyze();
    }
    return taken;
  }

  /** Save the notebook and find out what a run of it would do. Throws what the server refuses. */
  async plan(request: IRunRequest): Promise<IPlan> {
    const panel = await this._saved();
    return this.api.plan(panel.context.path, withOptions(request, this._options));
  }

  /** Go on with a run that ended early. */
  async resume(id: string): Promise<string> {
    const next = await this.api.resume(this._project(), id);
    await this.follow(next);
    return next;
  }

  async cancel(): Promise<void> {
    if (this._run) {
      await this.api.cancel(this._project(), this._run.run_id);
      await this._refreshRun();
    }
  }

  /** Show the state of a run from now on. */
  async follow(id: string): Promise<void> {
    const { project } = this;
    if (project !== null) {
      this._take(await this.api.run(project, id));
      this._runs = await this.api.runs(project, this._analysis!.pipeline);
      this._changed.emit();
    }
  }

  /** Take up an event of the server. */
  onRunEvent(event: IRunEvent): void {
    const analysis = this._analysis;
    if (event.project !== analysis?.project || event.pipeline !== analysis.pipeline) {
      return;
    }
    const known = this._run;
    if (known?.run_id === event.run_id && event.seq <= known.seq) {
      return;
    }
    if (known?.run_id === event.run_id || known?.status !== 'RUNNING') {
      this._pending = event.run_id;
      void this._refresh.invoke();
    }
  }

  private async _refreshRun(): Promise<void> {
    const { project } = this;
    const id = this._pending || this._run?.run_id;
    if (project === null || !id) {
      return;
    }
    this._pending = '';
    try {
      if (id === this._run?.run_id) {
        this._take(await this.api.run(project, id, this._run.seq));
        this._changed.emit();
      } else {
        await this.follow(id);
      }
    } catch (error) {
      this._fail(error);
      this._changed.emit();
    }
  }

  private _take(state: IRunState): void {
    const before = this._run;
    this._run = merged(before, state);
    if (before?.run_id === state.run_id && before.status === 'RUNNING' && state.status !== 'RUNNING') {
      this._runEnded.emit(this._run);
    }
    if (state.status !== 'RUNNING') {
      void this._readStore().then(() => this.analyze());
    }
  }

  /** Runs and stored outputs of the project, and the newest run. */
  private async _readStore(): Promise<void> {
    const { project } = this;
    if (project === null) {
      return;
    }
    const { pipeline } = this._analysis!;
    try {
      [this._runs, this._variables] = await Promise.all([
        this.api.runs(project, pipeline),
        this.api.variables(project, pipeline)
      ]);
      const newest = this._runs[0];
      if (newest && !this._run) {
        this._run = await this.api.run(project, newest.run_id);
      }
    } catch (error) {
      // A project whose pipeline was never exported has neither.
      if (!(error instanceof BlocksError && error.status >= 400 && error.status < 500)) {
        throw error;
      }
    }
  }

  /** The notebook in front, once its file is as it is shown. */
  private async _saved(): Promise<NotebookPanel> {
    if (!this._panel) {
      throw new BlocksError('No notebook is open.');
    }
    if (this._panel.context.model.dirty) {
      await this._panel.context.save();
    }
    return this._panel;
  }

  private _contentChanged(): void {
    void this._edited.invoke();
  }

  private _project(): string {
    if (this.project === null) {
      throw new BlocksError('The notebook has no project yet.', 'Run it once.');
    }
    return this.project;
  }

  private _fail(error: unknown): void {
    this._error = asBlocksError(error);
    if (this._analysis === null) {
      this._phase = 'error';
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _runEnded = new Signal<this, IRunState>(this);
  private readonly _revealed = new Signal<this, string>(this);
  private readonly _edited = new Debouncer(() => this.analyze(), ANALYSIS_DELAY_MS);
  // Not a debouncer: a run that tells something all the time would never be shown.
  private readonly _refresh = new Throttler(() => this._refreshRun(), {
    limit: REFRESH_DELAY_MS,
    edge: 'trailing'
  });
  private _panel: NotebookPanel | null = null;
  private _phase: Phase = 'none';
  private _analysis: IAnalysis | null = null;
  private _run: IRunState | null = null;
  private _runs: IRunRecord[] = [];
  private _variables: IVariable[] = [];
  private _error: BlocksError | null = null;
  private _selected = '';
  private _isStarting = false;
  private _options: IRunOptions = USUAL;
  private _proposals: readonly IProposal[] | null = null;
  private _executors: Promise<IExecutor[]> | null = null;
  private _pending = '';
}
