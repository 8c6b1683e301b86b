import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import { join } from 'node:path';
import { attachedHost } from '@gleaner/protocol';
import {
  openWorker,
  DEFAULT_SWARM_PREFERENCES,
  type SwarmPreferences,
  type Worker,
} from '@gleaner/worker-sdk';
import { aPerson, clientWith, type TestApplication } from '../support/index.js';

/** Stands before a coordinator, counts what its origin sends, and can cut the origin off while everything else works. */
export class OriginGate implements AsyncDisposable {
  contentBytes = 0;
  isClosed = false;
  /** Nothing is answered at all: the coordinator is away. */
  isAway = false;
  /** So many of the next calls for tickets are not answered. */
  ticketCallsToLose = 0;
  /** Hosts have their certificates for the swarm once this has resolved. */
  certificatesArrive: Promise<void> = Promise.resolve();
  readonly #server: Server;

  private constructor(private readonly target: string) {
    this.#server = createServer((from, to) => {
      const isContent = /^\/v1\/blobs\/[^/]+\/content/.test(from.url ?? '');
      const isLost = from.url === '/v1/swarm/tickets' && this.ticketCallsToLose > 0;
      if (isLost) this.ticketCallsToLose -= 1;
      if (this.isAway || isLost || (isContent && this.isClosed)) {
        to.writeHead(503).end();
        return;
      }
      const onward = forward(new URL(from.url ?? '/', this.target), {
        method: from.method,
        headers: from.headers,
      });
      const isCertificate = from.url === '/v1/swarm/certificate';
      onward.on('response', (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        if (isContent) answer.on('data', (bytes: Buffer) => (this.contentBytes += bytes.length));
        if (isCertificate) void this.certificatesArrive.then(() => answer.pipe(to));
        else answer.pipe(to);
      });
      onward.on('error', () => to.destroy());
      from.pipe(onward);
    });
  }

  /** @param socketPath where it listens instead of at a port: sockets in the file system reach into every network namespace */
  static async before(application: TestApplication, socketPath?: string): Promise<OriginGate> {
    const gate = new OriginGate(application.url);
    if (socketPath === undefined) gate.#server.listen(0, '127.0.0.1');
    else gate.#server.listen(socketPath);
    await once(gate.#server, 'listening');
    return gate;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the gate is not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface SharingVolunteer extends AsyncDisposable {
  readonly worker: Worker;
  readonly log: readonly string[];
  /** Stops the worker, and starts one on the same data after what happens between. */
  restart(between: (dataDirectory: string) => Promise<void>): Promise<void>;
}

export interface SharingOptions {
  readonly name: string;
  readonly directory: string;
  /** How it reaches the coordinator. */
  readonly url: string;
  readonly preferences?: Partial<SwarmPreferences>;
}

/** A volunteer who agreed to the swarm, on an account of its own: the agent's worker with a swarm process of its own. */
export async function aSharingVolunteer(
  application: TestApplication,
  { name, directory, url, preferences }: SharingOptions,
): Promise<SharingVolunteer> {
  const person = await aPerson(application, { name, scopes: ['work'] });
  const facts = { name, kind: 'agent', platform: 'test', cores: 1, memoryMiB: 256, agentVersion: 'test' };
  const answer = await clientWith(application, person.token).post('/v1/hosts', { host: facts }).expect(201);
  const { secret } = attachedHost.parse(answer.body);
  const log: string[] = [];
  const dataDirectory = join(directory, name);
  const begin = async (): Promise<Worker> => {
    const begun = await openWorker({
      coordinator: url,
      credentials: { token: secret },
      dataDirectory,
      policy: { cores: 1, memoryMiB: 256, bufferMs: 0 },
      log: (event, fields) => log.push(`${event} ${JSON.stringify(fields ?? {})}`),
    });
    begun.setSwarm({ ...DEFAULT_SWARM_PREFERENCES, ...preferences });
    await begun.start();
    return begun;
  };
  let worker = await begin();
  return {
    get worker() {
      return worker;
    },
    log,
    restart: async (between) => {
      await worker.stop();
      await between(dataDirectory);
      worker = await begin();
    },
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}
