/**
 * One run, as it goes on: its state, its attempts, which block is looked at.
 *
 * Nothing is polled: events of the server say that there is something new.
 */
import { Throttler } from '@lumino/polling';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { BlocksApi } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { merged } from '../runState';
import type { IAttempt, IRunEvent, IRunState } from '../tokens';

const REFRESH_DELAY_MS = 150;

/** Where a run is. */
export interface IRunPlace {
  /** Folder of the project below the root of the server. */
  project: string;
  run_id: string;
}

export class RunModel implements IDisposable {
  constructor(
    readonly api: BlocksApi,
    readonly place: IRunPlace,
    private readonly events: ISignal<unknown, IRunEvent>
  ) {
    events.connect(this._onEvent, this);
    void this.refresh();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Null until the server has answered. */
  get state(): IRunState | null {
    return this._state;
  }

  get attempts(): readonly IAttempt[] {
    return this._attempts;
  }

  get error(): BlocksError | null {
    return this._error;
  }

  /** Name of the block that is looked at: the one that was chosen, else what matters most. */
  get selected(): string {
    const names = Object.keys(this._state?.blocks ?? {});
    return names.includes(this._selected) ? this._selected : this._notable(names);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.events.disconnect(this._onEvent, this);
      this._refresh.dispose();
      Signal.clearData(this);
    }
  }

  select(block: string): void {
    this._selected = block;
    this._changed.emit();
  }

  /** Read what has changed since the last time. */
  async refresh(): Promise<void> {
    const { project, run_id } = this.place;
    try {
      const [state, attempts] = await Promise.all([
        this.api.run(project, run_id, this._state?.seq),
        this.api.attempts(project, run_id)
      ]);
      this._state = merged(this._state, state);
      this._attempts = attempts;
      this._error = null;
    } catch (error) {
      this._error = asBlocksError(error);
    }
    this._changed.emit();
  }

  async cancel(): Promise<void> {
    await this._ask(() => this.api.cancel(this.place.project, this.place.run_id));
    await this.refresh();
  }

  /** Go on with the run in a new one; its id, or null where the server refuses (see `error`). */
  async resume(): Promise<string | null> {
    return this._ask(() => this.api.resume(this.place.project, this.place.run_id));
  }

  private async _ask<T>(request: () => Promise<T>): Promise<T | null> {
    try {
      return await request();
    } catch (error) {
      this._error = asBlocksError(error);
      this._changed.emit();
      return null;
    }
  }

  private _notable(names: string[]): string {
    const blocks = this._state?.blocks ?? {};
    const first = (status: string): string | undefined =>
      names.find(name => blocks[name]!.status === status);
    return first('FAILED') ?? first('RUNNING') ?? first('SUCCEEDED') ?? names[0] ?? '';
  }

  private _onEvent(_: unknown, event: IRunEvent): void {
    const { project, run_id } = this.place;
    if (event.project === project && event.run_id === run_id && event.seq > (this._state?.seq ?? -1)) {
      void this._refresh.invoke().catch(() => undefined);
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _refresh = new Throttler(() => this.refresh(), {
    limit: REFRESH_DELAY_MS,
    edge: 'trailing'
  });
  private _state: IRunState | null = null;
  private _attempts: readonly IAttempt[] = [];
  private _error: BlocksError | null = null;
  private _selected = '';
  private _isDisposed = false;
}
