/**
 * Charts with axes, ticks and tips as plain SVG, in the colours of the theme.
 */
import * as React from 'react';

import { cellText } from '../format';
import { figure, niceLimits, scale, shortNumber, ticks, timeText, timeTicks, type IScale } from './scale';

/** One drawn thing, and what its tip says. */
export interface IMark {
  /** Values on the axes; of bars the middle. */
  x: number;
  y: number;
  /** Of bars: from where to where. */
  from?: number;
  to?: number;
  base?: number;
  /** Place in the list of colours. */
  color: number;
  /** A shade between 0 and 1 in place of a colour. */
  shade?: number;
  tip: string;
}

export interface IPlot {
  shape: 'bars' | 'line' | 'dots';
  marks: IMark[];
  xLabel: string;
  yLabel: string;
  xIsTime: boolean;
  yIsTime: boolean;
  /** Names of groups in place of numbers. */
  names?: string[];
  label: string;
}

const TOP = 12;
const RIGHT = 16;
const BOTTOM = 44;

/** The size of a node as it changes. */
export function useSize(node: React.RefObject<HTMLElement>): [number, number] {
  const [size, setSize] = React.useState<[number, number]>([0, 0]);
  React.useLayoutEffect(() => {
    const observer = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = node.current!;
      setSize([clientWidth, clientHeight]);
    });
    observer.observe(node.current!);
    return () => observer.disconnect();
  }, []);
  return size;
}

export function Plot({ plot }: { plot: IPlot }): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const [width, height] = useSize(host);
  return (
    <div className="jp-Blocks-plot" ref={host}>
      {width > 80 && height > 80 && <Drawing plot={plot} width={width} height={height} />}
    </div>
  );
}

function Drawing({ plot, width, height }: { plot: IPlot; width: number; height: number }): JSX.Element {
  const [hovered, hover] = React.useState<IMark | null>(null);
  const { names } = plot;
  const wantedY = Math.max(2, Math.floor((height - TOP - BOTTOM) / 48));
  const [lowY, highY] = limitsY(plot, wantedY);
  const yTicks = plot.yIsTime ? timeTicks(lowY, highY, wantedY) : ticks(lowY, highY, wantedY);
  const yTexts = texts(yTicks, plot.yIsTime);
  const left = Math.min(Math.max(...yTexts.map(text => text.length)) * 6.4 + 34, width / 3);
  const wantedX = Math.max(2, Math.floor((width - left - RIGHT) / 90));
  const [lowX, highX] = limitsX(plot);
  const x = scale(lowX, highX, left, width - RIGHT);
  const y = scale(lowY, highY, height - BOTTOM, TOP);
  const xTicks = names ? nameTicks(names, x) : plot.xIsTime ? timeTicks(lowX, highX, wantedX) : ticks(lowX, highX, wantedX);
  const xTexts = names ? xTicks.map(at => short(names[at] ?? '', x(1) - x(0), xTicks.length, names.length)) : texts(xTicks, plot.xIsTime);
  const track = (event: React.MouseEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    hover(nearest(plot, x, y, event.clientX - box.left, event.clientY - box.top));
  };
  return (
    <>
      <svg width={width} height={height} role="img" aria-label={plot.label} onMouseMove={track} onMouseLeave={() => hover(null)}>
        <g className="jp-Blocks-axis">
          {yTicks.map((at, number) => (
            <g key={at}>
              <line x1={left} x2={width - RIGHT} y1={y(at)} y2={y(at)} />
              <text x={left - 7} y={y(at) + 3.5} textAnchor="end">
                {yTexts[number]}
              </text>
            </g>
          ))}
          {xTicks.map((at, number) => (
            <g key={at}>
              {!names && <line className="jp-mod-tick" x1={x(at)} x2={x(at)} y1={height - BOTTOM} y2={height - BOTTOM + 4} />}
              <text x={x(at)} y={height - BOTTOM + 17} textAnchor="middle">
                {xTexts[number]}
              </text>
            </g>
          ))}
          <line className="jp-mod-base" x1={left} x2={width - RIGHT} y1={height - BOTTOM} y2={height - BOTTOM} />
          <text className="jp-Blocks-axisLabel" x={(left + width - RIGHT) / 2} y={height - 8} textAnchor="middle">
            {plot.xLabel}
          </text>
          <text
            className="jp-Blocks-axisLabel"
            textAnchor="middle"
            transform={`translate(13 ${(TOP + height - BOTTOM) / 2}) rotate(-90)`}
          >
            {plot.yLabel}
          </text>
        </g>
        <Marks plot={plot} x={x} y={y} />
        {hovered && <Highlight mark={hovered} plot={plot} x={x} y={y} />}
      </svg>
      {hovered && <Tip mark={hovered} left={x(hovered.x)} top={y(hovered.y)} width={width} />}
    </>
  );
}

