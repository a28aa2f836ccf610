/**
 * The state of a block as a small drawing: the shape says it, the colour only helps.
 */
import * as React from 'react';

import type { StateName } from './blockState';

/** Drawn around (0, 0), 10 wide, for use inside an SVG. */
export function StateShape({ name }: { name: StateName }): JSX.Element {
  const className = `jp-Blocks-state jp-Blocks-state-${name}`;
  switch (name) {
    case 'fresh':
      return <path className={className} d="M-4.5 0.2l3.2 3.2 5.8-6.8" />;
    case 'cached':
      return <path className={className} d="M-3.4-1.2a4 4 0 1 1-0.2 3M-3.8-4.4v3.4h3.4" />;
    case 'stale':
      return (
        <g className={className}>
          <circle r="4.2" />
          <path className="jp-Blocks-filled" d="M0-4.2a4.2 4.2 0 0 1 0 8.4z" />
        </g>
      );
    case 'running':
      return (
        <g className={className}>
          <circle className="jp-Blocks-track" r="4.2" />
          <path className="jp-Blocks-arc" d="M0-4.2a4.2 4.2 0 0 1 4.2 4.2" />
        </g>
      );
    case 'failed':
      return <path className={className} d="M-3.6-3.6l7.2 7.2M3.6-3.6l-7.2 7.2" />;
    case 'waiting':
      return <circle className={className} r="4.2" strokeDasharray="1.6 2.1" />;
    case 'stopped':
      return <path className={className} d="M-4.2 0h8.4" />;
    default:
      return <circle className={className} r="4.2" />;
  }
}

/** The same on its own, between text; without a label where the text says it. */
export function StateIcon({ name, label }: { name: StateName; label: string }): JSX.Element {
  const role = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true };
  return (
    <svg className="jp-Blocks-stateIcon" viewBox="-7 -7 14 14" {...role}>
      <StateShape name={name} />
    </svg>
  );
}
