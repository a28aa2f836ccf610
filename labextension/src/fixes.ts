/**
 * One-click fixes: what the hint of a problem says to do to the tags of a cell.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { blockType, PARAMETER_TAGS, SETUP_TAGS } from './blockTypes';
import { readRole, type ICellRole } from './tags';
import type { IProblem } from './tokens';

export interface IFix {
  label: string;
  /** Place of the cell in the notebook, from 1. */
  cell: number;
  /** What the cell is for afterwards. */
  role: ICellRole;
}

const NAMED_CELL = /\b(?:Tag|Give) cell (\d+)/;
const TAGS = /\b(?:tag|example|or) '([a-z-]+)'/g;
const TAG_IT = /\bTag (?:the cell|cell \d+)/;

/** The fixes for a problem, in the order of its hint; none where only code can be changed. */
export function fixesOf(problem: IProblem, trans: TranslationBundle): IFix[] {
  const hint = problem.hint ?? '';
  const cell = Number(NAMED_CELL.exec(hint)?.[1] ?? problem.cell ?? 0);
  if (!cell) {
    return [];
  }
  const words = [...hint.matchAll(TAGS)].map(match => match[1]!);
  const wanted = TAG_IT.test(hint) && !words.some(blockType) ? ['transformer', ...words] : words;
  return [...new Set(wanted)].flatMap(word => {
    const label = labelOf(word, cell, trans);
    return label ? [{ label, cell, role: readRole([word], '') }] : [];
  });
}

function labelOf(word: string, cell: number, trans: TranslationBundle): string {
  const includes = (words: readonly string[]): boolean => words.includes(word);
  if (word === 'continue') {
    return trans.__('Join cell %1 to the block above', cell);
  }
  if (word === 'skip') {
    return trans.__('Leave out cell %1', cell);
  }
  if (includes(SETUP_TAGS)) {
    return trans.__('Tag cell %1 as setup', cell);
  }
  if (includes(PARAMETER_TAGS)) {
    return trans.__('Tag cell %1 as parameters', cell);
  }
  const type = blockType(word);
  return type ? trans.__('Tag cell %1 as %2', cell, type.label(trans).toLowerCase()) : '';
}
