/**
 * Plain data as a tree that is fetched as it is unfolded; walked with the arrow keys.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { cellText, count } from '../format';
import { Fault, Loading } from '../panels/states';
import type { ITree, ITreeEntry } from '../tokens';

interface IProps {
  api: BlocksApi;
  place: IOutputPlace;
  trans: TranslationBundle;
}

/** What is known of one node; `entries` are those that were fetched. */
interface INode {
  length: number;
  kind: ITreeEntry['kind'];
  entries: ITreeEntry[];
}

/** One line of the tree as it is shown. */
interface ILine {
  path: number[];
  entry: ITreeEntry | null;
  /** How many entries of the node above are not fetched; 0 for lines that are entries. */
  more: number;
}

const keyOf = (path: readonly number[]): string => path.join('/');

export function TreeView({ api, place, trans }: IProps): JSX.Element {
  const [nodes, setNodes] = React.useState<ReadonlyMap<string, INode>>(new Map());
  const [open, setOpen] = React.useState<ReadonlySet<string>>(new Set(['']));
  const [root, setRoot] = React.useState<ITree | null>(null);
  const [current, setCurrent] = React.useState(0);
  const [error, setError] = React.useState<BlocksError | null>(null);
  const host = React.useRef<HTMLDivElement>(null);
  const fetch = async (path: number[]): Promise<void> => {
    const key = keyOf(path);
    try {
      const tree = await api.tree(place, path, nodes.get(key)?.entries.length ?? 0);
      setNodes(known => {
        const entries = [...(known.get(key)?.entries ?? []), ...tree.entries];
        return new Map(known).set(key, { kind: tree.kind, length: tree.length ?? 0, entries });
      });
      if (path.length === 0) {
        setRoot(tree);
      }
    } catch (reason) {
      setError(asBlocksError(reason));
    }
  };
  React.useEffect(() => void fetch([]), []);
  if (error) {
    return <Fault message={error.message} hint={error.hint} />;
  }
  if (!root) {
    return <Loading label={trans.__('Reading …')} />;
  }
  if (root.kind === 'value') {
    return <div className="jp-Blocks-scalar"><Scalar value={root.value} /></div>;
  }
  const lines = linesOf(nodes, open);
  const toggle = (line: ILine, wanted?: boolean): void => {
    const key = keyOf(line.path);
    if (line.more > 0) {
      void fetch(line.path);
      return;
    }
    if (line.entry?.kind === 'value' || wanted === open.has(key)) {
      return;
    }
    const next = new Set(open);
    if (!next.delete(key)) {
      next.add(key);
      if (!nodes.has(key)) {
        void fetch(line.path);
      }
    }
    setOpen(next);
  };
  const go = (to: number): void => {
    const next = Math.min(Math.max(to, 0), lines.length - 1);
    setCurrent(next);
    host.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[next]?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const line = lines[current];
    if (!line || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const isOpen = open.has(keyOf(line.path));
    const parent = lines.findIndex(one => keyOf(one.path) === keyOf(line.path.slice(0, -1)) && one.more === 0);
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(current + 1),
      ArrowUp: () => go(current - 1),
      Home: () => go(0),
      End: () => go(lines.length - 1),
      ArrowRight: () => (isOpen ? go(current + 1) : toggle(line, true)),
      ArrowLeft: () => (isOpen && line.entry?.kind !== 'value' ? toggle(line, false) : parent >= 0 && go(parent)),
      Enter: () => toggle(line),
      ' ': () => toggle(line)
    };
    const action = keys[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  };
  return (
    <div className="jp-Blocks-tree jp-Blocks-scroll" role="tree" aria-label={place.output} ref={host} onKeyDown={onKeyDown}>
      {lines.map((line, at) => (
        <Line
          key={`${keyOf(line.path)}:${line.more > 0}`}
          line={line}
          isOpen={open.has(keyOf(line.path))}
          isCurrent={at === Math.min(current, lines.length - 1)}
          act={() => {
            setCurrent(at);
            toggle(line);
          }}
          trans={trans}
        />
      ))}
    </div>
  );
}

/** The lines of everything that is unfolded, in their order. */
function linesOf(nodes: ReadonlyMap<string, INode>, open: ReadonlySet<string>): ILine[] {
  const lines: ILine[] = [];
  const add = (path: number[]): void => {
    const node = nodes.get(keyOf(path));
    for (const entry of node?.entries ?? []) {
      const own = [...path, entry.step];
      lines.push({ path: own, entry, more: 0 });
      if (open.has(keyOf(own))) {
        add(own);
      }
    }
    if (node && node.entries.length < node.length) {
      lines.push({ path, entry: null, more: node.length - node.entries.length });
    }
  };
  add([]);
  return lines;
}

function Line(props: {
  line: ILine;
  isOpen: boolean;
  isCurrent: boolean;
  act(): void;
  trans: TranslationBundle;
}): JSX.Element {
  const { line, isOpen, isCurrent, act, trans } = props;
  const { entry } = line;
  const level = line.path.length + (entry ? 0 : 1);
  const isFolder = entry !== null && entry.kind !== 'value';
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-expanded={isFolder ? isOpen : undefined}
      tabIndex={isCurrent ? 0 : -1}
      style={{ paddingLeft: 10 + (level - 1) * 16 }}
      onClick={act}
    >
      <svg viewBox="0 0 10 10" aria-hidden="true" className={isOpen ? 'jp-mod-open' : ''}>
        {isFolder && <path d="M3.5 2l3 3-3 3" />}
      </svg>
      {entry ? (
        <>
          <span className="jp-Blocks-key">{cellText(entry.key)}</span>
          {isFolder ? (
            <span className="jp-Blocks-hint">
              {entry.kind === 'array' ? `[${count(entry.length ?? 0)}]` : `{${count(entry.length ?? 0)}}`}
            </span>
          ) : (
            <Scalar value={entry.value} />
          )}
        </>
      ) : (
        <span className="jp-Blocks-more">{trans._n('%2 more', '%2 more', line.more, count(line.more))}</span>
      )}
    </div>
  );
}

function Scalar({ value }: { value: unknown }): JSX.Element {
  const kind = value === null ? 'null' : typeof value;
  const text = kind === 'string' ? JSON.stringify(value) : kind === 'null' ? 'null' : cellText(value);
  return <span className={`jp-Blocks-scalar-${kind}`}>{text}</span>;
}
