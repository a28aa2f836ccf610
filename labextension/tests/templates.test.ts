import { blockType } from '../src/blockTypes';
import { nameProblem } from '../src/tags';
import { freeName, matching, TEMPLATES } from '../src/templates';

test('every template has a type, a good name of its own, and a cell', () => {
  expect(new Set(TEMPLATES.map(one => one.name)).size).toBe(TEMPLATES.length);
  for (const { name, source, type } of TEMPLATES) {
    expect(blockType(type)).toBeDefined();
    expect(nameProblem(name)).toBe('');
    expect(source.trim()).toBe(source);
    if (source.includes('\ndef ')) {
      expect(source).toContain(`def ${name}(`); // the function names the block
    }
  }
});

test('a search finds every word, in type, title and source', () => {
  expect(matching('loader csv').map(one => one.name)).toEqual(['load_csv']);
  expect(matching('S3').map(one => one.name)).toEqual(['load_s3', 'write_s3']);
  expect(matching('')).toHaveLength(TEMPLATES.length);
  expect(matching('nothing of the kind')).toEqual([]);
});

test('a name that is taken gets a number', () => {
  expect(freeName('load_csv', [])).toBe('load_csv');
  expect(freeName('load_csv', ['load_csv', 'load_csv_2'])).toBe('load_csv_3');
});
