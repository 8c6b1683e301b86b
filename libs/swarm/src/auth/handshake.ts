import { randomBytes, sign, verify } from 'node:crypto';
import {
  swarmHello,
  type OwnCertificate,
  type SignedCertificate,
  type SwarmCertificate,
} from '@gleaner/protocol';
import type { Link } from '../links/link.js';
import { LinkEndedError, LinkReader } from '../links/link-reader.js';
import { AuthError } from './auth-error.js';
import { blindPseudonym, PSEUDONYM_DIGITS } from './host-pseudonym.js';
import { keyOfPeerId, type PeerIdentity } from './peer-identity.js';
import { requireValidCertificate, type TrustRoot } from './signed.js';

/** The first bytes of every link, from both sides. */
export const AUTH_PROTOCOL = '/gleaner/auth/2\n';
const NONCE_BYTES = 32;
const SIGNATURE_BYTES = 64;
const MAX_HELLO_BYTES = 2048;
const DEFAULT_TIMEOUT_MS = 10_000;
const NAMELESS = '0'.repeat(PSEUDONYM_DIGITS);

/** Without the pseudonym, which every coordinator gives with it, nobody else lets its owner in. */
export type ShownCertificate = SignedCertificate & Partial<OwnCertificate>;

export interface HandshakeInit {
  readonly identity: PeerIdentity;
  readonly certificate: ShownCertificate;
  readonly trust: TrustRoot;
  /** Whom the dialler wants to meet: it says nothing, not even who it is, to anybody else. */
  readonly expectedPeer?: string | undefined;
  /** 10,000 when left out. */
  readonly timeoutMs?: number;
}

export interface AuthenticatedLink {
  /** With the host's pseudonym in the place of what hides it. */
  readonly certificate: SwarmCertificate;
  /** What follows the handshake. */
  readonly reader: LinkReader;
}

/**
 * `/gleaner/auth/2`: both sides show a coordinator-signed certificate and prove its key by signing both hellos, whose
 * nonces are fresh, so that neither a certificate nor a proof can be replayed. The side that was dialled stays silent
 * until it has seen a valid certificate. Where the transport proves a peer id, it must be the certificate's. Last, and only to
 * who has proven to be enrolled, each tells its host's pseudonym: whoever dialled a stranger has shown nothing that lasts longer
 * than its peer id.
 *
 * Aborts the link on failure.
 *
 * @throws {AuthError}
 */
export async function authenticateLink(
  link: Link,
  role: 'dialer' | 'listener',
  init: HandshakeInit,
): Promise<AuthenticatedLink> {
  const timeoutMs = init.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = new AuthError('timeout', `no handshake within ${timeoutMs} ms`);
  const timer = setTimeout(() => link.abort(timeout), timeoutMs);
  try {
    return await exchange(link, role, init);
  } catch (error) {
    const fault =
      error instanceof AuthError
        ? error
        : new AuthError('bad-hello', 'the handshake broke off', { cause: error });
    link.abort(fault);
    throw fault;
  } finally {
    clearTimeout(timer);
  }
}

async function exchange(
  link: Link,
  role: 'dialer' | 'listener',
  init: HandshakeInit,
): Promise<AuthenticatedLink> {
  const reader = new LinkReader(link);
  const own = encodeHello(init.certificate);
  const { expectedPeer } = init;
  if (expectedPeer !== undefined && link.remotePeerId !== undefined && link.remotePeerId !== expectedPeer) {
    throw new AuthError('wrong-peer', 'somebody else is at this address');
  }
  if (role === 'dialer') link.send(own);
  const { bytes: theirs, certificate } = await readHello(reader);
  if (certificate.body.peerId === init.identity.peerId)
    throw new AuthError('wrong-peer', 'this host dialled itself');
  if (link.remotePeerId !== undefined && link.remotePeerId !== certificate.body.peerId) {
    throw new AuthError('wrong-peer', 'the certificate belongs to another peer');
  }
  if (expectedPeer !== undefined && certificate.body.peerId !== expectedPeer) {
    throw new AuthError('wrong-peer', 'somebody else is at this address');
  }
  requireValidCertificate(certificate, init.trust);
  if (role === 'listener') link.send(own);
  link.send(sign(null, transcript(role, own, theirs), init.identity.privateKey));
  const proof = await reader.read(SIGNATURE_BYTES);
  const otherRole = role === 'dialer' ? 'listener' : 'dialer';
  if (!verify(null, transcript(otherRole, theirs, own), keyOfPeerId(certificate.body.peerId), proof)) {
    throw new AuthError('bad-proof', 'the peer does not hold its certificate’s key');
  }
  link.send(Buffer.from(init.certificate.pseudonym ?? NAMELESS));
  const host = Buffer.from(await readPseudonym(reader)).toString('latin1');
  if (blindPseudonym(host, certificate.body.serial) !== certificate.body.host) {
    throw new AuthError('bad-proof', 'the certificate belongs to another host than the peer says');
  }
  return { certificate: { ...certificate.body, host }, reader };
}

async function readPseudonym(reader: LinkReader): Promise<Uint8Array> {
  try {
    return await reader.read(PSEUDONYM_DIGITS);
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw new AuthError('refused', 'the peer ended the link when it knew who this is', { cause: error });
  }
}

function encodeHello({ body, sig }: SignedCertificate): Uint8Array {
  const certificate: SignedCertificate = { body, sig };
  const text = JSON.stringify({ certificate, nonce: randomBytes(NONCE_BYTES).toString('base64') });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([Buffer.from(AUTH_PROTOCOL), length, Buffer.from(text)]);
}

async function readHello(reader: LinkReader): Promise<{ bytes: Uint8Array; certificate: SignedCertificate }> {
  const head = Buffer.from(await reader.read(AUTH_PROTOCOL.length + 2));
  if (head.subarray(0, AUTH_PROTOCOL.length).toString('latin1') !== AUTH_PROTOCOL) {
    throw new AuthError('bad-hello', 'the peer does not speak /gleaner/auth/2');
  }
  const length = head.readUInt16BE(AUTH_PROTOCOL.length);
  if (length > MAX_HELLO_BYTES) throw new AuthError('bad-hello', `a hello of ${length} bytes`);
  const body = await reader.read(length);
  try {
    const { certificate } = swarmHello.parse(JSON.parse(Buffer.from(body).toString('utf8')));
    return { bytes: Buffer.concat([head, body]), certificate };
  } catch (error) {
    if (error instanceof LinkEndedError) throw error;
    throw new AuthError('bad-hello', 'the hello is malformed', { cause: error });
  }
}

/** What a side signs. The role keeps a proof from being reflected to whoever made it. */
function transcript(
  signer: 'dialer' | 'listener',
  signersHello: Uint8Array,
  othersHello: Uint8Array,
): Uint8Array {
  return Buffer.concat([Buffer.from(`gleaner-auth-proof ${signer}\n`), signersHello, othersHello]);
}
