import type { PeerRecord, SignedPeerRecord } from '@gleaner/protocol';
import { sha256Hex } from '../sha256.js';
import { AuthError } from './auth-error.js';
import { judgeSignedRecord, requireCurrentCertificate, type TrustRoot } from './signed.js';

/**
 * Judges records of peers, each once: the tracker's answers and other peers name the same ones every few seconds, and two signatures
 * cost as much as a chunk's hash. Whether the certificate still counts is looked at every time.
 */
export class RecordJudge {
  /** Genuine records by the hash of their bytes, the one asked for last at the end. */
  readonly #genuine = new Map<string, SignedPeerRecord>();

  /** @param most records to be remembered */
  constructor(
    private readonly trust: TrustRoot,
    private readonly most: number,
  ) {}

  /** As `judgePeerRecord`. */
  judge(bytes: Uint8Array): PeerRecord | undefined {
    const digest = sha256Hex(bytes);
    const known = this.#genuine.get(digest);
    this.#genuine.delete(digest);
    const judged = known ? this.#ifCurrent(known) : judgeSignedRecord(bytes, this.trust);
    if (!judged) return undefined;
    this.#genuine.set(digest, judged);
    for (const oldest of this.#genuine.keys()) {
      if (this.#genuine.size <= this.most) break;
      this.#genuine.delete(oldest);
    }
    return judged.record.body;
  }

  #ifCurrent(signed: SignedPeerRecord): SignedPeerRecord | undefined {
    try {
      requireCurrentCertificate(signed.certificate.body, this.trust);
      return signed;
    } catch (error) {
      if (error instanceof AuthError) return undefined;
      throw error;
    }
  }
}
