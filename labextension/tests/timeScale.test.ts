import { place, tickLabel, timeScale } from '../src/run/timeScale';

test.each([
  [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
  [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [20.3, [0, 5, 10, 15, 20]],
  [180, [0, 30, 60, 90, 120, 150, 180]],
  [100_000, [0, 21_600, 43_200, 64_800, 86_400]],
  [6_000_000, [0, 1_036_800, 2_073_600, 3_110_400, 4_147_200, 5_184_000]]
])('an axis of %d s has round ticks, seven at most', (length, ticks) => {
  const scale = timeScale(1000, 1000 + length);
  expect(scale.ticks.map(tick => Number(tick.toFixed(6)))).toEqual(ticks);
});

test('a run that took no time has an axis all the same', () => {
  expect(timeScale(5, 5).length).toBeGreaterThan(0);
  expect(place(timeScale(5, 5), 5)).toBe(0);
});

test('times outside are at the ends', () => {
  const scale = timeScale(100, 110);
  expect([90, 100, 105, 110, 200].map(time => place(scale, time))).toEqual([0, 0, 0.5, 1, 1]);
});

test('ticks are labelled as people say them', () => {
  expect([0, 0.001, 0.05, 0.2, 5, 90, 120, 3600, 5400].map(tickLabel)).toEqual([
    '0', '1 ms', '50 ms', '0.2 s', '5 s', '1 min 30 s', '2 min', '1 h', '1 h 30 min'
  ]);
});
