import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { signedBytes, type OwnCertificate, type SignedTicket } from '@gleaner/protocol';
import { blindPseudonym, PSEUDONYM_DIGITS } from '@gleaner/swarm/auth';
import { ManifestSigner } from '../blobs/index.js';
import { BoundedCache } from '../http/index.js';

/** Tickets hold so long: a host shares what it has for a while after its task, also while the coordinator is away. */
export const TICKET_MS = 24 * 3600 * 1000;
/** A signed ticket is given out again while it has at least half of its time left: a signature costs more than a look-up. */
const REUSED_MS = TICKET_MS / 2;
const KEPT_TICKETS = 50_000;

export interface CertificateFacts {
  readonly peerId: string;
  readonly hostId: string;
  readonly serial: string;
  readonly expiresAt: Date;
}

/** Signs what lets a host into the swarm, with the key that signs manifests. */
@Injectable()
export class SwarmSigner {
  private readonly tickets = new BoundedCache<string, SignedTicket>(KEPT_TICKETS, REUSED_MS);

  constructor(private readonly signer: ManifestSigner) {}

  /** SPKI (DER) in base64. */
  get coordinatorKey(): string {
    return this.signer.verificationKey.export({ format: 'der', type: 'spki' }).toString('base64');
  }

  get verificationKey() {
    return this.signer.verificationKey;
  }

  certificate({ peerId, hostId, serial, expiresAt }: CertificateFacts): OwnCertificate {
    const pseudonym = this.pseudonymOf(hostId);
    const body = {
      kind: 'gleaner-certificate' as const,
      v: 1 as const,
      peerId,
      host: blindPseudonym(pseudonym, serial),
      role: 'host' as const,
      serial,
      exp: Math.floor(expiresAt.getTime() / 1000),
    };
    return { body, sig: this.sign(body), pseudonym };
  }

  ticket(peerId: string, manifestId: string): SignedTicket {
    const key = `${peerId} ${manifestId}`;
    const kept = this.tickets.get(key);
    if (kept) return kept;
    const exp = Math.floor((Date.now() + TICKET_MS) / 1000);
    const body = { kind: 'gleaner-swarm-ticket' as const, v: 1 as const, manifestId, peerId, exp };
    const ticket = { body, sig: this.sign(body) };
    this.tickets.set(key, ticket);
    return ticket;
  }

  private sign(body: Parameters<typeof signedBytes>[0]): string {
    return this.signer.sign(signedBytes(body)).toString('base64');
  }

  /**
   * The same for all certificates of a host, and nothing that leads to it: leaderboards show hosts, peers see addresses.
   * Ed25519 signatures are deterministic, so the hash of one is a keyed hash.
   */
  private pseudonymOf(hostId: string): string {
    const keyed = this.signer.sign(new TextEncoder().encode(`gleaner-host-pseudonym ${hostId}`));
    return createHash('sha256').update(keyed).digest('hex').slice(0, PSEUDONYM_DIGITS);
  }
}