/** Bars, dots, or a line for each colour. */
function Marks({ plot, x, y }: { plot: IPlot; x: IScale; y: IScale }): JSX.Element {
  if (plot.shape === 'line') {
    const colors = [...new Set(plot.marks.map(mark => mark.color))];
    return (
      <>
        {colors.map(color => {
          const own = plot.marks.filter(mark => mark.color === color);
          const path = own.map((mark, at) => `${at === 0 ? 'M' : 'L'}${x(mark.x).toFixed(1)} ${y(mark.y).toFixed(1)}`);
          return (
            <g key={color} className={`jp-Blocks-series-${color}`}>
              <path className="jp-Blocks-line" d={path.join('')} />
              {own.length <= 40 && own.map(mark => <circle key={mark.x} cx={x(mark.x)} cy={y(mark.y)} r={2.5} />)}
            </g>
          );
        })}
      </>
    );
  }
  if (plot.shape === 'dots') {
    return (
      <g className="jp-Blocks-dots">
        {plot.marks.map((mark, at) => (
          <circle
            key={at}
            className={`jp-Blocks-series-${mark.color}`}
            style={mark.shade === undefined ? undefined : { fill: `color-mix(in oklab, var(--jp-blocks-shade-1) ${(mark.shade * 100).toFixed(0)}%, var(--jp-blocks-shade-0))` }}
            cx={x(mark.x)}
            cy={y(mark.y)}
            r={3}
          />
        ))}
      </g>
    );
  }
  return (
    <>
      {plot.marks.map((mark, at) => (
        <rect key={at} className={`jp-Blocks-series-${mark.color}`} {...box(mark, x, y)} />
      ))}
    </>
  );
}

function box(mark: IMark, x: IScale, y: IScale): { x: number; y: number; width: number; height: number } {
  const start = x(mark.from!);
  const gap = x(mark.to!) - start > 3 ? 1 : 0;
  const [top, bottom] = [y(mark.y), y(mark.base ?? 0)].sort((one, other) => one - other) as [number, number];
  return { x: start, y: top, width: Math.max(x(mark.to!) - start - gap, 0.5), height: Math.max(bottom - top, 0.5) };
}

function Highlight({ mark, plot, x, y }: { mark: IMark; plot: IPlot; x: IScale; y: IScale }): JSX.Element {
  return plot.shape === 'bars' ? (
    <rect className="jp-Blocks-hovered" {...box(mark, x, y)} />
  ) : (
    <circle className="jp-Blocks-hovered" cx={x(mark.x)} cy={y(mark.y)} r={5} />
  );
}

function Tip({ mark, left, top, width }: { mark: IMark; left: number; top: number; width: number }): JSX.Element {
  const isRight = left > width / 2;
  const place = isRight ? { right: width - left + 12 } : { left: left + 12 };
  return (
    <div className="jp-Blocks-plotTip" style={{ ...place, top: Math.max(4, top - 12) }}>
      {mark.tip}
    </div>
  );
}

/** The bar under the pointer, or the closest point. */
export function nearest(plot: IPlot, x: IScale, y: IScale, left: number, top: number): IMark | null {
  if (plot.shape === 'bars') {
    const inside = plot.marks.filter(mark => left >= x(mark.from!) && left < x(mark.to!));
    const hit = inside.find(mark => {
      const { y: start, height } = box(mark, x, y);
      return top >= start && top <= start + height;
    });
    return hit ?? inside.reduce<IMark | null>((best, mark) => (best && best.y >= mark.y ? best : mark), null);
  }
  let best: IMark | null = null;
  let distance = plot.shape === 'dots' ? 20 : 40;
  for (const mark of plot.marks) {
    const away = Math.hypot(x(mark.x) - left, (y(mark.y) - top) * (plot.shape === 'line' ? 0.3 : 1));
    if (away < distance) {
      [best, distance] = [mark, away];
    }
  }
  return best;
}

function limitsX(plot: IPlot): [number, number] {
  if (plot.names) {
    return [-0.5, plot.names.length - 0.5];
  }
  const values = plot.marks.flatMap(mark => [mark.from ?? mark.x, mark.to ?? mark.x]);
  const [low, high] = [least(values), -least(values.map(value => -value))];
  if (low === high) {
    return [low - 0.5, high + 0.5];
  }
  const room = plot.shape === 'bars' ? 0 : (high - low) * 0.02;
  return [low - room, high + room];
}

function limitsY(plot: IPlot, wanted: number): [number, number] {
  const values = plot.marks.flatMap(mark => [mark.y, mark.base ?? mark.y]);
  const isBars = plot.shape === 'bars';
  const low = Math.min(least(values), isBars ? 0 : Infinity);
  const high = Math.max(-least(values.map(value => -value)), isBars ? 0 : -Infinity);
  return plot.yIsTime ? [low, high > low ? high : low + 1] : niceLimits(low, high, wanted);
}

/** Without the limit that a call has for its arguments. */
function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}

function texts(values: readonly number[], isTime: boolean): string[] {
  const step = values.length > 1 ? values[1]! - values[0]! : 0;
  return values.map(value => (isTime ? timeText(value, step) : shortNumber(value)));
}

/** As many names as there is room for. */
function nameTicks(names: readonly string[], x: IScale): number[] {
  const step = Math.max(1, Math.ceil(28 / (x(1) - x(0))));
  return names.map((_, at) => at).filter(at => at % step === 0);
}

function short(name: string, room: number, shown: number, all: number): string {
  const length = Math.max(3, Math.floor((room * (all / shown)) / 6.4));
  return name.length > length ? `${name.slice(0, length - 1)}…` : name;
}

/** A value of an axis as its tip says it. */
export function tipValue(value: unknown, isTime: boolean): string {
  return isTime && typeof value === 'number' ? timeText(value) : value === null ? 'null' : figure(value) || cellText(value);
}
