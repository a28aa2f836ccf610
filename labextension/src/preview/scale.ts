/**
 * Axes: places for values, ticks at round numbers and round times, and how they are written.
 */
import { cellText, count } from '../format';

/** A linear scale from values to pixels. */
export interface IScale {
  (value: number): number;
  low: number;
  high: number;
}

export function scale(low: number, high: number, from: number, to: number): IScale {
  const width = high - low || 1;
  const place = (value: number): number => from + ((value - low) / width) * (to - from);
  return Object.assign(place, { low, high });
}

/** Round numbers within limits, about `wanted` of them. */
export function ticks(low: number, high: number, wanted: number): number[] {
  if (!(high > low)) {
    return [low];
  }
  const step = niceStep((high - low) / Math.max(wanted, 1));
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) {
    found.push(Number((at * step).toPrecision(12)));
  }
  return found;
}

/** Limits moved outwards to round numbers. */
export function niceLimits(low: number, high: number, wanted: number): [number, number] {
  if (!(high > low)) {
    return low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(low, 0)];
  }
  const step = niceStep((high - low) / Math.max(wanted, 1));
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find(one => one * power >= rough * 0.999) ?? 10;
  return digit * power;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const STEPS_S = [
  1, 5, 15, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY
];
const STEPS_MONTHS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200];

/** Round times within limits, in seconds since 1970. */
export function timeTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / Math.max(wanted, 1);
  const step = STEPS_S.find(one => one >= rough);
  if (!(high > low)) {
    return [low];
  }
  if (step) {
    const first = Math.ceil(low / step) * step;
    return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, at) => first + at * step);
  }
  const months = STEPS_MONTHS.find(one => one * 31 * DAY >= rough) ?? 2400;
  const found: number[] = [];
  const begin = new Date(low * 1000);
  const month = begin.getUTCFullYear() * 12 + begin.getUTCMonth();
  for (let at = Math.ceil(month / months) * months; found.length < 50; at += months) {
    const time = Date.UTC(Math.floor(at / 12), at % 12, 1) / 1000;
    if (time > high) {
      break;
    }
    if (time >= low) {
      found.push(time);
    }
  }
  return found;
}

/** A time as far as ticks of this distance need it; whole without one. */
export function timeText(seconds: number, step = 0): string {
  const text = new Date(seconds * 1000).toISOString();
  if (step >= 27 * DAY) {
    return step >= 360 * DAY ? text.slice(0, 4) : text.slice(0, 7);
  }
  if (step >= DAY) {
    return text.slice(5, 10);
  }
  if (step >= MINUTE) {
    return seconds % DAY === 0 ? text.slice(5, 10) : text.slice(11, 16);
  }
  const whole = text.slice(0, 19).replace('T', ' ').replace(/ 00:00:00$/, '');
  return step > 0 ? text.slice(11, 19) : whole;
}

/** `1.2M`, `450k`, `0.035`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  for (const [limit, unit] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']] as const) {
    if (size >= limit) {
      const scaled = value / (unit === 'k' ? 1e3 : limit);
      return `${Number(scaled.toPrecision(3))}${unit}`;
    }
  }
  return size > 0 && size < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(5)));
}

/** A statistic as people read it: whole numbers with all digits, others with five. */
export function figure(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && Math.abs(value) < 1e15) {
      return count(value);
    }
    return Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-4)
      ? value.toExponential(3)
      : Number(value.toPrecision(5)).toLocaleString('en-US', { maximumFractionDigits: 10 });
  }
  const text = cellText(value);
  return /^\d{4}-\d\d-\d\dT/.test(text)
    ? text.replace('T', ' ').replace(/(\.\d+)$/, '').replace(/ 00:00:00$/, '')
    : text;
}

/** A part of a whole. */
export function percent(part: number): string {
  if (part === 0) {
    return '0 %';
  }
  if (part < 0.001) {
    return '< 0.1 %';
  }
  return part > 0.999 && part < 1 ? '> 99.9 %' : `${Number((part * 100).toPrecision(part < 0.1 ? 2 : 3))} %`;
}

/** Decimals that all numbers of a column get: five digits of the largest, no more than they need. */
export function decimalsOf(values: readonly unknown[]): number {
  const numbers = values.filter((value): value is number => typeof value === 'number');
  const largest = Math.max(...numbers.map(Math.abs), 0) || 1;
  const most = Math.min(Math.max(4 - Math.floor(Math.log10(largest)), 1), 12);
  const needed = numbers.map(value => (value.toFixed(most).split('.')[1] ?? '').replace(/0+$/, '').length);
  return Math.max(...needed, 0);
}
