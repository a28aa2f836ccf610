import { nullTranslator } from '@jupyterlab/translation/lib/base';

import { fixesOf } from '../src/fixes';
import { retagged } from '../src/tags';

const trans = nullTranslator.load('jupyter_blocks');

function fixes(hint: string, cell: number | undefined = 5): [string, number, string[]][] {
  const problem = { code: 'x', message: 'm', severity: 'error' as const, cell, hint };
  return fixesOf(problem, trans).map(fix => [fix.label, fix.cell, retagged(['hide', 'loader'], fix.role)]);
}

test.each([
  [
    "Tag cell 3, or give it the tag 'continue' to join block 'load'.",
    [
      ['Tag cell 3 as transformer', 3, ['hide', 'transformer']],
      ['Join cell 3 to the block above', 3, ['hide', 'continue']]
    ]
  ],
  ["Tag cell 3, for example 'loader'.", [['Tag cell 3 as loader', 3, ['hide', 'loader']]]],
  [
    "Give cell 2 the tag 'parameters' or 'imports'.",
    [
      ['Tag cell 2 as parameters', 2, ['hide', 'parameters']],
      ['Tag cell 2 as setup', 2, ['hide', 'imports']]
    ]
  ],
  ["Give cell 2 the tag 'functions'.", [['Tag cell 2 as setup', 2, ['hide', 'imports']]]],
  [
    "Draw it in one block: give this cell the tag 'continue', or begin a new figure.",
    [['Join cell 5 to the block above', 5, ['hide', 'continue']]]
  ],
  ['Tag the cell, so that the file is there and up to date.', [['Tag cell 5 as transformer', 5, ['hide', 'transformer']]]],
  ['Set it in a cell above, or correct it.', []],
  ['Move cell 7 up.', []],
  ['', []]
])('%s', (hint, expected) => {
  expect(fixes(hint)).toEqual(expected);
});

test('a problem of no cell has no fix', () => {
  const problem = { code: 'x', message: 'm', severity: 'error' as const, hint: "Give it the tag 'skip'." };
  expect(fixesOf(problem, trans)).toEqual([]);
});
