import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { OwnCertificate, SignedTicket, SwarmCertificate } from '@gleaner/protocol';
import { sha256Hex } from '../sha256.js';
import { blindPseudonym, PSEUDONYM_DIGITS } from './host-pseudonym.js';
import { createPeerIdentity, type PeerIdentity } from './peer-identity.js';
import { signBody, type TrustRoot } from './signed.js';

const DAY_SECONDS = 24 * 3600;

/** A coordinator's key and what it signs, for tests. */
export class TestCoordinator {
  readonly #key = generateKeyPairSync('ed25519').privateKey;
  readonly revoked = new Set<string>();
  nowMs = Date.parse('2026-11-21T00:00:00Z');

  get trust(): TrustRoot {
    return {
      coordinatorKey: createPublicKey(this.#key),
      isRevoked: (serial) => this.revoked.has(serial),
      now: () => this.nowMs,
    };
  }

  /** @param pseudonym of the host; one for each peer when left out */
  certify(
    peerId: string,
    changes: Partial<SwarmCertificate> = {},
    pseudonym = sha256Hex(Buffer.from(peerId)).slice(0, PSEUDONYM_DIGITS),
  ): OwnCertificate {
    const serial = randomBytes(8).toString('hex');
    const signed = signBody(
      {
        kind: 'gleaner-certificate',
        v: 1,
        peerId,
        host: blindPseudonym(pseudonym, changes.serial ?? serial),
        role: 'host',
        serial,
        exp: Math.floor(this.nowMs / 1000) + DAY_SECONDS,
        ...changes,
      },
      this.#key,
    );
    return { ...signed, pseudonym };
  }

  ticket(
    peerId: string,
    manifestId: string,
    exp = Math.floor(this.nowMs / 1000) + DAY_SECONDS,
  ): SignedTicket {
    return signBody({ kind: 'gleaner-swarm-ticket', v: 1, manifestId, peerId, exp }, this.#key);
  }

  /** @param pseudonym of a host that has been another peer before */
  enrol(pseudonym?: string): { identity: PeerIdentity; certificate: OwnCertificate } {
    const identity = createPeerIdentity();
    return { identity, certificate: this.certify(identity.peerId, {}, pseudonym) };
  }
}
