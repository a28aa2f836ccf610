/**
 * The server, address by address. Nothing else talks to it.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';

import { BlocksError } from './errors';
import type {
  IAnalysis,
  IPage,
  IPreview,
  IProblem,
  IProposal,
  IRunRecord,
  IRunRequest,
  IRunState,
  ISortOrder,
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

  /** A page of the rows of a table. */
  rows(place: IOutputPlace, start: number, rows: number, sort: ISortOrder[]): Promise<IPage> {
    return this.post<IPage>('variables/rows', {
      ...place,
      start,
      rows,
      sort: sort as unknown as PartialJSONValue
    });
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
