/**
 * What a panel shows when it has nothing to show: empty, loading, error.
 */
import * as React from 'react';

export function Empty(props: { title: string; children?: React.ReactNode }): JSX.Element {
  return (
    <div className="jp-Blocks-empty">
      <strong>{props.title}</strong>
      {props.children}
    </div>
  );
}

export function Loading({ label }: { label: string }): JSX.Element {
  return (
    <div className="jp-Blocks-empty" role="status">
      <span className="jp-Blocks-busy" aria-hidden="true" />
      {label}
    </div>
  );
}

export function Fault(props: {
  message: string;
  hint: string;
  retry?: { label: string; action: () => void };
}): JSX.Element {
  return (
    <div className="jp-Blocks-fault" role="alert">
      <strong>{props.message}</strong>
      {props.hint && <span>{props.hint}</span>}
      {props.retry && (
        <button className="jp-Blocks-button" onClick={props.retry.action}>
          {props.retry.label}
        </button>
      )}
    </div>
  );
}

/** Keeps the rest of the sidebar alive where a panel fails. */
export class Guard extends React.Component<{ children: React.ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): React.ReactNode {
    return this.state.error ? (
      <Fault message={this.state.error.message} hint="" />
    ) : (
      this.props.children
    );
  }
}
