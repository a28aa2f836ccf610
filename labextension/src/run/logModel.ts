/**
 * What blocks print: read piece by piece, followed while it grows, and never held without bound.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { BlocksApi, ILogSource } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import type { ILog, ILogLine } from '../tokens';
import type { IRunPlace } from './runModel';

/** While something runs; nothing is asked once every log has ended. */
const FOLLOW_EVERY_MS = 1000;
/** The oldest lines go first. */
const KEPT_LINES = 20_000;
/** So many pieces of one log in a row, before the others have their turn. */
const PIECES = 20;
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*(?:\u0007|\u001b\\)/g;

export interface IShownLine extends ILogLine {
  /** Block that printed it; empty for the process that drives the run. */
  block: string;
}

/** Reads one log: what was written at once may be half a line, or several. */
class Reader {
  constructor(readonly source: ILogSource) {}

  offset = 0;
  ended = false;

  /** The lines that are whole now. */
  take(log: ILog): IShownLine[] {
    const block = log.block ?? '';
    const found: IShownLine[] = [];
    for (const piece of log.lines) {
      const begun = this._begun.get(piece.stream);
      const parts = ((begun?.text ?? '') + piece.text).split('\n');
      const rest = parts.pop()!;
      const ts = begun?.ts ?? piece.ts;
      found.push(...parts.map((text, at) => ({ block, text: shown(text), stream: piece.stream, ts: at ? piece.ts : ts })));
      if (rest) {
        this._begun.set(piece.stream, { ...piece, block, text: rest, ts: parts.length ? piece.ts : ts });
      } else {
        this._begun.delete(piece.stream);
      }
    }
    this.offset = log.next_offset;
    this.ended = log.ended && log.next_offset >= log.bytes;
    if (this.ended) {
      found.push(...[...this._begun.values()].map(line => ({ ...line, text: shown(line.text) })));
    }
    return found;
  }

  private readonly _begun = new Map<string, IShownLine>();
}

/** What a terminal would show of a line, without its colours. */
function shown(text: string): string {
  const line = text.replace(ESCAPES, '').replace(/\r+$/, '');
  return line.slice(line.lastIndexOf('\r') + 1);
}

/** The logs of some attempts of a run, as one. */
export class LogModel implements IDisposable {
  constructor(
    private readonly api: BlocksApi,
    private readonly place: IRunPlace,
    sources: readonly ILogSource[]
  ) {
    this._readers = sources.map(source => new Reader(source));
    void this._follow();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** By time. */
  get lines(): readonly IShownLine[] {
    return this._lines;
  }

  /** How many lines are not shown any more. */
  get dropped(): number {
    return this._dropped;
  }

  /** Whether every log was read at least once. */
  get isReady(): boolean {
    return this._isReady;
  }

  get error(): BlocksError | null {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private async _follow(): Promise<void> {
    try {
      const pieces = await Promise.all(this._readers.filter(one => !one.ended).map(one => this._read(one)));
      this._add(pieces.flat());
      this._error = null;
    } catch (error) {
      this._error = asBlocksError(error);
    }
    if (this._isDisposed) {
      return;
    }
    this._isReady = true;
    this._changed.emit();
    if (this._readers.some(one => !one.ended)) {
      this._timer = window.setTimeout(() => void this._follow(), FOLLOW_EVERY_MS);
    }
  }

  private async _read(reader: Reader): Promise<IShownLine[]> {
    const lines: IShownLine[] = [];
    for (let piece = 0; piece < PIECES && !this._isDisposed; piece++) {
      const before = reader.offset;
      const { project, run_id } = this.place;
      lines.push(...reader.take(await this.api.log(project, run_id, reader.source, before)));
      if (reader.ended || reader.offset === before) {
        break;
      }
    }
    return lines;
  }

  private _add(lines: IShownLine[]): void {
    if (lines.length === 0) {
      return;
    }
    const all = [...this._lines, ...lines];
    if (this._readers.length > 1) {
      all.sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0)); // stable: lines of one block keep their order
    }
    const over = Math.max(0, all.length - KEPT_LINES);
    this._dropped += over;
    this._lines = over > 0 ? all.slice(over) : all;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _readers: Reader[];
  private _lines: IShownLine[] = [];
  private _dropped = 0;
  private _isReady = false;
  private _isDisposed = false;
  private _error: BlocksError | null = null;
  private _timer = 0;
}
