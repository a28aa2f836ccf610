import { changesOf, inputText, inputValue, USUAL, withOptions } from '../src/runOptions';

test.each([
  [3, '4.5', 4.5],
  [3, '-1e3', -1000],
  ['a', '12', '12'],
  ['a', '', ''],
  [true, 'false', false],
  [null, 'text', 'text'],
  [null, '', null],
  [null, '7', 7],
  [[1, 2], '[3]', [3]],
  [{ a: 1 }, '{"a": 2}', { a: 2 }]
])('where the notebook has %j, %j means %j', (usual, text, value) => {
  expect(inputValue(text, usual)).toEqual(value);
});

test('what cannot be meant is refused with what is expected', () => {
  expect(() => inputValue('many', 3)).toThrow('A number is expected.');
  expect(() => inputValue('', 3)).toThrow('A number is expected.');
  expect(() => inputValue('[1', [1])).toThrow('JSON is expected');
});

test('a value in a form comes back as it was', () => {
  for (const value of [1, 'a b', true, null, [1, 'x'], { a: [1] }]) {
    expect(inputValue(inputText(value), value)).toEqual(value);
  }
});

test('only what differs is sent', () => {
  const usual = { month: 1, name: 'a', list: [1] };
  expect(changesOf(usual, { month: 2, name: 'a', list: [1], other: 3 })).toEqual({ month: 2 });
  expect(withOptions({ changed: true }, USUAL)).toEqual({ changed: true });
  expect(
    withOptions({ blocks: ['a'] }, { parameters: { month: 2 }, executor: 'k8s', skipSensors: true, skipTests: true })
  ).toEqual({
    blocks: ['a'],
    runtime_vars: { month: 2 },
    executor: 'k8s',
    skip_sensors: true,
    run_tests: false
  });
});
