import { edgePath, layout, SIZES, type ILayoutNode } from '../src/dagLayout';

/** Random graphs, the same each time. */
function graphs(): ILayoutNode[][] {
  let state = 7;
  const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
  return [0, 1, 2, 5, 12, 40, 150].flatMap(size =>
    [0.5, 1.5, 3].map(degree =>
      Array.from({ length: size }, (_, at) => ({
        name: `b${at}`,
        upstream: Array.from({ length: at }, (_, other) => `b${other}`).filter(
          () => random() < degree / Math.max(at, 1)
        )
      }))
    )
  );
}

describe('layout', () => {
  it.each(graphs().map((blocks, at) => [at, blocks] as const))(
    'puts every block of graph %i below what it reads from, and none on another',
    (_, blocks) => {
      const placed = layout(blocks);
      const nodes = new Map(placed.nodes.map(node => [node.name, node]));
      expect([...nodes.keys()].sort()).toEqual(blocks.map(block => block.name).sort());
      for (const block of blocks) {
        for (const name of block.upstream) {
          expect(nodes.get(name)!.y).toBeLessThan(nodes.get(block.name)!.y);
        }
      }
      for (const a of placed.nodes) {
        expect(a.x).toBeGreaterThanOrEqual(SIZES.margin - 0.001);
        expect(a.x + SIZES.nodeWidth).toBeLessThanOrEqual(placed.width);
        expect(a.y + SIZES.nodeHeight).toBeLessThanOrEqual(placed.height);
        for (const b of placed.nodes) {
          if (a.name < b.name && a.layer === b.layer) {
            expect(Math.abs(a.x - b.x)).toBeGreaterThanOrEqual(SIZES.nodeWidth);
          }
        }
      }
    }
  );

  it('gives the same picture each time', () => {
    for (const blocks of graphs()) {
      expect(layout(blocks)).toEqual(layout(blocks));
    }
  });

  it('draws a chain as a straight line', () => {
    const placed = layout([
      { name: 'a', upstream: [] },
      { name: 'b', upstream: ['a'] },
      { name: 'c', upstream: ['b'] }
    ]);
    expect(new Set(placed.nodes.map(node => node.x)).size).toBe(1);
    expect(placed.edges.map(edgePath)).toEqual(expect.arrayContaining([expect.stringMatching(/^M\S+ \S+V\S+$/)]));
  });

  it('leads an edge over several rows past the blocks between', () => {
    const placed = layout([
      { name: 'a', upstream: [] },
      { name: 'b', upstream: ['a'] },
      { name: 'c', upstream: ['a', 'b'] }
    ]);
    const long = placed.edges.find(edge => edge.from === 'a' && edge.to === 'c')!;
    const b = placed.nodes.find(node => node.name === 'b')!;
    for (const point of long.points.slice(1, -1)) {
      expect(point.x < b.x || point.x > b.x + SIZES.nodeWidth).toBe(true);
    }
  });

  it('survives cycles and unknown names', () => {
    const placed = layout([
      { name: 'a', upstream: ['b', 'nobody'] },
      { name: 'b', upstream: ['a'] },
      { name: 'c', upstream: ['c'] }
    ]);
    expect(placed.nodes).toHaveLength(3);
    expect(placed.edges).toHaveLength(1);
  });

  it('places 200 blocks in one step', () => {
    const blocks = Array.from({ length: 200 }, (_, at) => ({
      name: `b${at}`,
      upstream: at ? [`b${Math.floor(at / 2)}`] : []
    }));
    expect(layout(blocks).edges).toHaveLength(199);
  });
});
