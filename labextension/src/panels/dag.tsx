/**
 * The blocks and what they read, drawn from top to bottom with their live states.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { fitted } from '../fitText';
import { figuresOf, stateOf, type IBlockState } from '../blockState';
import { blockType } from '../blockTypes';
import { edgePath, layout, SIZES, type ILayout, type IPlacedNode } from '../dagLayout';
import type { BlocksModel } from '../model';
import { StateShape } from '../stateIcon';
import type { IAnalyzedBlock, IEdge } from '../tokens';

/** What is left of a box for text: the type's stripe and the state's icon take the rest. */
const NAME_WIDTH = SIZES.nodeWidth - 12 - 24;
const NOTE_WIDTH = SIZES.nodeWidth - 12 - 8;
const NAME_FONT = '600 11.5px ';
const NOTE_FONT = '10px ';
const SMALLEST = 0.15;
/** What still can be read. */
const READABLE = 0.6;
const LARGEST = 2;

interface IView {
  scale: number;
  x: number;
  y: number;
}

interface IProps {
  model: BlocksModel;
  trans: TranslationBundle;
}

/** The graph with zoom, pan and a walk by keyboard. */
export function DagPanel({ model, trans }: IProps): JSX.Element {
  const blocks = model.analysis?.blocks ?? [];
  const key = blocks.map(block => `${block.name}<${block.upstream.join()}`).join(';');
  const placed = React.useMemo(() => layout(blocks), [key]);
  const frame = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState<IView>({ scale: 1, x: 0, y: 0 });
  const isOwnView = React.useRef(false);
  const fit = React.useCallback(() => {
    isOwnView.current = false;
    setView(viewOf(placed, frame.current));
  }, [placed]);
  const move = (next: IView | ((now: IView) => IView)): void => {
    isOwnView.current = true;
    setView(next);
  };
  const zoom = (by: number): void => move(now => zoomed(now, by, frame.current));
  const drag = useDrag(view, move);
  React.useLayoutEffect(() => {
    fit();
    const sizes = new ResizeObserver(() => {
      if (!isOwnView.current) {
        fit();
      }
    });
    sizes.observe(frame.current!);
    return () => sizes.disconnect();
  }, [fit]);
  React.useEffect(() => {
    const node = frame.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      move(now =>
        event.ctrlKey || event.metaKey
          ? zoomed(now, event.deltaY < 0 ? 1.1 : 1 / 1.1, node)
          : { ...now, x: now.x - event.deltaX, y: now.y - event.deltaY }
      );
    };
    node?.addEventListener('wheel', onWheel, { passive: false });
    return () => node?.removeEventListener('wheel', onWheel);
  }, []);

  return (
    <div className="jp-Blocks-dag" ref={frame} {...drag}>
      <svg role="group" aria-label={trans.__('Blocks of the pipeline')}>
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          <Edges placed={placed} blocks={blocks} selected={model.selected} />
          {placed.nodes.map(node => (
            <Node key={node.name} node={node} placed={placed} model={model} trans={trans} />
          ))}
        </g>
      </svg>
      <div className="jp-Blocks-zoom">
        <button title={trans.__('Fit')} aria-label={trans.__('Fit')} onClick={fit}>
          <svg viewBox="0 0 12 12"><path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8" /></svg>
        </button>
        <button title={trans.__('Closer')} aria-label={trans.__('Closer')} onClick={() => zoom(1.25)}>
          <svg viewBox="0 0 12 12"><path d="M6 2v8M2 6h8" /></svg>
        </button>
        <button title={trans.__('Farther')} aria-label={trans.__('Farther')} onClick={() => zoom(0.8)}>
          <svg viewBox="0 0 12 12"><path d="M2 6h8" /></svg>
        </button>
      </div>
    </div>
  );
}

function Edges(props: {
  placed: ILayout;
  blocks: readonly IAnalyzedBlock[];
  selected: string;
}): JSX.Element {
  const reasons = new Map<string, IEdge[]>();
  for (const edge of props.blocks.flatMap(block => block.edges)) {
    const key = `${edge.definer}>${edge.reader}`;
    reasons.set(key, [...(reasons.get(key) ?? []), edge]);
  }
  return (
    <g className="jp-Blocks-edges">
      {props.placed.edges.map(edge => {
        const known = reasons.get(`${edge.from}>${edge.to}`) ?? [];
        const isData = known.some(one => one.name !== '');
        const isNear = props.selected === edge.from || props.selected === edge.to;
        const classes = [isData ? '' : 'jp-Blocks-orderOnly', isNear ? 'jp-mod-near' : ''];
        return (
          <path key={`${edge.from}>${edge.to}`} className={classes.join(' ').trim()} d={edgePath(edge)}>
            <title>{known.map(one => one.reason).join('\n') || `${edge.from} → ${edge.to}`}</title>
          </path>
        );
      })}
    </g>
  );
}

