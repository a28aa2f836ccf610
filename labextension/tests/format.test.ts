import { ago, bytes, cellText, count, duration } from '../src/format';

test('numbers as people read them', () => {
  expect(count(336776)).toBe('336,776');
  expect([0, 482, 1954, 4_500_000, 2.5e12].map(bytes)).toEqual(['0 B', '482 B', '2.0 kB', '4.5 MB', '2.5 TB']);
  expect([0.046, 0.79, 0.999, 1.05, 12.4, 59.8, 185, 7260].map(duration)).toEqual([
    '46 ms', '0.79 s', '1.0 s', '1.1 s', '12 s', '1 min 0 s', '3 min 5 s', '2 h 1 min'
  ]);
  expect([0, 44, 120, 7200, 200_000].map(passed => ago(0, passed))).toEqual([
    'just now', 'just now', '2 min ago', '2 h ago', '2 d ago'
  ]);
  expect([null, undefined, 0, 'a', [1], { a: 1 }].map(cellText)).toEqual(['', '', '0', 'a', '[1]', '{"a":1}']);
});
