import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { swarmCertificateAnswer, type SwarmCertificateAnswer } from '@gleaner/protocol';
import { createPeerIdentity, peerIdentityOf, type PeerIdentity } from '@gleaner/swarm/auth';
import { z } from 'zod';
import type { CoordinatorClient } from '../coordinator-client.js';
import { StateFile } from './state-file.js';

const keySchema = z.strictObject({ v: z.literal(1), seed: z.base64() });
/** A certificate is renewed when less than this is left of it: half of what the coordinator gives. */
const RENEW_BEFORE_MS = 3.5 * 24 * 3600 * 1000;

/** This host's key in the swarm, and the coordinator's word for it; both outlive restarts, and the coordinator's absence. */
export class Membership {
  readonly #file: StateFile<SwarmCertificateAnswer>;
  #answer: SwarmCertificateAnswer | undefined;

  private constructor(
    readonly identity: PeerIdentity,
    private readonly client: CoordinatorClient,
    directory: string,
  ) {
    this.#file = new StateFile(join(directory, 'certificate.json'), swarmCertificateAnswer);
  }

  static async open(client: CoordinatorClient, directory: string): Promise<Membership> {
    const file = new StateFile(join(directory, 'peer-key.json'), keySchema);
    const kept = await file.read();
    const identity = kept ? peerIdentityOf(Buffer.from(kept.seed, 'base64')) : createPeerIdentity();
    if (!kept) await file.write({ v: 1, seed: Buffer.from(identity.seed).toString('base64') });
    const membership = new Membership(identity, client, directory);
    const answer = await membership.#file.read();
    if (answer?.certificate.body.peerId === identity.peerId) membership.#answer = answer;
    return membership;
  }

  /** The certificate as of now; undefined when there is none, or it has run out. */
  get current(): SwarmCertificateAnswer | undefined {
    return this.#leftMs() > 0 ? this.#answer : undefined;
  }

  /**
   * Asks for a certificate when there is none or it will run out; says whether there is a new one.
   *
   * @throws {CoordinatorError} when the coordinator is away, or refuses
   */
  async renew(signal: AbortSignal): Promise<boolean> {
    if (this.#leftMs() > RENEW_BEFORE_MS) return false;
    const request = { peerId: this.identity.peerId };
    const answer = await this.client.postJson(
      '/v1/swarm/certificate',
      request,
      swarmCertificateAnswer,
      signal,
    );
    const isNew = answer.certificate.body.exp !== this.#answer?.certificate.body.exp;
    this.#answer = answer;
    await this.#file.write(answer);
    return isNew;
  }

  #leftMs(): number {
    return (this.#answer?.certificate.body.exp ?? 0) * 1000 - Date.now();
  }
}
