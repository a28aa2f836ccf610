/**
 * A layered layout from top to bottom: every block below all it reads from, few crossings, straight
 * edges where there is room. Pure, so that it can be tested by its properties.
 */

export interface ILayoutNode {
  name: string;
  upstream: readonly string[];
}

export interface IPlacedNode {
  name: string;
  /** Left edge. */
  x: number;
  /** Upper edge. */
  y: number;
  layer: number;
}

export interface IPlacedEdge {
  from: string;
  to: string;
  /** Points from the lower edge of `from` to the upper edge of `to`. */
  points: { x: number; y: number }[];
}

export interface ILayout {
  nodes: IPlacedNode[];
  edges: IPlacedEdge[];
  width: number;
  height: number;
}

export interface ISizes {
  nodeWidth: number;
  nodeHeight: number;
  gapX: number;
  gapY: number;
  margin: number;
}

export const SIZES: ISizes = { nodeWidth: 140, nodeHeight: 38, gapX: 14, gapY: 34, margin: 10 };

const SWEEPS = 8;
/** Width of the place an edge takes where it passes a layer. */
const LANE = 12;

interface IItem {
  /** Name of a block, or '' where an edge passes. */
  name: string;
  layer: number;
  width: number;
  above: IItem[];
  below: IItem[];
  /** Centre. */
  x: number;
}

/** Place blocks; upstream names that are not among them are left out, cycles are cut. */
export function layout(blocks: readonly ILayoutNode[], sizes: ISizes = SIZES): ILayout {
  const upstream = acyclic(blocks);
  const layers = layersOf(upstream);
  const { rows, chains } = itemsOf(upstream, layers, sizes);
  order(rows);
  place(rows, sizes);
  return drawn(rows, chains, sizes);
}

/** Upstream blocks that exist, without the edges that close a cycle. */
function acyclic(blocks: readonly ILayoutNode[]): Map<string, string[]> {
  const known = new Map(blocks.map(block => [block.name, block.upstream]));
  const found = new Map<string, string[]>();
  const open = new Set<string>();
  const visit = (name: string): void => {
    open.add(name);
    const kept: string[] = [];
    for (const other of new Set(known.get(name))) {
      if (!known.has(other) || open.has(other)) {
        continue;
      }
      if (!found.has(other)) {
        visit(other);
      }
      kept.push(other);
    }
    open.delete(name);
    found.set(name, kept);
  };
  for (const name of known.keys()) {
    if (!found.has(name)) {
      visit(name);
    }
  }
  return new Map(blocks.map(block => [block.name, found.get(block.name) ?? []]));
}

/** The longest way from a source. */
function layersOf(upstream: Map<string, string[]>): Map<string, number> {
  const layers = new Map<string, number>();
  const layer = (name: string): number => {
    const known = layers.get(name);
    if (known !== undefined) {
      return known;
    }
    const above = (upstream.get(name) ?? []).map(layer);
    const own = above.length > 0 ? Math.max(...above) + 1 : 0;
    layers.set(name, own);
    return own;
  };
  [...upstream.keys()].forEach(layer);
  return layers;
}

/** Blocks and passing edges, row by row; and for each edge the items it goes through. */
function itemsOf(
  upstream: Map<string, string[]>,
  layers: Map<string, number>,
  sizes: ISizes
): { rows: IItem[][]; chains: IItem[][] } {
  const rows: IItem[][] = [];
  const chains: IItem[][] = [];
  const add = (name: string, layer: number): IItem => {
    const width = name ? sizes.nodeWidth : LANE;
    const item: IItem = { name, layer, width, above: [], below: [], x: 0 };
    (rows[layer] ??= []).push(item);
    return item;
  };
  const items = new Map<string, IItem>();
  for (const name of upstream.keys()) {
    items.set(name, add(name, layers.get(name) ?? 0));
  }
  for (const [name, others] of upstream) {
    for (const other of others) {
      const end = items.get(name)!;
      const chain = [items.get(other)!];
      for (let layer = chain[0]!.layer + 1; layer < end.layer; layer++) {
        chain.push(add('', layer));
      }
      chain.push(end);
      for (let at = 1; at < chain.length; at++) {
        chain[at]!.above.push(chain[at - 1]!);
        chain[at - 1]!.below.push(chain[at]!);
      }
      chains.push(chain);
    }
  }
  return { rows, chains };
}

