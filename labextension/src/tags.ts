/**
 * Tags of cells: what they say, and how they are changed without touching those of others.
 *
 * The server understands tags completely; here is only what editing them needs.
 */
import {
  blockType,
  OTHER_TAGS,
  PARAMETER_TAGS,
  SETUP_TAGS,
  type IBlockType
} from './blockTypes';

export type Role = 'none' | 'block' | 'setup' | 'parameters' | 'continue' | 'test' | 'skip';

export interface ICellRole {
  role: Role;
  type?: IBlockType;
  /** Name of the block; empty where the server chooses one. */
  name: string;
  upstream: string[];
  /** Whether the first line of the cell says it, not its tags. */
  directive: boolean;
}

const DIRECTIVE = /^\s*#\s*\|\s*block\s*:(.*)$/;

/** What the tags, or the first line, of a cell say. */
export function readRole(tags: readonly string[], source: string): ICellRole {
  const line = DIRECTIVE.exec(source.split('\n', 1)[0] ?? '');
  const words = line ? line[1]!.split(/[,\s]+/).filter(Boolean) : [];
  const found: ICellRole = { role: 'none', name: '', upstream: [], directive: line !== null };
  for (const tag of [...tags, ...words]) {
    read(tag, found);
  }
  return found;
}

function read(tag: string, found: ICellRole): void {
  const at = tag.indexOf(':');
  const word = at < 0 ? tag : tag.slice(0, at);
  const name = at < 0 ? '' : tag.slice(at + 1);
  const type = blockType(word);
  if (word === 'upstream' || word === 'prev') {
    found.upstream.push(name);
  } else if (found.role === 'skip') {
    return;
  } else if (type) {
    Object.assign(found, { role: 'block', type, name });
  } else if (includes(SETUP_TAGS, word)) {
    found.role = 'setup';
  } else if (includes(PARAMETER_TAGS, word)) {
    found.role = 'parameters';
  } else if (word === 'step') {
    Object.assign(found, { role: 'block', name });
  } else if (word === 'test' && name) {
    Object.assign(found, { role: 'test', name });
  } else if (word === 'continue' || word === 'skip') {
    found.role = word;
  }
}

/** Whether a tag is one of ours. */
export function isOwnTag(tag: string): boolean {
  const word = tag.split(':', 1)[0]!;
  if (tag === 'test') {
    return false; // other tools use it as well
  }
  return (
    blockType(word) !== undefined ||
    includes(SETUP_TAGS, word) ||
    includes(PARAMETER_TAGS, word) ||
    includes(OTHER_TAGS, word)
  );
}

/** The tags of a role. */
export function tagsOf(role: ICellRole): string[] {
  const upstream = role.upstream.map(name => `upstream:${name}`);
  if (role.role === 'block' && role.type) {
    return [role.name ? `${role.type.tag}:${role.name}` : role.type.tag, ...upstream];
  }
  if (role.role === 'setup') {
    return [SETUP_TAGS[0]];
  }
  if (role.role === 'parameters') {
    return [PARAMETER_TAGS[0]];
  }
  if (role.role === 'test') {
    return [`test:${role.name}`];
  }
  return role.role === 'continue' || role.role === 'skip' ? [role.role] : [];
}

/** The tags of a cell after it was given a role: those of others stay in front, as they were. */
export function retagged(tags: readonly string[], role: ICellRole): string[] {
  return [...tags.filter(tag => !isOwnTag(tag)), ...tagsOf(role)];
}

/** What is wrong with the name of a block; empty if nothing is. */
export function nameProblem(name: string): string {
  if (name === '' || /^[a-z][a-z0-9_]*$/.test(name)) {
    return '';
  }
  return 'Use lower case letters, digits and _, beginning with a letter.';
}

function includes(words: readonly string[], word: string): boolean {
  return words.includes(word);
}
