import { blockType } from '../src/blockTypes';
import { isOwnTag, nameProblem, readRole, retagged } from '../src/tags';

const plain = { name: '', upstream: [], directive: false };

describe('readRole', () => {
  it.each([
    [['loader:load_flights'], 'block', 'load_flights', 'data_loader'],
    [['data_exporter'], 'block', '', 'data_exporter'],
    [['hide-input', 'transformer:a', 'upstream:b', 'prev:c'], 'block', 'a', 'transformer'],
    [['step:a'], 'block', 'a', undefined],
    [['imports'], 'setup', '', undefined],
    [['pipeline-parameters'], 'parameters', '', undefined],
    [['test:a'], 'test', 'a', undefined],
    [['test'], 'none', '', undefined],
    [['loader', 'skip'], 'skip', '', 'data_loader'],
    [[], 'none', '', undefined]
  ])('understands %j', (tags, role, name, type) => {
    const read = readRole(tags, 'x = 1');
    expect([read.role, read.name, read.type?.name]).toEqual([role, name, type]);
  });

  it('understands the first line', () => {
    const read = readRole([], '#| block: loader:load_flights, upstream:wait\nx = 1');
    expect(read).toMatchObject({ role: 'block', name: 'load_flights', upstream: ['wait'], directive: true });
  });
});

describe('retagged', () => {
  it('keeps the tags of others, in front', () => {
    const type = blockType('sensor')!;
    const tags = retagged(['hide-input', 'loader:a', 'upstream:b', 'test'], {
      ...plain,
      role: 'block',
      type,
      name: 's',
      upstream: ['c']
    });
    expect(tags).toEqual(['hide-input', 'test', 'sensor:s', 'upstream:c']);
  });

  it.each([
    ['none', []],
    ['setup', ['imports']],
    ['parameters', ['parameters']],
    ['continue', ['continue']],
    ['skip', ['skip']]
  ] as const)('says %s', (role, expected) => {
    expect(retagged(['loader'], { ...plain, role })).toEqual(expected);
  });

  it('reads back what it writes', () => {
    const role = readRole(['custom:a', 'upstream:b'], '');
    expect(readRole(retagged([], role), '')).toEqual(role);
  });
});

test.each(['loader', 'data_loader:a', 'upstream:x', 'skip', 'test:a', 'functions'])('%s is ours', tag => {
  expect(isOwnTag(tag)).toBe(true);
});

test.each(['test', 'hide', 'loaders', 'raises-exception'])('%s is not ours', tag => {
  expect(isOwnTag(tag)).toBe(false);
});

test('names are those the export takes', () => {
  expect(['', 'a', 'load_2'].map(nameProblem)).toEqual(['', '', '']);
  expect(['A', '2a', 'a b', 'é'].every(name => nameProblem(name) !== '')).toBe(true);
});
