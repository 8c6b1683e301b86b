import type {
  AttachedHost,
  CreatedToken,
  ResultReport,
  TaskAssignment,
  WorkRequestInput,
  WorkResponse,
} from '@gleaner/protocol';
import { RUNTIME } from './test-results.js';

/** A volunteer's host, speaking the protocol and nothing else. */
export class TestHost {
  private constructor(
    public url: string,
    readonly attached: AttachedHost,
    private readonly address: string | undefined,
  ) {}

  /** @param token of the account that the host joins; without one it is anonymous */
  static async attach(
    url: string,
    options: { token?: string; address?: string; cores?: number; kind?: 'agent' | 'browser' } = {},
  ): Promise<TestHost> {
    const attached = await send<AttachedHost>(url, 'POST', '/v1/hosts', {
      token: options.token,
      address: options.address,
      body: {
        host: {
          name: 'test host',
          kind: options.kind ?? 'agent',
          cores: options.cores ?? 4,
          memoryMiB: 8192,
        },
      },
    });
    return new TestHost(url, attached, options.address);
  }

  work(request: Partial<WorkRequestInput> = {}): Promise<WorkResponse> {
    return this.post<WorkResponse>('/v1/work', { protocol: 1, runtimeVersions: [RUNTIME], ...request });
  }

  /** Asks for tasks until some come or `tries` are used up: filling and feeding take a moment. */
  async ask(maxTasks = 1, memoryMiB = 4096, tries = 300): Promise<WorkResponse> {
    for (;;) {
      const answer = await this.work({ request: { maxTasks, memoryMiB, cores: 4 } });
      tries -= 1;
      if (answer.tasks.length > 0 || tries <= 0) return answer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** So many tasks, in as many calls as it takes: tickets of several units need not come together. */
  async take(count: number): Promise<TaskAssignment[]> {
    const taken: TaskAssignment[] = [];
    while (taken.length < count) {
      const { tasks, noWork } = await this.ask(count - taken.length);
      if (tasks.length === 0) throw new Error(`${taken.length} of ${count} tasks: ${JSON.stringify(noWork)}`);
      taken.push(...tasks);
    }
    return taken;
  }

  report(...reports: ResultReport[]): Promise<WorkResponse> {
    return this.work({ reports });
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return send<T>(this.url, 'POST', path, { token: this.attached.secret, address: this.address, body });
  }
}

/** An account with a token that may attach hosts. */
export async function createVolunteer(
  url: string,
  operatorToken: string,
  name: string,
): Promise<{ accountId: string; token: string }> {
  const account = await send<{ id: string }>(url, 'POST', '/v1/accounts', {
    token: operatorToken,
    body: { name },
  });
  const created = await send<CreatedToken>(url, 'POST', `/v1/accounts/${account.id}/tokens`, {
    token: operatorToken,
    body: { label: 'test', scopes: ['work', 'submit'] },
  });
  return { accountId: account.id, token: created.secret };
}

interface SendOptions {
  readonly token?: string | undefined;
  /** Pretended address, for coordinators that trust their proxy. */
  readonly address?: string | undefined;
  readonly body: unknown;
}

export async function send<T>(url: string, method: string, path: string, options: SendOptions): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.address === undefined ? {} : { 'x-forwarded-for': options.address }),
    },
    body: JSON.stringify(options.body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T; // `as`: the test names the type that the endpoint documents
}
