/**
 * Numbers, sizes and times as people read them.
 */

/** `27,004`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `482 B`, `4.5 MB`. */
export function bytes(value: number): string {
  let size = value;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (size < 999.5) {
      return `${digits(size)} ${unit}`;
    }
    size /= 1000;
  }
  return `${digits(size)} TB`;
}

/** `46 ms`, `0.79 s`, `12 s`, `3 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.0995) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 59.5) {
    return `${seconds < 9.95 ? seconds.toFixed(seconds < 0.995 ? 2 : 1) : Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `just now`, `2 min ago`; both in seconds since 1970. */
export function ago(time: number, now: number): string {
  const passed = Math.max(0, now - time);
  if (passed < 45) {
    return 'just now';
  }
  if (passed < 3600) {
    return `${Math.round(passed / 60)} min ago`;
  }
  if (passed < 86_400) {
    return `${Math.round(passed / 3600)} h ago`;
  }
  return `${Math.round(passed / 86_400)} d ago`;
}

/** A value of a table's cell; what is missing is empty. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'object') {
    return JSON.stringify(value);
  }
  return String(value);
}

function digits(value: number): string {
  return value < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
}
