/**
 * Drawings of the block types and of the extension, in the colours of the theme.
 */
import { LabIcon } from '@jupyterlab/ui-components';

function icon(name: string, path: string): LabIcon {
  return new LabIcon({
    name: `jupyter-blocks:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
      '<path class="jp-icon3 jp-icon-selectable" fill="none" stroke="#616161" stroke-width="1.5" ' +
      `stroke-linecap="round" stroke-linejoin="round" d="${path}"/></svg>`
  });
}

export const blocksIcon = new LabIcon({
  name: 'jupyter-blocks:blocks',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
    '<g class="jp-icon3 jp-icon-selectable" fill="#616161">' +
    '<rect x="1" y="1" width="6" height="4" rx="1"/><rect x="9" y="1" width="6" height="4" rx="1"/>' +
    '<rect x="5" y="11" width="6" height="4" rx="1"/>' +
    '<path d="M3.5 5h1v2h3V9h-.0v2h1V9V7h3V5h1v3h-4v3h-1V8h-4z"/></g></svg>'
});

const ICONS: Record<string, LabIcon> = {
  loader: icon('loader', 'M8 2v8M4.5 6.8L8 10.2l3.5-3.4M2.5 13.5h11'),
  transformer: icon('transformer', 'M2 5h11M10.2 2.2L13 5l-2.8 2.8M14 11H3M5.8 8.2L3 11l2.8 2.8'),
  exporter: icon('exporter', 'M8 10.5v-8M4.5 5.8L8 2.3l3.5 3.5M2.5 13.5h11'),
  sensor: icon('sensor', 'M8 2.5a5.5 5.5 0 1 0 .01 0M8 5.5V8l1.8 1.6'),
  custom: icon('custom', 'M3 3h10v10H3z'),
  parameters: icon('parameters', 'M2 4h7M13 4h1M11 2v4M2 12h1M7 12h7M5 10v4M2 8h5'),
  setup: icon('setup', 'M3 3h10M3 8h10M3 13h6')
};

/** The drawing for the tag of a block type, or for a role. */
export function iconOf(name: string): LabIcon {
  return ICONS[name] ?? ICONS.setup!;
}
