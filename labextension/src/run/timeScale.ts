/**
 * The time axis of a run: from its start, in seconds, with round ticks.
 */

const STEPS_S = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400
];
/** So many intervals at most. */
const INTERVALS = 6;

export interface IScale {
  /** Seconds since 1970. */
  start: number;
  /** Seconds; at least a little more than nothing. */
  length: number;
  /** Seconds after `start`. */
  ticks: number[];
}

/** A scale from `start` to `end`, both in seconds since 1970. */
export function timeScale(start: number, end: number): IScale {
  const length = Math.max(end - start, 0.001);
  const day = 86_400;
  const step =
    STEPS_S.find(one => length / one <= INTERVALS) ?? Math.ceil(length / INTERVALS / day) * day;
  const ticks: number[] = [];
  for (let index = 0; index * step <= length; index++) {
    ticks.push(index * step);
  }
  return { start, length, ticks };
}

/** Share of the axis, from 0 to 1, where a time is; times outside are moved to its ends. */
export function place(scale: IScale, time: number): number {
  return Math.min(1, Math.max(0, (time - scale.start) / scale.length));
}

/** `0`, `5 s`, `0.2 s`, `2 min`, `1 h 30 min`. */
export function tickLabel(seconds: number): string {
  if (seconds === 0) {
    return '0';
  }
  if (seconds < 1) {
    return seconds < 0.1 ? `${Number((seconds * 1000).toPrecision(3))} ms` : `${Number(seconds.toFixed(1))} s`;
  }
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  if (minutes < 60) {
    return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}
