import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  swarmCertificateRequest,
  swarmTicketsRequest,
  type SwarmCertificateAnswer,
  type SwarmReplicasAnswer,
  type SwarmTicketsAnswer,
} from '@gleaner/protocol';
import { blindPseudonym, signBody } from '@gleaner/swarm/auth';
import { CoordinatorClient } from '../coordinator-client.js';
import { LoopbackServer } from '../loopback-server.fixture.js';

const WEEK_SECONDS = 7 * 24 * 3600;

/** A coordinator that lets one host into the swarm, on a real socket, and a directory for what that host keeps. */
export class SwarmOffice implements AsyncDisposable {
  isAway = false;
  /** It does what it is asked for, but nobody hears of it. */
  areAnswersLost = false;
  /** No task of the host needs any file. */
  refusesTickets = false;
  nowMs = Date.now();
  /** Peer ids that were given a certificate, in order. */
  readonly certified: string[] = [];
  /** How often a host has asked what it should keep for others. */
  askedForReplicas = 0;
  readonly #key = generateKeyPairSync('ed25519');

  private constructor(
    private readonly server: LoopbackServer,
    readonly directory: string,
  ) {}

  static async open(): Promise<SwarmOffice> {
    const server = await LoopbackServer.open((request, response) => {
      void text(request).then((body) => {
        const answer = office.#answer(request.url ?? '', JSON.parse(body));
        if (answer) response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
        else response.writeHead(503).end();
      });
    });
    const office = new SwarmOffice(server, await mkdtemp(join(tmpdir(), 'gleaner-office-')));
    return office;
  }

  get client(): CoordinatorClient {
    return new CoordinatorClient({ baseUrl: this.server.url });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true });
  }

  #answer(
    url: string,
    body: unknown,
  ): SwarmCertificateAnswer | SwarmTicketsAnswer | SwarmReplicasAnswer | undefined {
    if (this.isAway) return undefined;
    const answer = this.#answerTo(url, body);
    return this.areAnswersLost ? undefined : answer;
  }

  #answerTo(url: string, body: unknown) {
    switch (url) {
      case '/v1/swarm/tickets':
        return this.#tickets(body);
      case '/v1/swarm/replicas':
        this.askedForReplicas += 1;
        return { offers: [], retryAfterMs: 60_000 };
      default:
        return this.#certificate(body);
    }
  }

  #certificate(request: unknown): SwarmCertificateAnswer {
    const { peerId } = swarmCertificateRequest.parse(request);
    this.certified.push(peerId);
    const [serial, pseudonym] = [randomBytes(8).toString('hex'), 'a'.repeat(32)];
    const exp = Math.floor(this.nowMs / 1000) + WEEK_SECONDS;
    const host = blindPseudonym(pseudonym, serial);
    const body = { kind: 'gleaner-certificate', v: 1, peerId, host, role: 'host', serial, exp } as const;
    return {
      certificate: { ...signBody(body, this.#key.privateKey), pseudonym },
      coordinatorKey: this.#key.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
      seenAddress: '127.0.0.1',
    };
  }

  #tickets(request: unknown): SwarmTicketsAnswer {
    const { peerId, manifestIds } = swarmTicketsRequest.parse(request);
    if (this.refusesTickets) {
      return { tickets: [], refused: manifestIds.map((manifestId) => ({ manifestId, reason: 'no task' })) };
    }
    const exp = Math.floor(this.nowMs / 1000) + WEEK_SECONDS / 7;
    const tickets = manifestIds.map((manifestId) =>
      signBody(
        { kind: 'gleaner-swarm-ticket', v: 1, manifestId, peerId, exp } as const,
        this.#key.privateKey,
      ),
    );
    return { tickets, refused: [] };
  }
}
