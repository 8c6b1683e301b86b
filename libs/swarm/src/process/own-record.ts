import { peerAddress, type SignedCertificate, type SignedPeerRecord } from '@gleaner/protocol';
import { createPeerRecord, type PeerIdentity } from '../auth/index.js';

export interface OwnRecordInit {
  readonly identity: PeerIdentity;
  readonly certificate: () => SignedCertificate;
  readonly addresses: () => readonly string[];
  /** The number of the last record of an earlier run. */
  readonly lastSeq: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Where this host is reached, in its own signed words; made anew when the words change. Its number is the time where the clock lets
 * it grow: one that was set back would make everybody keep the old addresses.
 */
export class OwnRecord {
  #made: { readonly words: string; readonly record: SignedPeerRecord } | undefined;
  #seq: number;

  constructor(private readonly init: OwnRecordInit) {
    this.#seq = init.lastSeq;
  }

  get seq(): number {
    return this.#seq;
  }

  get current(): SignedPeerRecord {
    const { identity, now = Date.now } = this.init;
    const certificate = this.init.certificate();
    // One that nobody would dial is not worth telling, and makes a record of which nobody believes a word.
    const addresses = this.init.addresses().filter((address) => peerAddress.safeParse(address).success);
    const words = JSON.stringify([certificate.sig, addresses]);
    if (this.#made?.words === words) return this.#made.record;
    this.#seq = Math.max(this.#seq + 1, now());
    const record = createPeerRecord(identity, certificate, addresses, this.#seq);
    this.#made = { words, record };
    return record;
  }
}
