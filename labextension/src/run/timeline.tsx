/**
 * When each block ran, where, how often, and how it ended.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { blockType } from '../blockTypes';
import { duration } from '../format';
import { blockShape, blockWords } from '../runState';
import { StateIcon } from '../stateIcon';
import type { IAttempt, IBlockRun, IRunState } from '../tokens';
import { place, tickLabel, timeScale, type IScale } from './timeScale';

interface IProps {
  run: IRunState;
  attempts: readonly IAttempt[];
  selected: string;
  select: (block: string) => void;
  trans: TranslationBundle;
}

export function Timeline(props: IProps): JSX.Element {
  const { attempts, run, trans } = props;
  const now = useNow(run.status === 'RUNNING');
  const scale = timeScale(run.started_at ?? now, run.finished_at ?? now);
  const byBlock = new Map<string, IAttempt[]>();
  for (const attempt of attempts) {
    byBlock.set(attempt.block, [...(byBlock.get(attempt.block) ?? []), attempt]);
  }
  return (
    <div className="jp-Blocks-timeline" role="table" aria-label={trans.__('Blocks of the run')}>
      <div className="jp-Blocks-timeRow jp-mod-head" role="row">
        <span role="columnheader">{trans.__('Block')}</span>
        <span role="columnheader">{trans.__('Executor')}</span>
        <span role="columnheader" className="jp-Blocks-lane" aria-label={trans.__('Time')}>
          {scale.ticks.map(tick => (
            <i key={tick} style={{ left: percent(tick / scale.length) }}>
              {tickLabel(tick)}
            </i>
          ))}
        </span>
        <span role="columnheader">{trans.__('Result')}</span>
      </div>
      {Object.entries(run.blocks).map(([name, block]) => (
        <Row key={name} {...props} name={name} block={block} attempts={byBlock.get(name) ?? []} scale={scale} now={now} />
      ))}
    </div>
  );
}

function Row(
  props: IProps & { name: string; block: IBlockRun; scale: IScale; now: number }
): JSX.Element {
  const { attempts, block, name, now, scale, select, trans } = props;
  const isSelected = props.selected === name;
  const type = blockType(block.type);
  return (
    <div
      className={`jp-Blocks-timeRow ${type?.className ?? ''} ${isSelected ? 'jp-mod-selected' : ''}`}
      role="row"
      tabIndex={isSelected ? 0 : -1}
      aria-selected={isSelected}
      data-block={name}
      onClick={() => select(name)}
      onKeyDown={event => walk(event, props)}
    >
      <span role="rowheader" className="jp-Blocks-rowName" title={name}>{name}</span>
      <span role="cell" className="jp-Blocks-rowExecutor" title={whyThere(block, trans)}>
        {block.status === 'CACHED' ? trans.__('stored') : block.executor}
      </span>
      <span role="cell" className="jp-Blocks-lane">
        {scale.ticks.map(tick => (
          <i key={tick} className="jp-Blocks-tick" style={{ left: percent(tick / scale.length) }} />
        ))}
        {attempts.map(attempt => (
          <Bars key={attempt.attempt_id} attempt={attempt} scale={scale} now={now} trans={trans} />
        ))}
      </span>
      <span role="cell" className="jp-Blocks-result" title={block.reason}>
        <StateIcon name={blockShape(block.status)} label="" />
        <span>{resultOf(block, now, trans)}</span>
      </span>
    </div>
  );
}

/** The wait for a place, and the work. */
function Bars(props: {
  attempt: IAttempt;
  scale: IScale;
  now: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { attempt, now, scale, trans } = props;
  const begun = attempt.running_at ?? attempt.started_at;
  const end = attempt.finished_at ?? now;
  const kind = attempt.phase === null ? 'RUNNING' : attempt.phase;
  const waited = begun - attempt.started_at;
  const title = [
    trans.__('Attempt %1: %2', attempt.attempt, duration(Math.max(0, end - begun))),
    waited > 0.1 ? trans.__('waited %1', duration(waited)) : ''
  ];
  return (
    <>
      {waited > 0 && (
        <b className="jp-Blocks-bar jp-mod-waiting" style={span(scale, attempt.started_at, begun)} />
      )}
      <b className="jp-Blocks-bar" data-phase={kind} style={span(scale, begun, end)} title={title.filter(Boolean).join(', ')} />
    </>
  );
}

function span(scale: IScale, start: number, end: number): React.CSSProperties {
  const left = place(scale, start);
  return { left: percent(left), width: percent(place(scale, end) - left) };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}

function resultOf(block: IBlockRun, now: number, trans: TranslationBundle): string {
  const words = blockWords(block.status, trans);
  const time =
    block.status === 'RUNNING' && block.started_at !== null
      ? duration(Math.max(0, now - block.started_at))
      : block.duration_s > 0
        ? duration(block.duration_s)
        : '';
  const tries = block.attempts > 1 ? trans.__('%1 attempts', block.attempts) : '';
  const isPlain = block.status === 'SUCCEEDED' && time !== '';
  return [isPlain ? '' : words, tries, time].filter(Boolean).join(' · ');
}

/** Why the block runs where it runs. */
function whyThere(block: IBlockRun, trans: TranslationBundle): string {
  return trans.__('%1: %2', block.executor, block.executor_reason);
}

function walk(
  event: React.KeyboardEvent<HTMLDivElement>,
  props: IProps & { name: string }
): void {
  const names = Object.keys(props.run.blocks);
  const at = names.indexOf(props.name);
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: names.length - 1 };
  const next = names[steps[event.key] ?? -1];
  if (next) {
    event.preventDefault();
    props.select(next);
    event.currentTarget.parentElement
      ?.querySelector<HTMLElement>(`[data-block="${CSS.escape(next)}"]`)
      ?.focus();
  }
}

/** Seconds since 1970, twice a second while something runs. */
function useNow(isRunning: boolean): number {
  const [now, setNow] = React.useState(() => Date.now() / 1000);
  React.useEffect(() => {
    if (!isRunning) {
      return undefined;
    }
    const timer = window.setInterval(() => setNow(Date.now() / 1000), 500);
    return () => window.clearInterval(timer);
  }, [isRunning]);
  return now;
}
