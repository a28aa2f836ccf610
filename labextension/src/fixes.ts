/**
 * One-click fixes: what a problem says to do, done to the tags of its cell.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { blockType } from './blockTypes';
import type { IProblem } from './tokens';
import { retagged, type ICellRole } from './tags';

export interface IFix {
  label: string;
  /** The tags of the cell afterwards. */
  apply(tags: readonly string[]): string[];
}

const SETUP: ICellRole = { role: 'setup', name: '', upstream: [], directive: false };
const CONTINUE: ICellRole = { ...SETUP, role: 'continue' };
const SKIP: ICellRole = { ...SETUP, role: 'skip' };

/** Problems about cells that are part of no block although blocks need what they do. */
const LEFT_OUT = ['untagged-definition', 'unbound', 'undefined-name', 'random-left-out', 'left-out-file'];

/** The fixes for a problem, the likeliest first; none where only the code can be changed. */
export function fixesOf(problem: IProblem, trans: TranslationBundle): IFix[] {
  if (problem.cell === undefined) {
    return [];
  }
  const text = `${problem.message} ${problem.hint ?? ''}`;
  const fixes: IFix[] = [];
  const isAboutTag = /\btag\b/i.test(text) || LEFT_OUT.includes(problem.code);
  if (isAboutTag && /'?continue'?|join it to the block above/.test(text)) {
    fixes.push({
      label: trans.__('Join to the block above'),
      apply: tags => retagged(tags, CONTINUE)
    });
  }
  if (isAboutTag && /'(imports|functions)'|setup/.test(text)) {
    fixes.push({ label: trans.__('Tag as setup'), apply: tags => retagged(tags, SETUP) });
  }
  if (isAboutTag && /Tag the cell/.test(text)) {
    const type = blockType('transformer')!;
    fixes.push({
      label: trans.__('Tag as transformer'),
      apply: tags => retagged(tags, { ...SETUP, role: 'block', type })
    });
  }
  if (isAboutTag && /'skip'/.test(text)) {
    fixes.push({ label: trans.__('Skip the cell'), apply: tags => retagged(tags, SKIP) });
  }
  return fixes;
}