function Node(props: IProps & { node: IPlacedNode; placed: ILayout }): JSX.Element | null {
  const { model, node, trans } = props;
  const block = model.block(node.name);
  if (!block) {
    return null;
  }
  const state = stateOf(block, model.run, trans);
  const type = blockType(block.type);
  const isSelected = model.selected === block.name;
  const note = noteOf(model, block, state, trans);
  const label = `${block.name}, ${type?.label(trans) ?? block.type}, ${state.label}${note ? `, ${note}` : ''}`;
  return (
    <g
      className={`jp-Blocks-node ${type?.className ?? ''} ${isSelected ? 'jp-mod-selected' : ''}`}
      transform={`translate(${node.x} ${node.y})`}
      tabIndex={isSelected || (!model.selected && node === props.placed.nodes[0]) ? 0 : -1}
      role="button"
      aria-pressed={isSelected}
      aria-label={label}
      data-block={block.name}
      onClick={() => model.reveal(block.name)}
      onKeyDown={event => walk(event, props)}
    >
      <title>{`${block.name}: ${state.label}. ${state.reason}`}</title>
      <rect className="jp-Blocks-box" width={SIZES.nodeWidth} height={SIZES.nodeHeight} rx="4" />
      <path className="jp-Blocks-stripe" d={`M4 0H3a3 3 0 0 0-3 3v${SIZES.nodeHeight - 6}a3 3 0 0 0 3 3h1z`} />
      <text className="jp-Blocks-nodeName" x="12" y="16">
        {fitted(block.name, NAME_WIDTH, NAME_FONT)}
      </text>
      <text className="jp-Blocks-nodeNote" x="12" y="30">
        {fitted(note, NOTE_WIDTH, NOTE_FONT)}
      </text>
      <g transform={`translate(${SIZES.nodeWidth - 13} 13)`}>
        <StateShape name={state.name} />
      </g>
    </g>
  );
}

function noteOf(
  model: BlocksModel,
  block: IAnalyzedBlock,
  state: IBlockState,
  trans: TranslationBundle
): string {
  if (state.name === 'fresh') {
    return figuresOf(model, block) || trans.__('stored');
  }
  return state.name === 'stale' && state.reason ? state.reason : state.label;
}

function walk(
  event: React.KeyboardEvent<SVGGElement>,
  props: IProps & { node: IPlacedNode; placed: ILayout }
): void {
  const { placed, node, model } = props;
  const next = neighbour(placed, node, event.key);
  if (event.key === 'Enter' || event.key === ' ') {
    model.reveal(node.name);
  } else if (next) {
    model.select(next.name);
    const group = event.currentTarget.parentElement;
    const target = group?.querySelector<SVGGElement>(`[data-block="${CSS.escape(next.name)}"]`);
    target?.focus();
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

/** The block an arrow key leads to. */
export function neighbour(
  placed: ILayout,
  from: IPlacedNode,
  key: string
): IPlacedNode | undefined {
  const nearest = (nodes: IPlacedNode[]): IPlacedNode | undefined =>
    nodes.sort((a, b) => Math.abs(a.x - from.x) - Math.abs(b.x - from.x))[0];
  const ends = (names: string[]): IPlacedNode | undefined =>
    nearest(placed.nodes.filter(node => names.includes(node.name)));
  const row = placed.nodes.filter(node => node.layer === from.layer);
  switch (key) {
    case 'ArrowDown':
      return ends(placed.edges.filter(edge => edge.from === from.name).map(edge => edge.to));
    case 'ArrowUp':
      return ends(placed.edges.filter(edge => edge.to === from.name).map(edge => edge.from));
    case 'ArrowLeft':
      return nearest(row.filter(node => node.x < from.x));
    case 'ArrowRight':
      return nearest(row.filter(node => node.x > from.x));
    case 'Home':
      return placed.nodes[0];
    case 'End':
      return placed.nodes[placed.nodes.length - 1];
    default:
      return undefined;
  }
}

function viewOf(placed: ILayout, frame: HTMLElement | null): IView {
  const width = frame?.clientWidth ?? 0;
  const height = frame?.clientHeight ?? 0;
  if (width === 0 || height === 0 || placed.nodes.length === 0) {
    return { scale: 1, x: 0, y: 0 };
  }
  const whole = Math.min(width / placed.width, height / placed.height, 1);
  const scale = Math.max(whole, Math.min(READABLE, width / (SIZES.nodeWidth + 2 * SIZES.margin)));
  const middle = placed.width * scale > width ? placed.nodes[0]!.x + SIZES.nodeWidth / 2 : placed.width / 2;
  return { scale, x: width / 2 - middle * scale, y: 0 };
}

function zoomed(view: IView, by: number, frame: HTMLElement | null): IView {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * by));
  const x = (frame?.clientWidth ?? 0) / 2;
  const y = (frame?.clientHeight ?? 0) / 2;
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

type DragHandlers = Pick<
  React.DOMAttributes<HTMLDivElement>,
  'onPointerDown' | 'onPointerMove' | 'onPointerUp'
>;

function useDrag(view: IView, setView: (view: IView) => void): DragHandlers {
  const start = React.useRef<{ x: number; y: number; view: IView } | null>(null);
  return {
    onPointerDown: event => {
      if (event.button === 0 && (event.target as Element).tagName === 'svg') {
        start.current = { x: event.clientX, y: event.clientY, view };
        event.currentTarget.setPointerCapture(event.pointerId);
      }
    },
    onPointerMove: event => {
      const from = start.current;
      if (from) {
        const { x, y } = from.view;
        setView({ ...from.view, x: x + event.clientX - from.x, y: y + event.clientY - from.y });
      }
    },
    onPointerUp: () => {
      start.current = null;
    }
  };
}
