import type { TrustRoot } from '../auth/index.js';
import { PeerDirectory } from './peer-directory.js';
import type { PeerLinks } from './peer-links.js';

/** Known peers are tried again at this interval; each has its own patience on top. */
const SUGGEST_MS = 5000;
/** Enough neighbours for a file's chunks to spread; beyond that, handshakes and announcements cost more than they bring. */
const ENOUGH_LINKS = 12;

export interface NeighboursInit {
  readonly trust: TrustRoot;
  readonly ownPeerId: string;
  readonly links: Pick<PeerLinks, 'dial' | 'dialling' | 'failedDials'>;
  /** Files that this host shares. */
  readonly manifestIds: () => Iterable<string>;
  /** Connected peers that share the file. */
  readonly sharing: (manifestId: string) => number;
}

/** Who is known, and who of them is dialled: whoever may share a file that has too few neighbours, as places for links are free. */
export class Neighbours {
  readonly directory: PeerDirectory;
  #suggesting: NodeJS.Timeout | undefined;

  constructor(private readonly init: NeighboursInit) {
    this.directory = new PeerDirectory(init.trust, init.ownPeerId, (peerId, addresses, files) => {
      if (this.#needs(files)) void this.#dial(peerId, addresses);
    });
  }

  /** @param records of peers that an earlier run has known */
  start(records: readonly Uint8Array[]): void {
    for (const record of records) this.directory.learn(record);
    this.#suggesting = setInterval(() => this.suggestAll(), SUGGEST_MS);
  }

  /** Stopping twice is safe. */
  stop(): void {
    clearInterval(this.#suggesting);
  }

  /** Dials whoever is needed, as far as there are places. */
  suggestAll(): void {
    this.directory.suggestAll((peerId) => this.init.links.failedDials(peerId));
  }

  async #dial(peerId: string, addresses: readonly string[]): Promise<void> {
    // Who found no place is next.
    if (await this.init.links.dial(peerId, addresses)) this.suggestAll();
  }

  /** Whether a peer that shares these files, or unknown ones, would be one more for a file that has too few. */
  #needs(files: ReadonlySet<string>): boolean {
    const { links, sharing, manifestIds } = this.init;
    for (const manifestId of manifestIds()) {
      const mayShareIt = files.size === 0 || files.has(manifestId);
      if (mayShareIt && sharing(manifestId) + links.dialling < ENOUGH_LINKS) return true;
    }
    return false;
  }
}
