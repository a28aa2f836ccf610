import type { BlocksApi, ILogSource } from '../src/api';
import { LogModel } from '../src/run/logModel';
import type { ILog, ILogLine } from '../src/tokens';

const PLACE = { project: 'p', run_id: 'r' };

function line(text: string, ts: number | null = 1, stream = 'stdout'): ILogLine {
  return { text, ts, stream };
}

/** Logs that are read in the pieces given; a piece without an end is followed by the next. */
class Logs {
  asked: [ILogSource, number][] = [];

  constructor(private readonly pieces: Record<string, ILogLine[][]>) {}

  log = (_project: string, _run: string, source: ILogSource, offset: number): Promise<ILog> => {
    this.asked.push([source, offset]);
    const block = source.block ?? '';
    const all = this.pieces[block]!;
    const lines = all[offset] ?? [];
    const next_offset = Math.min(offset + 1, all.length);
    const ended = next_offset >= all.length;
    const answer = { block, attempt_id: 'a', offset, next_offset, bytes: all.length, ended, lines };
    return Promise.resolve(answer);
  };
}

async function read(pieces: Record<string, ILogLine[][]>): Promise<LogModel> {
  const logs = new Logs(pieces);
  const sources = Object.keys(pieces).map(block => ({ block }));
  const model = new LogModel(logs as unknown as BlocksApi, PLACE, sources);
  await new Promise<void>(resolve => model.changed.connect(() => resolve()));
  return model;
}

test('what was printed at once may be half a line, or several', async () => {
  const model = await read({
    a: [[line('one\ntw', 1)], [line('o\n', 2), line('warn', 3, 'stderr')], [line('three', 4)]]
  });
  expect(model.lines.map(({ text, ts, stream }) => [text, ts, stream])).toEqual([
    ['one', 1, 'stdout'],
    ['two', 1, 'stdout'],
    ['warn', 3, 'stderr'],
    ['three', 4, 'stdout']
  ]);
});

test('colours go, and a line that was rewritten is shown as it ended', async () => {
  const model = await read({ a: [[line('\u001b[31mred\u001b[0m\n10%\r50%\r100%\nwin\r\n')]] });
  expect(model.lines.map(({ text }) => text)).toEqual(['red', '100%', 'win']);
});

test('logs of several blocks are one, by time', async () => {
  const model = await read({ a: [[line('a1\n', 1), line('a3\n', 3)]], b: [[line('b2\n', 2)]] });
  expect(model.lines.map(({ text, block }) => `${block}:${text}`)).toEqual(['a:a1', 'b:b2', 'a:a3']);
});

test('a log without bound is held within bounds, the end of it', async () => {
  const model = await read({ a: [[line(`${'x\n'.repeat(20_500)}last\n`)]] });
  expect(model.lines).toHaveLength(20_000);
  expect(model.dropped).toBe(501);
  expect(model.lines.at(-1)?.text).toBe('last');
});

test('a log is asked again until it has ended, and then no more', async () => {
  jest.useFakeTimers();
  try {
    let ended = false;
    const asked: number[] = [];
    const log = (_p: string, _r: string, _s: ILogSource, offset: number): Promise<ILog> => {
      asked.push(offset);
      const lines = offset === 0 ? [line('one\n')] : [];
      return Promise.resolve({ block: 'a', attempt_id: 'a', offset, next_offset: 4, bytes: 4, ended, lines });
    };
    const model = new LogModel({ log } as unknown as BlocksApi, PLACE, [{ block: 'a' }]);
    await jest.advanceTimersByTimeAsync(2500);
    const before = asked.length;
    expect(before).toBeGreaterThan(2);
    ended = true;
    await jest.advanceTimersByTimeAsync(1500);
    const after = asked.length;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(after);
    expect(model.lines.map(({ text }) => text)).toEqual(['one']);
    model.dispose();
  } finally {
    jest.useRealTimers();
  }
});

test('a server that does not answer is told of, and asked again', async () => {
  jest.useFakeTimers();
  try {
    let isDown = true;
    const log = (): Promise<ILog> =>
      isDown
        ? Promise.reject(new Error('no answer'))
        : Promise.resolve({
            block: 'a', attempt_id: 'a', offset: 0, next_offset: 4, bytes: 4, ended: true, lines: [line('one\n')]
          });
    const model = new LogModel({ log } as unknown as BlocksApi, PLACE, [{ block: 'a' }]);
    await jest.advanceTimersByTimeAsync(10);
    expect(model.error?.message).toBe('no answer');
    isDown = false;
    await jest.advanceTimersByTimeAsync(1100);
    expect(model.error).toBeNull();
    expect(model.lines).toHaveLength(1);
  } finally {
    jest.useRealTimers();
  }
});
