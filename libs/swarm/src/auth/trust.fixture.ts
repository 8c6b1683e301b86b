import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { SignedCertificate, SignedTicket, SwarmCertificate } from '@gleaner/protocol';
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

  certify(peerId: string, changes: Partial<SwarmCertificate> = {}): SignedCertificate {
    return signBody(
      {
        kind: 'gleaner-certificate',
        v: 1,
        peerId,
        // A host each.
        host: `host-${peerId.slice(-12)}`,
        role: 'host',
        serial: randomBytes(8).toString('hex'),
        exp: Math.floor(this.nowMs / 1000) + DAY_SECONDS,
        ...changes,
      },
      this.#key,
    );
  }

  ticket(
    peerId: string,
    manifestId: string,
    exp = Math.floor(this.nowMs / 1000) + DAY_SECONDS,
  ): SignedTicket {
    return signBody({ kind: 'gleaner-swarm-ticket', v: 1, manifestId, peerId, exp }, this.#key);
  }

  enrol(): { identity: PeerIdentity; certificate: SignedCertificate } {
    const identity = createPeerIdentity();
    return { identity, certificate: this.certify(identity.peerId) };
  }
}
