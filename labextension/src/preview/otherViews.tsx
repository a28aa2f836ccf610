/**
 * Values that are no tables: texts, arrays, models, anything else by what it says of itself.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { BlocksApi, IOutputPlace } from '../api';
import { asBlocksError, type BlocksError } from '../errors';
import { bytes, cellText, count } from '../format';
import { Fault, Loading } from '../panels/states';
import type { IPreview } from '../tokens';
import { Sparkline } from './charts';
import { Facts } from './controls';
import { decimalsOf, figure } from './scale';

/** A text of any length, piece by piece. */
export function TextView(props: { api: BlocksApi; place: IOutputPlace; trans: TranslationBundle }): JSX.Element {
  const { api, place, trans } = props;
  const [state, setState] = React.useState({ text: '', next: 0, all: -1 });
  const [error, setError] = React.useState<BlocksError | null>(null);
  const fetch = (): void => {
    api.text(place, state.next).then(
      ({ text, next_offset, bytes: all }) => setState(known => ({ text: known.text + text, next: next_offset, all })),
      reason => setError(asBlocksError(reason))
    );
  };
  React.useEffect(fetch, []);
  if (error) {
    return <Fault message={error.message} hint={error.hint} />;
  }
  if (state.all < 0) {
    return <Loading label={trans.__('Reading …')} />;
  }
  return (
    <div className="jp-Blocks-scroll">
      <pre className="jp-Blocks-text">{state.text}</pre>
      {state.next < state.all && (
        <button className="jp-Blocks-button jp-Blocks-moreText" onClick={fetch}>
          {trans.__('Show more (%1 left)', bytes(state.all - state.next))}
        </button>
      )}
    </div>
  );
}

/** Shape, figures and a corner of an array. */
export function ArrayView({ preview, trans }: { preview: IPreview; trans: TranslationBundle }): JSX.Element {
  const figures: [string, string][] = [
    [trans.__('Shape'), (preview.shape ?? []).map(count).join(' × ')],
    [trans.__('Type'), preview.dtype ?? ''],
    [trans.__('Minimum'), figure(preview.min)],
    [trans.__('Mean'), figure(preview.mean)],
    [trans.__('Maximum'), figure(preview.max)],
    [trans.__('Missing'), preview.nulls ? count(preview.nulls) : '']
  ];
  return (
    <div className="jp-Blocks-scroll">
      <Facts className="jp-Blocks-facts" facts={figures} />
      {preview.histogram && (
        <div className="jp-Blocks-arrayShape">
          <Sparkline counts={preview.histogram.counts} width={240} height={48} />
        </div>
      )}
      <Corner sample={preview.sample} />
      {preview.note && <p className="jp-Blocks-notice">{preview.note}</p>}
    </div>
  );
}

function Corner({ sample }: { sample: unknown }): JSX.Element | null {
  if (!Array.isArray(sample)) {
    return sample === null || sample === undefined ? null : <pre className="jp-Blocks-text">{cellText(sample)}</pre>;
  }
  const rows: unknown[][] = Array.isArray(sample[0]) ? (sample as unknown[][]) : [sample];
  if (rows.some(row => row.some(Array.isArray))) {
    return <pre className="jp-Blocks-text">{JSON.stringify(sample, null, 1)}</pre>;
  }
  const decimals = decimalsOf(rows.flat());
  const text = (value: unknown): string => (typeof value === 'number' ? value.toFixed(decimals) : pythonText(value));
  return (
    <table className="jp-Blocks-table jp-Blocks-corner">
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {row.map((value, place) => (
              <td key={place} className="jp-mod-number">{text(value)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a model says of itself: parameters, features, classes, and what weighs most. */
export function ModelView({ preview, trans }: { preview: IPreview; trans: TranslationBundle }): JSX.Element {
  const { parameters = {}, features, classes, weights = [], steps = [] } = preview.model ?? {};
  const most = Math.max(...weights.map(([, weight]) => Math.abs(weight)), 1e-12);
  const figures: [string, string][] = [
    [trans.__('Class'), preview.python_type],
    [trans.__('Features'), Array.isArray(features) ? `${features.length}` : cellText(features)],
    [trans.__('Classes'), (classes ?? []).map(pythonText).join(', ')]
  ];
  return (
    <div className="jp-Blocks-model jp-Blocks-scroll">
      <Facts className="jp-Blocks-facts" facts={figures} />
      {steps.length > 0 && (
        <Section title={trans.__('Steps')}>
          <ol>
            {steps.map(([name, text]) => (
              <li key={name}><b>{name}</b> <code>{text}</code></li>
            ))}
          </ol>
        </Section>
      )}
      {weights.length > 0 && (
        <Section title={trans.__('Weights of the features')}>
          <ul className="jp-Blocks-top">
            {weights.slice(0, 20).map(([name, weight]) => (
              <li key={name}>
                <span title={name}>{name}</span>
                <span className="jp-Blocks-topBar"><span className={weight < 0 ? 'jp-mod-negative' : ''} style={{ width: `${(Math.abs(weight) / most) * 100}%` }} /></span>
                <span className="jp-Blocks-number">{figure(weight)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {Object.keys(parameters).length > 0 && (
        <Section title={trans.__('Parameters')}>
          <Facts className="jp-Blocks-facts jp-mod-code" facts={Object.entries(parameters).map(([name, value]) => [name, pythonText(value)])} />
        </Section>
      )}
      <Section title={trans.__('As Python says it')}>
        <pre className="jp-Blocks-text">{preview.repr}</pre>
      </Section>
    </div>
  );
}

function pythonText(value: unknown): string {
  return { null: 'None', true: 'True', false: 'False' }[String(value)] ?? cellText(value);
}

function Section({ title, children }: { title: string; children: React.ReactNode }): JSX.Element {
  return (
    <section>
      <h4>{title}</h4>
      {children}
    </section>
  );
}

/** Anything else: its class, what it says, and why there is no more. */
export function ObjectView({ preview }: { preview: IPreview }): JSX.Element {
  const { repr, value, note, python_type } = preview;
  const text = repr ?? (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2));
  return (
    <div className="jp-Blocks-scroll">
      {note && <p className="jp-Blocks-notice">{note}</p>}
      <pre className="jp-Blocks-text">{[python_type, text].filter(Boolean).join('\n\n')}</pre>
    </div>
  );
}
