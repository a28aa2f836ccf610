import { figure, niceLimits, percent, scale, shortNumber, ticks, timeText, timeTicks } from '../../src/preview/scale';

const second = (text: string): number => Date.parse(`${text}Z`) / 1000;

test.each([
  [0, 10, 5, [0, 2, 4, 6, 8, 10]],
  [-0.3, 0.3, 4, [-0.2, 0, 0.2]],
  [1234, 1250, 3, [1240, 1250]],
  [7, 7, 5, [7]]
])('ticks from %d to %d stand at round numbers', (low, high, wanted, expected) => {
  expect(ticks(low, high, wanted)).toEqual(expected);
});

test('limits move outwards to round numbers', () => {
  expect(niceLimits(0, 181_000, 4)).toEqual([0, 200_000]);
  expect([niceLimits(0, 0, 4), niceLimits(5, 5, 4)]).toEqual([[0, 1], [0, 5]]);
});

test('a scale maps one range to the other', () => {
  const x = scale(10, 20, 0, 100);
  expect([x(10), x(15), x(20)]).toEqual([0, 50, 100]);
});

test.each([
  ['2026-01-01T00:00', '2026-01-01T04:00', 4, ['01-01', '01:00', '02:00', '03:00', '04:00']],
  ['2026-01-30T00:00', '2026-02-02T00:00', 3, ['01-30', '01-31', '02-01', '02-02']],
  ['2025-11-15T00:00', '2026-02-15T00:00', 3, ['2025-12', '2026-01', '2026-02']],
  ['1999-06-01T00:00', '2002-06-01T00:00', 3, ['2000', '2001', '2002']]
])('times from %s to %s are ticked where people look', (low, high, wanted, expected) => {
  const found = timeTicks(second(low), second(high), wanted);
  expect(found.map(at => timeText(at, found[1]! - found[0]!))).toEqual(expected);
});

test.each([
  [0, '0'],
  [1234567, '1.23M'],
  [45000, '45k'],
  [-2e9, '-2G'],
  [0.035, '0.035'],
  [0.00001, '1.0e-5']
])('%d is %s on an axis', (value, text) => {
  expect(shortNumber(value)).toBe(text);
});

test.each([
  [336776, '336,776'],
  [12.345678, '12.346'],
  [0.00001234, '1.234e-5'],
  ['2026-01-01T00:00:00', '2026-01-01'],
  ['2026-01-01T14:05:06.500', '2026-01-01 14:05:06'],
  [null, ''],
  [false, 'false']
])('the statistic %p is shown as %s', (value, text) => {
  expect(figure(value)).toBe(text);
});

test.each([
  [0, '0 %'],
  [0.0004, '< 0.1 %'],
  [0.024, '2.4 %'],
  [0.9999, '> 99.9 %'],
  [1, '100 %']
])('the part %d is %s', (part, text) => {
  expect(percent(part)).toBe(text);
});
