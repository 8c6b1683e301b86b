import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import {
  heartbeatRequest,
  swarmCertificateRequest,
  workRequest,
  type HeartbeatResponse,
  type HostWishes,
  type ResultReport,
  type SwarmCertificateAnswer,
  type SwarmCertificateRequest,
  type TaskAssignment,
  type WorkJob,
  type WorkResponse,
} from '@gleaner/protocol';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { blindPseudonym, signBody } from '@gleaner/swarm/auth';
import type { z } from 'zod';
import { Changes } from './changes.js';
import type { TinyModule } from './tiny-modules.js';
import type { ServerIdentity } from './tls-authority.js';

type Heartbeat = z.infer<typeof heartbeatRequest>;
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers what no coordinator would, on a real socket: for what a real one cannot be made to do. */
export class StandInCoordinator implements AsyncDisposable {
  readonly reports: ResultReport[] = [];
  readonly heartbeats: Heartbeat[] = [];
  /** What of the machine each request for tasks offered. */
  readonly offers: Array<{ readonly cores: number; readonly memoryMiB: number }> = [];
  readonly #tasks: Array<{ task: TaskAssignment; job: WorkJob }> = [];
  readonly #modules = new Map<string, Uint8Array>();
  readonly #server: Server;
  /** Takes the place of POST /v1/work while it is set. */
  workAnswer: Answer | undefined;
  /** What a heartbeat says of every task. */
  action: 'keep' | 'abort' = 'keep';
  /** How reports are answered. */
  reportStatus: 'accepted' | 'retry' = 'accepted';
  /** What the host's owner asked of it on the website. */
  wishes: HostWishes | undefined;
  /** Whether it has heard of another agent that works as this host. */
  isUsedTwice = false;
  /** Starts of agents that have called. */
  readonly instances = new Set<string | undefined>();
  workCalls = 0;
  /** Of hosts that attach. */
  secret = 'gln_host';
  /** How soon the host is to come back: tests are in a hurry. */
  pace = { retryAfterMs: 100, heartbeatMs: 1000 };
  readonly #swarmKey = generateKeyPairSync('ed25519');
  readonly #changes = new Changes();
  #port = 0;