/** Order each row by the middle of its neighbours, down and up; keep the best. */
function order(rows: IItem[][]): void {
  let best = rows.map(row => [...row]);
  let fewest = crossings(rows);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    const along = down ? rows.slice(1) : rows.slice(0, -1).reverse();
    for (const row of along) {
      const near = down ? rows[row[0]!.layer - 1]! : rows[row[0]!.layer + 1]!;
      const places = new Map(near.map((item, at) => [item, at]));
      const keys = new Map(
        row.map((item, at) => [item, middle(down ? item.above : item.below, places, at)])
      );
      row.sort((a, b) => keys.get(a)! - keys.get(b)!);
    }
    const now = crossings(rows);
    if (now < fewest) {
      fewest = now;
      best = rows.map(row => [...row]);
    }
  }
  best.forEach((row, at) => rows.splice(at, 1, row));
}

function middle(items: IItem[], places: Map<IItem, number>, otherwise: number): number {
  if (items.length === 0) {
    return otherwise;
  }
  return items.reduce((sum, item) => sum + places.get(item)!, 0) / items.length;
}

function crossings(rows: IItem[][]): number {
  let found = 0;
  for (const [layer, row] of rows.entries()) {
    const below = rows[layer + 1];
    if (!below) {
      break;
    }
    const places = new Map(below.map((item, at) => [item, at]));
    const ends: number[] = [];
    for (const item of row) {
      const own = item.below.map(other => places.get(other)!).sort((a, b) => a - b);
      for (const end of own) {
        found += ends.filter(other => other > end).length;
      }
      ends.push(...own);
    }
  }
  return found;
}

/** Centres: packed first, then drawn to the mean of the neighbours as far as there is room. */
function place(rows: IItem[][], sizes: ISizes): void {
  for (const row of rows) {
    let x = 0;
    for (const item of row) {
      item.x = x + item.width / 2;
      x += item.width + sizes.gapX;
    }
    for (const item of row) {
      item.x -= (x - sizes.gapX) / 2;
    }
  }
  for (let sweep = 0; sweep < SWEEPS * 2; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      settle(row, down, sizes.gapX);
    }
  }
}

function settle(row: IItem[], down: boolean, gap: number): void {
  const wanted = row.map(item => {
    const near = down ? item.above : item.below;
    return near.length > 0 ? near.reduce((sum, other) => sum + other.x, 0) / near.length : item.x;
  });
  // Left to right, and right to left, nobody may overlap; the mean of both keeps the distances.
  const left = [...wanted];
  for (let at = 1; at < row.length; at++) {
    left[at] = Math.max(left[at]!, left[at - 1]! + space(row[at - 1]!, row[at]!, gap));
  }
  const right = [...wanted];
  for (let at = row.length - 2; at >= 0; at--) {
    right[at] = Math.min(right[at]!, right[at + 1]! - space(row[at]!, row[at + 1]!, gap));
  }
  row.forEach((item, at) => (item.x = (left[at]! + right[at]!) / 2));
}

function space(a: IItem, b: IItem, gap: number): number {
  return (a.width + b.width) / 2 + gap;
}

function drawn(rows: IItem[][], chains: IItem[][], sizes: ISizes): ILayout {
  const all = rows.flat();
  const leftmost = Math.min(...all.map(item => item.x - item.width / 2), Infinity);
  const shift = all.length > 0 ? sizes.margin - leftmost : 0;
  const top = (item: IItem): number => sizes.margin + item.layer * (sizes.nodeHeight + sizes.gapY);
  const nodes = all
    .filter(item => item.name)
    .map(item => ({
      name: item.name,
      x: item.x + shift - item.width / 2,
      y: top(item),
      layer: item.layer
    }));
  const edges = chains.map(chain => ({
    from: chain[0]!.name,
    to: chain[chain.length - 1]!.name,
    points: chain.flatMap((item, at) => {
      const x = item.x + shift;
      const upper = { x, y: top(item) };
      const lower = { x, y: top(item) + sizes.nodeHeight };
      return at === 0 ? [lower] : at === chain.length - 1 ? [upper] : [upper, lower];
    })
  }));
  const right = Math.max(...all.map(item => item.x + shift + item.width / 2), sizes.margin);
  const height = rows.length * (sizes.nodeHeight + sizes.gapY) - (rows.length ? sizes.gapY : 0);
  return { nodes, edges, width: right + sizes.margin, height: height + 2 * sizes.margin };
}

/** The path of an edge: straight through the lanes, curved between rows. */
export function edgePath(edge: IPlacedEdge): string {
  const [start, ...rest] = edge.points;
  if (!start) {
    return '';
  }
  let path = `M${start.x} ${start.y}`;
  let last = start;
  for (const point of rest) {
    const half = (last.y + point.y) / 2;
    path +=
      point.x === last.x
        ? `V${point.y}`
        : `C${last.x} ${half} ${point.x} ${half} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}
