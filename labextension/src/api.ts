/**
 * The server, address by address. Nothing else talks to it.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';

import { BlocksError } from './errors';
import type {
  IAnalysis,
  IAttempt,
  IChart,
  IChartRequest,
  IComparison,
  IExecutor,
  IExport,
  ILog,
  IPage,
  IPlan,
  IPreview,
  IProblem,
  IProposal,
  IRunRecord,
  IRunRequest,
  IRowQuery,
  IRunState,
  IText,
  ITree,
  ITakenBack,
  IVariable
} from './tokens';

/** Where a stored value is. */
export interface IOutputPlace {
  project: string;
  pipeline: string;
  block: string;
  output: string;
  run_id?: string;
}

/** Whose log: the last attempt of a block, one attempt, or (empty) the run's own. */
export interface ILogSource {
  block?: string;
  attempt_id?: string;
}

type Query = Record<string, string | number | undefined>;

/** The REST interface that `jupyter_blocks/server/openapi.yaml` describes. */
export class BlocksApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Analysis of a notebook as the client has it. */
  analyze(path: string, content: PartialJSONValue): Promise<IAnalysis> {
    return this.post<IAnalysis>('analysis', { path, content });
  }

  /** Tags that an untagged notebook could have. */
  async suggest(path: string, content: PartialJSONValue): Promise<IProposal[]> {
    const answer = await this.post<{ proposals: IProposal[] }>('suggest', { path, content });
    return answer.proposals;
  }

  /** Write the files of a saved notebook; with `check` only say what would be written. */
  export(path: string, how: { check?: boolean; force?: boolean }): Promise<IExport> {
    return this.post<IExport>('export', { path, ...how });
  }

  /** Bring what was changed in block files into the saved notebook; with `force` the files win. */
  takeBack(path: string, force: boolean): Promise<ITakenBack> {
    return this.post<ITakenBack>('takeback', { path, force });
  }

  /** Export a saved notebook and start a run of it. */
  async start(path: string, request: IRunRequest): Promise<string> {
    const started = await this.post<{ run_id: string }>('runs', {
      path,
      ...(request as PartialJSONValue as object)
    });
    return started.run_id;
  }

  /** The newest runs of a pipeline, newest first. */
  async runs(project: string, pipeline: string): Promise<IRunRecord[]> {
    const answer = await this.get<{ runs: IRunRecord[] }>('runs', { project, pipeline });
    return answer.runs;
  }

  /** State of a run; with `since` only the blocks that changed after that event. */
  run(project: string, id: string, since?: number): Promise<IRunState> {
    return this.get<IRunState>(`runs/${encodeURIComponent(id)}`, { project, since });
  }

  /** Every attempt of a run, those that failed too. */
  async attempts(project: string, id: string): Promise<IAttempt[]> {
    const path = `runs/${encodeURIComponent(id)}/attempts`;
    return (await this.get<{ attempts: IAttempt[] }>(path, { project })).attempts;
  }

  /** A piece of the log of an attempt; without a block, of the process that drives the run. */
  log(project: string, id: string, source: ILogSource, offset: number): Promise<ILog> {
    return this.get<ILog>(`runs/${encodeURIComponent(id)}/log`, { project, ...source, offset });
  }

  /** What a run of a saved notebook would do, and why. */
  plan(path: string, request: IRunRequest): Promise<IPlan> {
    return this.post<IPlan>('plan', { path, ...(request as PartialJSONValue as object) });
  }

  /** What blocks can run on. */
  async executors(): Promise<IExecutor[]> {
    return (await this.get<{ executors: IExecutor[] }>('executors')).executors;
  }

  async cancel(project: string, id: string): Promise<void> {
    await this.post(`runs/${encodeURIComponent(id)}/cancel`, { project });
  }

  async resume(project: string, id: string): Promise<string> {
    const started = await this.post<{ run_id: string }>(`runs/${encodeURIComponent(id)}/resume`, {
      project
    });
    return started.run_id;
  }

  /** Every stored output of a pipeline. */
  async variables(project: string, pipeline: string): Promise<IVariable[]> {
    const answer = await this.get<{ outputs: IVariable[] }>('variables', { project, pipeline });
    return answer.outputs;
  }

  /** Schema, statistics and first rows, as they were kept when the value was stored. */
  preview(place: IOutputPlace): Promise<IPreview> {
    return this.get<IPreview>('variables/preview', { ...place });
  }

  /** A page of the rows of a table; all its columns, if none are named. */
  rows(
    place: IOutputPlace,
    start: number,
    rows: number,
    query: IRowQuery,
    columns?: string[]
  ): Promise<IPage> {
    const body = { ...place, start, rows, ...query, ...(columns ? { columns } : {}) };
    return this.post<IPage>('variables/rows', body as unknown as PartialJSONValue);
  }

  /** Data of a chart, from all rows or from some spread evenly. */
  chart(place: IOutputPlace, request: IChartRequest): Promise<IChart> {
    return this.post<IChart>('variables/chart', { ...place, ...request });
  }

  /** A node of plain data, and some of its members from `offset` on. */
  tree(place: IOutputPlace, path: number[], offset: number): Promise<ITree> {
    return this.post<ITree>('variables/tree', { ...place, path, offset });
  }

  /** A piece of a text, from a byte on. */
  text(place: IOutputPlace, offset: number): Promise<IText> {
    return this.get<IText>('variables/text', { ...place, offset });
  }

  /** A value beside the one before it, or beside that of a run. */
  compare(place: IOutputPlace, before?: string): Promise<IComparison> {
    return this.get<IComparison>('variables/compare', { ...place, before });
  }

  /** Address of a table as a file. */
  downloadUrl(place: IOutputPlace, format: 'csv' | 'parquet'): string {
    return this.url('variables/download', { ...place, format });
  }

  /** Address of the picture of a figure. */
  imageUrl(place: IOutputPlace): string {
    return this.url('variables/image', { ...place });
  }

  private get<T>(path: string, query: Query = {}): Promise<T> {
    return this.send<T>(this.url(path, query), { method: 'GET' });
  }

  private post<T>(path: string, body: PartialJSONValue): Promise<T> {
    return this.send<T>(this.url(path), { method: 'POST', body: JSON.stringify(body) });
  }

  private url(path: string, query: Query = {}): string {
    const known = Object.entries(query).filter(([, value]) => value !== undefined);
    const text = known.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    const address = URLExt.join(this.settings.baseUrl, 'blocks', path);
    return text.length > 0 ? `${address}?${text.join('&')}` : address;
  }

  private async send<T>(url: string, init: RequestInit): Promise<T> {
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      throw new BlocksError(
        'The Jupyter server does not answer.',
        error instanceof Error ? error.message : String(error)
      );
    }
    if (!response.ok) {
      throw await fault(response);
    }
    return (await response.json()) as T;
  }
}

async function fault(response: Response): Promise<BlocksError> {
  const missing =
    'The server extension of Jupyter Blocks is not there. Install jupyter-blocks where the Jupyter server runs, and start the server again.';
  try {
    const body = (await response.json()) as {
      message?: string;
      hint?: string;
      problems?: IProblem[];
    };
    if (response.status === 404 && body.hint === undefined) {
      return new BlocksError(missing, '', [], 404);
    }
    const text = body.message ?? response.statusText;
    return new BlocksError(text, body.hint ?? '', body.problems ?? [], response.status);
  } catch {
    const text = response.status === 404 ? missing : response.statusText;
    return new BlocksError(text, '', [], response.status);
  }
}
