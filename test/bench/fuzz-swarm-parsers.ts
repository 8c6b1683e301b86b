import { createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { signedPeerRecord, signedTicket, type OwnCertificate } from '@gleaner/protocol';
import {
  AUTH_PROTOCOL,
  AuthError,
  authenticateLink,
  blindPseudonym,
  createPeerRecord,
  encodePeerRecord,
  encodeTicket,
  judgePeerRecord,
  judgeTicket,
  peerIdentityOf,
  signBody,
  type PeerIdentity,
  type TrustRoot,
} from '@gleaner/swarm/auth';
import { memoryLinkPair } from '@gleaner/swarm/links';
import { mutated, randomBytes } from './fuzz-swarm-frames.js';
import type { Random } from './fuzz-sandbox-random.js';

const MANIFEST_ID = 'a'.repeat(64);
const NOW_MS = Date.parse('2026-11-21T00:00:00Z');
const EXPIRES = NOW_MS / 1000 + 3600;

/** A coordinator, a host that listens, and an enrolled peer whose words are twisted on their way. */
export class SwarmParsers {
  readonly #key = anIdentity(1).privateKey;
  readonly #trust: TrustRoot = {
    coordinatorKey: createPublicKey(this.#key),
    isRevoked: () => false,
    now: () => NOW_MS,
  };
  readonly #host = this.#enrol(anIdentity(2));
  readonly #peer = this.#enrol(anIdentity(3));

  /**
   * A twisted ticket counts for nothing, or says what the coordinator signed.
   *
   * @returns whether it counts
   * @throws {Error} when it is not so
   */
  fuzzTicket(random: Random): boolean {
    const { peerId } = this.#peer.identity;
    const ticket = signBody(
      { kind: 'gleaner-swarm-ticket', v: 1, manifestId: MANIFEST_ID, peerId, exp: EXPIRES },
      this.#key,
    );
    const bytes = mutated(Buffer.from(encodeTicket(ticket)), random);
    const untilMs = judgeTicket(bytes, peerId, MANIFEST_ID, this.#trust);
    if (untilMs === undefined) return false;
    const { body } = signedTicket.parse(JSON.parse(bytes.toString()));
    if (!isDeepStrictEqual(body, ticket.body) || untilMs !== EXPIRES * 1000)
      throw new Error(`a ticket counts that nobody has signed: ${bytes.toString()}`);
    return true;
  }

  /**
   * A twisted peer record counts for nothing, or says what its peer signed.
   *
   * @returns whether it counts
   * @throws {Error} when it is not so
   */
  fuzzRecord(random: Random): boolean {
    const { identity, certificate } = this.#peer;
    const record = createPeerRecord(identity, certificate, ['/ip4/192.0.2.1/tcp/4001'], 7);
    const bytes = mutated(Buffer.from(encodePeerRecord(record)), random);
    const judged = judgePeerRecord(bytes, this.#trust);
    if (judged === undefined) return false;
    const twisted = signedPeerRecord.parse(JSON.parse(bytes.toString()));
    if (
      !isDeepStrictEqual(judged, record.record.body) ||
      !isDeepStrictEqual(twisted.certificate.body, record.certificate.body)
    )
      throw new Error(`a record counts that nobody has signed: ${bytes.toString()}`);
    return true;
  }

  /**
   * A twisted hello, and then anything for a proof, never authenticates anybody, and ends with an AuthError.
   *
   * @returns what was at fault
   * @throws {Error} when it is not so
   */
  async fuzzHello(random: Random): Promise<string> {
    const [link, other] = memoryLinkPair();
    const { body, sig } = this.#peer.certificate;
    const certificate = { body, sig };
    const nonce = Buffer.from(randomBytes(32, random)).toString('base64');
    const text = Buffer.from(JSON.stringify({ certificate, nonce }));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text.length);
    const words = mutated(Buffer.concat([Buffer.from(AUTH_PROTOCOL), length, text]), random);
    other.send(Buffer.concat([words, randomBytes(64, random)]));
    // Whoever says less than a hello is, is not waited for.
    void other.close();
    try {
      await authenticateLink(link, 'listener', { ...this.#host, trust: this.#trust });
    } catch (error) {
      if (error instanceof AuthError) return error.fault;
      throw error;
    } finally {
      other.abort(new Error('done'));
    }
    throw new Error(`somebody came in with ${words.toString('hex')}`);
  }

  #enrol(identity: PeerIdentity): { readonly identity: PeerIdentity; readonly certificate: OwnCertificate } {
    const [pseudonym, serial] = ['0123456789abcdef'.repeat(2), '0011223344556677'];
    const certificate = signBody(
      {
        kind: 'gleaner-certificate' as const,
        v: 1 as const,
        peerId: identity.peerId,
        host: blindPseudonym(pseudonym, serial),
        role: 'host' as const,
        serial,
        exp: EXPIRES,
      },
      this.#key,
    );
    return { identity, certificate: { ...certificate, pseudonym } };
  }
}

/** The same in every run: what an edit hits must depend on the seed of the case alone. */
function anIdentity(number: number): PeerIdentity {
  return peerIdentityOf(new Uint8Array(32).fill(number));
}
