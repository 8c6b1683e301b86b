import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { swarmCertificateAnswer, type SwarmCertificateAnswer } from '@gleaner/protocol';
import { createPeerIdentity, peerIdentityOf, type PeerIdentity } from '@gleaner/swarm/auth';
import { z } from 'zod';
import type { CoordinatorClient } from '../coordinator-client.js';
import { StateFile } from './state-file.js';

const keySchema = z.strictObject({ v: z.literal(2), seed: z.base64(), sinceMs: z.number() });
type KeptKey = z.infer<typeof keySchema>;
/**
 * Anybody on the same network sees the peer id: mDNS announces it, and Noise shows it to whoever dials. Who saw it yesterday must
 * not know the machine again today.
 */
const SAME_PEER_MS = 24 * 3600 * 1000;
/** After an attempt to become another peer that failed. */
const CHANGE_AGAIN_MS = 600_000;
/** A certificate is renewed when less than this is left of it: half of what the coordinator gives. */
const RENEW_BEFORE_MS = 3.5 * 24 * 3600 * 1000;

/**
 * This host's key in the swarm, another one every day, and the coordinator's word for it; both outlive restarts, and the
 * coordinator's absence.
 */
export class Membership {
  readonly #certificateFile: StateFile<SwarmCertificateAnswer>;
  #answer: SwarmCertificateAnswer | undefined;
  #identity: PeerIdentity;
  /** Whom this host tries to become: the coordinator may have counted it although its answer was lost, and counts so many only. */
  #candidate: PeerIdentity | undefined;
  #sinceMs: number;
  /** When it was last tried to become another peer. */
  #triedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    private readonly client: CoordinatorClient,
    private readonly keyFile: StateFile<KeptKey>,
    directory: string,
    { seed, sinceMs }: KeptKey,
    private readonly now: () => number,
  ) {
    this.#certificateFile = new StateFile(join(directory, 'certificate.json'), swarmCertificateAnswer);
    this.#identity = peerIdentityOf(Buffer.from(seed, 'base64'));
    this.#sinceMs = sinceMs;
  }

  /** @param now milliseconds since 1970 */
  static async open(
    client: CoordinatorClient,
    directory: string,
    now: () => number = Date.now,
  ): Promise<Membership> {
    const keyFile = new StateFile(join(directory, 'peer-key.json'), keySchema);
    const kept = await keyFile.read();
    const key = kept ?? keyOf(createPeerIdentity(), now());
    if (!kept) await keyFile.write(key);
    const membership = new Membership(client, keyFile, directory, key, now);
    const answer = await membership.#certificateFile.read();
    if (answer?.certificate.body.peerId === membership.identity.peerId) membership.#answer = answer;
    return membership;
  }

  get identity(): PeerIdentity {
    return this.#identity;
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
    const answer = await this.#certify(this.identity, signal);
    const isNew = answer.certificate.body.exp !== this.#answer?.certificate.body.exp;
    this.#answer = answer;
    await this.#certificateFile.write(answer);
    return isNew;
  }

  /**
   * Becomes another peer after a day as the same one, once the coordinator vouches for the other: while it is away, this host has
   * to be who it was. Says whether it did; what the peer that it was has open goes on until that is ended.
   *
   * @throws {CoordinatorError} when the coordinator is away, or refuses
   */
  async change(signal: AbortSignal): Promise<boolean> {
    const nowMs = this.now();
    // A clock that was set back would keep the peer the same for as long.
    const hasPassed = (atMs: number, forMs: number): boolean => Math.abs(nowMs - atMs) >= forMs;
    if (!hasPassed(this.#sinceMs, SAME_PEER_MS) || !hasPassed(this.#triedAtMs, CHANGE_AGAIN_MS)) return false;
    this.#triedAtMs = nowMs;
    this.#candidate ??= createPeerIdentity();
    const identity = this.#candidate;
    const answer = await this.#certify(identity, signal);
    const key = keyOf(identity, nowMs);
    await this.keyFile.write(key);
    await this.#certificateFile.write(answer);
    this.#candidate = undefined;
    this.#identity = identity;
    this.#sinceMs = key.sinceMs;
    this.#answer = answer;
    return true;
  }

  async #certify({ peerId }: PeerIdentity, signal: AbortSignal): Promise<SwarmCertificateAnswer> {
    return this.client.postJson('/v1/swarm/certificate', { peerId }, swarmCertificateAnswer, signal);
  }

  #leftMs(): number {
    return (this.#answer?.certificate.body.exp ?? 0) * 1000 - this.now();
  }
}

function keyOf({ seed }: PeerIdentity, sinceMs: number): KeptKey {
  return { v: 2, seed: Buffer.from(seed).toString('base64'), sinceMs };
}
