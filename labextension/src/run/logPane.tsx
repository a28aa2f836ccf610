/**
 * A log with search, which follows what is printed until one scrolls up.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, ILogSource } from '../api';
import { Empty, Fault, Loading } from '../panels/states';
import { LogModel, type IShownLine } from './logModel';
import type { IRunPlace } from './runModel';

const LINE_HEIGHT = 18;
/** Lines above and below those in sight. */
const MARGIN_LINES = 20;

interface IProps {
  api: BlocksApi;
  place: IRunPlace;
  /** Whose logs; a change of these shows others. */
  sources: readonly ILogSource[];
  /** Whether to say which block printed a line. */
  withBlocks?: boolean;
  /** What else stands in the bar above. */
  children?: React.ReactNode;
  trans: TranslationBundle;
}

export function LogPane(props: IProps): JSX.Element {
  const { api, place, sources, trans } = props;
  const key = JSON.stringify([place, sources]);
  const [model, setModel] = React.useState<LogModel | null>(null);
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  const [search, setSearch] = React.useState('');
  const [isFollowing, setFollowing] = React.useState(true);
  React.useEffect(() => {
    const made = new LogModel(api, place, sources);
    made.changed.connect(redraw);
    setModel(made);
    return () => made.dispose();
  }, [key]);
  const found = matching(model?.lines ?? [], search);
  return (
    <div className="jp-Blocks-log">
      <div className="jp-Blocks-logBar">
        {props.children}
        <span className="jp-Blocks-space" />
        <input
          type="search"
          placeholder={trans.__('Search')}
          aria-label={trans.__('Search in the log')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
        {search && <span className="jp-Blocks-when">{trans._n('%1 line', '%1 lines', found.length)}</span>}
        <label className="jp-Blocks-check">
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={event => setFollowing(event.target.checked)}
          />
          {trans.__('Follow')}
        </label>
      </div>
      {model?.error && <Fault message={model.error.message} hint={model.error.hint} />}
      {!model?.isReady ? (
        <Loading label={trans.__('Reading the log …')} />
      ) : found.length === 0 ? (
        <Empty title={search ? trans.__('Nothing found') : trans.__('Nothing was printed')} />
      ) : (
        <Lines
          lines={found}
          dropped={model.dropped}
          search={search}
          withBlocks={props.withBlocks ?? false}
          isFollowing={isFollowing}
          setFollowing={setFollowing}
          trans={trans}
        />
      )}
    </div>
  );
}

/** Lines that hold a text, whatever its case. */
function matching(lines: readonly IShownLine[], search: string): readonly IShownLine[] {
  const wanted = search.toLowerCase();
  return wanted ? lines.filter(line => line.text.toLowerCase().includes(wanted)) : lines;
}

/** Only the lines in sight are part of the page. */
function Lines(props: {
  lines: readonly IShownLine[];
  dropped: number;
  search: string;
  withBlocks: boolean;
  isFollowing: boolean;
  setFollowing: (value: boolean) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { lines, isFollowing, setFollowing, trans } = props;
  const frame = React.useRef<HTMLDivElement>(null);
  const [top, setTop] = React.useState(0);
  const [height, setHeight] = React.useState(600);
  React.useLayoutEffect(() => {
    const node = frame.current!;
    const sizes = new ResizeObserver(() => setHeight(node.clientHeight));
    sizes.observe(node);
    return () => sizes.disconnect();
  }, []);
  React.useLayoutEffect(() => {
    if (isFollowing) {
      frame.current!.scrollTop = frame.current!.scrollHeight;
    }
  }, [isFollowing, lines.length]);
  const onScroll = (): void => {
    const node = frame.current!;
    setTop(node.scrollTop);
    const isAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < LINE_HEIGHT;
    if (isAtEnd !== isFollowing) {
      setFollowing(isAtEnd);
    }
  };
  const first = Math.max(0, Math.floor(top / LINE_HEIGHT) - MARGIN_LINES);
  const last = Math.ceil((top + height) / LINE_HEIGHT) + MARGIN_LINES;
  return (
    <div className="jp-Blocks-logLines" ref={frame} onScroll={onScroll} tabIndex={0} role="log" aria-live="off">
      {props.dropped > 0 && first === 0 && (
        <div className="jp-Blocks-logLine jp-Blocks-when">{trans.__('%1 older lines are not shown.', props.dropped)}</div>
      )}
      <div style={{ height: first * LINE_HEIGHT }} />
      {lines.slice(first, last).map((line, at) => (
        <div className="jp-Blocks-logLine" data-stream={line.stream} key={first + at}>
          <time>{clock(line.ts)}</time>
          {props.withBlocks && <b>{line.block || trans.__('run')}</b>}
          <span>{marked(line.text, props.search)}</span>
        </div>
      ))}
      <div style={{ height: Math.max(0, lines.length - last) * LINE_HEIGHT }} />
    </div>
  );
}

/** `14:02:19`, in the time of this place. */
export function clock(seconds: number | null): string {
  return seconds === null ? '' : new Date(seconds * 1000).toTimeString().slice(0, 8);
}

function marked(text: string, search: string): React.ReactNode {
  const at = search ? text.toLowerCase().indexOf(search.toLowerCase()) : -1;
  if (at < 0) {
    return text;
  }
  const end = at + search.length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