  private constructor(
    private readonly name: string,
    private readonly identity: ServerIdentity | undefined,
  ) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response).finally(() => {
        this.#changes.tell();
      });
    };
    this.#server = identity ? createTlsServer(identity, listener) : createServer(listener);
  }

  /** @param identity serves https with it */
  static async start(name = 'stand-in', identity?: ServerIdentity): Promise<StandInCoordinator> {
    const coordinator = new StandInCoordinator(name, identity);
    await new Promise<void>((resolve) => coordinator.#server.listen(0, '127.0.0.1', resolve));
    return coordinator;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `${this.identity ? 'https' : 'http'}://127.0.0.1:${address.port}`;
  }

  /** Gives out a task of the module; `claimed` is the hash that the agent is told. */
  addTask(taskId: string, module: TinyModule, claimed: string = module.sha256): void {
    this.#modules.set(claimed, module.bytes);
    const job: WorkJob = {
      jobId: '1',
      name: 'tiny',
      app: {
        name: 'tiny',
        version: '1',
        moduleSha256: claimed,
        moduleUrl: `/modules/${claimed}`,
        runtimeVersion: RUNTIME_VERSION,
        stepping: module.stepping ?? false,
      },
      inputs: {},
      args: [],
      env: {},
      outputs: ['stdout'],
      limits: { maxCycles: '1000000000000000', memoryMiB: 1, outputBytes: 1000 },
    };
    this.#tasks.push({ task: { taskId, jobId: '1', params: {}, windows: {}, deadlineMs: 600_000 }, job });
  }

  /** Its operator has replaced its certificate, by whatever authority; connections that are open break. */
  present(identity: ServerIdentity): void {
    if (!(this.#server instanceof TlsServer)) throw new Error('it serves no https');
    this.#server.setSecureContext(identity);
    this.#server.closeAllConnections();
  }

  /** Its machine is off the network: nobody listens, and open connections break. */
  async vanish(): Promise<void> {
    this.#port = Number(new URL(this.url).port);
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Back at the same address. */
  async reappear(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  /** Resolves when the condition holds, looked at after each request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changes.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    const body = await readJson(request);
    if (url === '/v1/hosts' && request.method === 'POST') {
      const coordinator = { name: this.name, url: this.url };
      sendJson(response, 201, {
        hostId: '1',
        accountId: '1',
        anonymous: true,
        secret: this.secret,
        coordinator,
      });
    } else if (url.startsWith('/modules/')) {
      response.end(this.#modules.get(url.slice('/modules/'.length)));
    } else if (url === '/v1/swarm/certificate') {
      sendJson(response, 200, this.#certificate(swarmCertificateRequest.parse(body)));
    } else if (url === '/v1/heartbeat') {
      sendJson(response, 200, this.#heartbeat(heartbeatRequest.parse(body)));
    } else if (url === '/v1/work') {
      this.workCalls += 1;
      if (this.workAnswer) this.workAnswer(request, response);
      else sendJson(response, 200, this.#work(workRequest.parse(body)));
    } else {
      response.writeHead(404).end();
    }
  }

  /** Lets the host take part in a swarm in which nobody else is. */
  #certificate({ peerId }: SwarmCertificateRequest): SwarmCertificateAnswer {
    const exp = Math.floor(Date.now() / 1000) + 7 * 24 * 3600;
    const serial = randomBytes(8).toString('hex');
    const pseudonym = '1'.repeat(32);
    const host = blindPseudonym(pseudonym, serial);
    const body = { kind: 'gleaner-certificate', v: 1, peerId, host, role: 'host', serial, exp } as const;
    const coordinatorKey = this.#swarmKey.publicKey.export({ format: 'der', type: 'spki' });
    return {
      certificate: { ...signBody(body, this.#swarmKey.privateKey), pseudonym },
      coordinatorKey: coordinatorKey.toString('base64'),
      seenAddress: '127.0.0.1',
    };
  }

  #work({ reports, request, instance }: z.infer<typeof workRequest>): WorkResponse {
    this.instances.add(instance);
    if (this.reportStatus === 'accepted') this.reports.push(...reports);
    if (request) this.offers.push({ cores: request.cores, memoryMiB: request.memoryMiB });
    const given = this.#tasks.splice(0, request?.maxTasks ?? 0);
    const isShort = given.length < (request?.maxTasks ?? 0);
    return {
      reports: reports.map(({ taskId }) => ({ taskId, status: this.reportStatus })),
      jobs: given.slice(0, 1).map(({ job }) => job),
      tasks: given.map(({ task }) => task),
      noWork: isShort ? [{ code: 'no-jobs', count: null, message: 'no jobs at the moment' }] : [],
      outputsWanted: [],
      retryAfterMs: isShort ? this.pace.retryAfterMs : 100,
      heartbeatMs: this.pace.heartbeatMs,
      ...(this.wishes && { wishes: this.wishes }),
      ...(this.isUsedTwice && { isUsedTwice: true }),
    };
  }

  #heartbeat(heartbeat: Heartbeat): HeartbeatResponse {
    this.heartbeats.push(heartbeat);
    this.instances.add(heartbeat.instance);
    const tasks = heartbeat.running.map(({ taskId }) => ({ taskId, action: this.action }));
    return {
      tasks,
      outputsWanted: [],
      nextMs: this.pace.heartbeatMs,
      ...(this.wishes && { wishes: this.wishes }),
      ...(this.isUsedTwice && { isUsedTwice: true }),
    };
  }
}

/** A problem document, as the coordinator writes it. */
export function problemAnswer(status: number, code: string, detail: string): Answer {
  return (_request, response) => {
    sendJson(response, status, { type: `urn:gleaner:problem:${code}`, title: code, status, code, detail });
  };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const bytes of request) text += String(bytes);
  return text === '' ? undefined : JSON.parse(text);
}
