import { sign, verify, type KeyObject } from 'node:crypto';
import {
  peerRecord,
  signedBytes,
  signedPeerRecord,
  signedTicket,
  SWARM_LIMITS,
  type PeerRecord,
  type SignedCertificate,
  type SignedPeerRecord,
  type SignedTicket,
  type SwarmCertificate,
  type SwarmTicket,
} from '@gleaner/protocol';
import { AuthError } from './auth-error.js';
import { keyOfPeerId, type PeerIdentity } from './peer-identity.js';

/** Who may be trusted now. */
export interface TrustRoot {
  /** The coordinator's Ed25519 public key. */
  readonly coordinatorKey: KeyObject;
  readonly isRevoked: (serial: string) => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type SignableBody = SwarmCertificate | SwarmTicket | PeerRecord;

/** Signs a body; the coordinator's key for certificates and tickets, the peer's own for records. */
export function signBody<T extends SignableBody>(body: T, key: KeyObject): { body: T; sig: string } {
  return { body, sig: sign(null, signedBytes(body), key).toString('base64') };
}

function isSignedBy(signed: { body: SignableBody; sig: string }, key: KeyObject): boolean {
  return verify(null, signedBytes(signed.body), key, Buffer.from(signed.sig, 'base64'));
}

/** @throws {AuthError} `bad-signature`, `expired`, `too-long-lived` or `revoked` */
export function requireValidCertificate(certificate: SignedCertificate, trust: TrustRoot): void {
  if (!isSignedBy(certificate, trust.coordinatorKey)) {
    throw new AuthError('bad-signature', 'the certificate is not the coordinator’s');
  }
  requireCurrentCertificate(certificate.body, trust);
}

/**
 * Whether a certificate that is the coordinator's counts now.
 *
 * @throws {AuthError} `expired`, `too-long-lived` or `revoked`
 */
export function requireCurrentCertificate({ exp, serial }: SwarmCertificate, trust: TrustRoot): void {
  const secondsLeft = exp - trust.now() / 1000;
  if (secondsLeft <= 0) throw new AuthError('expired', 'the certificate has expired');
  if (secondsLeft > SWARM_LIMITS.certificateSeconds + SWARM_LIMITS.clockSkewSeconds) {
    throw new AuthError('too-long-lived', 'the certificate is valid for more than seven days');
  }
  if (trust.isRevoked(serial)) throw new AuthError('revoked', 'the certificate was revoked');
}

/** As `open` frames carry it: JSON in UTF-8. */
export function encodeTicket(ticket: SignedTicket): Uint8Array {
  return Buffer.from(JSON.stringify(ticket));
}

/** Until when (ms) the ticket lets this peer have this file; undefined when it does not. */
export function judgeTicket(
  bytes: Uint8Array,
  peer: string,
  manifestId: string,
  trust: TrustRoot,
): number | undefined {
  const parsed = signedTicket.safeParse(parseJson(bytes, SWARM_LIMITS.ticketBytes));
  if (!parsed.success) return undefined;
  const { body } = parsed.data;
  if (body.peerId !== peer || body.manifestId !== manifestId || body.exp * 1000 <= trust.now())
    return undefined;
  return isSignedBy(parsed.data, trust.coordinatorKey) ? body.exp * 1000 : undefined;
}

/** This host's own record. `seq` has to grow with every change of the addresses. */
export function createPeerRecord(
  identity: PeerIdentity,
  { body: certified, sig }: SignedCertificate,
  addresses: readonly string[],
  seq: number,
): SignedPeerRecord {
  const body = peerRecord.parse({
    kind: 'gleaner-peer-record',
    v: 1,
    peerId: identity.peerId,
    addresses: addresses.slice(0, SWARM_LIMITS.addressesPerPeer),
    seq,
  });
  // Not the pseudonym: records go from hand to hand.
  return { record: signBody(body, identity.privateKey), certificate: { body: certified, sig } };
}

/** As it goes from peer to peer: JSON in UTF-8. */
export function encodePeerRecord(record: SignedPeerRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** A record from anywhere: undefined unless its peer signed it and the coordinator vouches for that peer. */
export function judgePeerRecord(bytes: Uint8Array, trust: TrustRoot): PeerRecord | undefined {
  return judgeSignedRecord(bytes, trust)?.record.body;
}

/** As {@link judgePeerRecord}, with what it was judged by. */
export function judgeSignedRecord(bytes: Uint8Array, trust: TrustRoot): SignedPeerRecord | undefined {
  const parsed = signedPeerRecord.safeParse(parseJson(bytes, SWARM_LIMITS.recordBytes));
  if (!parsed.success) return undefined;
  const { record, certificate } = parsed.data;
  if (record.body.peerId !== certificate.body.peerId) return undefined;
  try {
    requireValidCertificate(certificate, trust);
    return isSignedBy(record, keyOfPeerId(record.body.peerId)) ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof AuthError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseJson(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.length > maxBytes) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Not JSON, or not UTF-8: no ticket and no record is the whole answer.
    return undefined;
  }
}
