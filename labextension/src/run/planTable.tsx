/**
 * What happens to each block, and why: of a run, or of one that was not started.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { blockType } from '../blockTypes';
import type { BlockTypeName } from '../tokens';

export interface IPlanRow {
  name: string;
  type: BlockTypeName;
  action: string;
  reason: string;
  executor: string;
  executorReason: string;
}

export function PlanTable({ rows, trans }: { rows: readonly IPlanRow[]; trans: TranslationBundle }): JSX.Element {
  return (
    <div className="jp-Blocks-plan">
      <table>
        <thead>
          <tr>
            <th>{trans.__('Block')}</th>
            <th>{trans.__('What')}</th>
            <th>{trans.__('Why')}</th>
            <th>{trans.__('Executor')}</th>
            <th>{trans.__('Why there')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.name} className={blockType(row.type)?.className}>
              <th scope="row">{row.name}</th>
              <td>{row.action}</td>
              <td>{row.reason}</td>
              <td>{row.executor}</td>
              <td>{row.executorReason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
