/**
 * The types of blocks: how they are called and tagged.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { BlockTypeName } from './tokens';

export interface IBlockType {
  readonly name: BlockTypeName;
  /** The word in a cell's tag: `loader:load_flights`. */
  readonly tag: string;
  /** Other words that mean the same. */
  readonly aliases: readonly string[];
  /** Class of everything coloured by the type. */
  readonly className: string;
  label(trans: TranslationBundle): string;
  description(trans: TranslationBundle): string;
}

/** Roles of cells that are not blocks. */
export const SETUP_TAGS = ['imports', 'functions'] as const;
export const PARAMETER_TAGS = ['parameters', 'pipeline-parameters'] as const;
export const OTHER_TAGS = ['continue', 'skip', 'step', 'test', 'upstream', 'prev'] as const;

export const BLOCK_TYPES: readonly IBlockType[] = [
  {
    name: 'data_loader',
    tag: 'loader',
    aliases: ['data_loader'],
    className: 'jp-Blocks-loader',
    label: trans => trans.__('Loader'),
    description: trans => trans.__('Reads data from somewhere')
  },
  {
    name: 'transformer',
    tag: 'transformer',
    aliases: [],
    className: 'jp-Blocks-transformer',
    label: trans => trans.__('Transformer'),
    description: trans => trans.__('Computes data from data')
  },
  {
    name: 'data_exporter',
    tag: 'exporter',
    aliases: ['data_exporter'],
    className: 'jp-Blocks-exporter',
    label: trans => trans.__('Exporter'),
    description: trans => trans.__('Writes or shows results')
  },
  {
    name: 'sensor',
    tag: 'sensor',
    aliases: [],
    className: 'jp-Blocks-sensor',
    label: trans => trans.__('Sensor'),
    description: trans => trans.__('Waits until something is there')
  },
  {
    name: 'custom',
    tag: 'custom',
    aliases: [],
    className: 'jp-Blocks-custom',
    label: trans => trans.__('Custom'),
    description: trans => trans.__('Anything else')
  }
];

/** The type with a name or a tag; undefined for any other word. */
export function blockType(word: string): IBlockType | undefined {
  return BLOCK_TYPES.find(
    type => type.name === word || type.tag === word || type.aliases.includes(word)
  );
}
