import { createHash } from 'node:crypto';
import {
  account,
  attachedHost,
  createdToken,
  job as jobSchema,
  type Job,
  type Scope,
} from '@gleaner/protocol';

const PROJECT = 'listening';
const PATIENCE_MS = 600_000;
const POLL_MS = 500;

interface Call {
  readonly token: string;
  readonly method?: string;
  readonly json?: object;
  readonly bytes?: Uint8Array;
  readonly type?: string;
}

/** A scientist with a project, over the API as everybody would. */
export class Science {
  private constructor(
    private readonly url: string,
    readonly operatorToken: string,
    readonly scientist: { readonly accountId: string; readonly token: string },
  ) {}

  static async begin(url: string, operatorToken: string, name: string): Promise<Science> {
    const scientist = await person(url, operatorToken, name, ['work', 'submit']);
    const science = new Science(url, operatorToken, scientist);
    const description =
      'Somebody far away may be calling. A transmitter on a turning planet sounds like a tone that drifts, and a drifting tone is found by trying every drift there may be: a million searches for each two minutes of a telescope’s tape.';
    await science.call('/v1/projects', {
      token: scientist.token,
      json: { slug: PROJECT, name: 'Listening', description },
    });
    await science.call(`/v1/projects/${PROJECT}/approval`, { token: operatorToken, method: 'POST' });
    return science;
  }

  /** A new volunteer's token. */
  async volunteer(name: string): Promise<string> {
    return (await person(this.url, this.operatorToken, name, ['work'])).token;
  }

  /** @returns the approved app as `name@version` */
  async publish(name: string, module: Uint8Array): Promise<string> {
    const query = new URLSearchParams({ project: PROJECT, name, version: '1' });
    await this.call(`/v1/apps?${query.toString()}`, {
      token: this.scientist.token,
      bytes: module,
      type: 'application/wasm',
    });
    await this.call(`/v1/apps/${name}/versions/1/approval`, { token: this.operatorToken, method: 'POST' });
    return `${name}@1`;
  }

  async upload(bytes: Uint8Array): Promise<string> {
    const blobId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await this.call(`/v1/blobs/${blobId}`, {
      token: this.scientist.token,
      method: 'PUT',
      bytes,
      type: 'application/octet-stream',
    });
    return blobId;
  }

  async joinTeam(token: string, teamId: string): Promise<void> {
    await this.call(`/v1/teams/${teamId}/members/me`, { token, method: 'PUT' });
  }

  /** A project that waits for the operator, who has held a machine of this volunteer: something to decide. */
  async leaveDecisions(volunteer: string): Promise<void> {
    const description = 'Fifty years of a harbour’s tides, to find what the moon does not explain.';
    await this.call('/v1/projects', {
      token: this.scientist.token,
      json: { slug: 'tides', name: 'Tides of Saint-Malo', description },
    });
    const host = {
      name: 'Overclocked tower',
      kind: 'agent',
      cores: 16,
      memoryMiB: 65_536,
      platform: 'linux-x64',
    };
    const { hostId } = attachedHost.parse(await this.call('/v1/hosts', { token: volunteer, json: { host } }));
    const reason = 'more cycles a second than any core retires';
    await this.call(`/v1/hosts/${hostId}/hold`, {
      token: this.operatorToken,
      method: 'PUT',
      json: { reason },
    });
  }

  /** Submits a job, whose answer everybody may see. */
  async submit(spec: object): Promise<string> {
    const { token } = this.scientist;
    const submitted = await this.call('/v1/jobs', { token, json: { project: PROJECT, spec } });
    const { id } = jobSchema.parse(submitted);
    await this.call(`/v1/jobs/${id}/visibility`, {
      token,
      method: 'PUT',
      json: { public: true, results: true },
    });
    return id;
  }

  async cancel(jobId: string): Promise<void> {
    await this.call(`/v1/jobs/${jobId}/cancel`, { token: this.scientist.token });
  }

  async job(jobId: string): Promise<Job> {
    const { token } = this.scientist;
    return jobSchema.parse(await this.call(`/v1/jobs/${jobId}`, { token, method: 'GET' }));
  }

  /** Waits until a job has come as far as is wished. */
  async reached(jobId: string, isThere: (job: Job) => boolean): Promise<void> {
    const untilMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const job = await this.job(jobId);
      if (isThere(job)) return;
      if (Date.now() > untilMs) throw new Error(`too slow: job ${jobId} is ${job.state}`);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  private async call(path: string, call: Call): Promise<unknown> {
    return await request(this.url + path, call);
  }
}

async function person(
  url: string,
  operatorToken: string,
  name: string,
  scopes: readonly Scope[],
): Promise<{ readonly accountId: string; readonly token: string }> {
  const made = account.parse(await request(`${url}/v1/accounts`, { token: operatorToken, json: { name } }));
  const answer = await request(`${url}/v1/accounts/${made.id}/tokens`, {
    token: operatorToken,
    json: { label: name, scopes },
  });
  return { accountId: made.id, token: createdToken.parse(answer).secret };
}

async function request(url: string, { token, method = 'POST', json, bytes, type }: Call): Promise<unknown> {
  const body = json === undefined ? (bytes ?? null) : JSON.stringify(json);
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== null && { 'content-type': type ?? 'application/json' }),
    },
    // Bytes of files here, whose buffers are not shared with other threads.
    body: body as BodyInit | null,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text === '' ? null : (JSON.parse(text) as unknown);
}
