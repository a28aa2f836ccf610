/**
 * Errors with a remedy.
 */
import type { IProblem } from './tokens';

/** What the server refused, with what to do about it. */
export class BlocksError extends Error {
  constructor(
    message: string,
    readonly hint: string = '',
    readonly problems: readonly IProblem[] = [],
    readonly status: number = 0
  ) {
    super(message);
    this.name = 'BlocksError';
  }
}

/** Anything thrown, as an error that can be shown. */
export function asBlocksError(error: unknown): BlocksError {
  if (error instanceof BlocksError) {
    return error;
  }
  return new BlocksError(error instanceof Error ? error.message : String(error));
}
