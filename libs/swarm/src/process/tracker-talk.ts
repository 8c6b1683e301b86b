import { SWARM_LIMITS, type SignedCertificate } from '@gleaner/protocol';
import { createPeerRecord, encodePeerRecord, type PeerIdentity } from '../auth/index.js';
import type { PeerDirectory } from './peer-directory.js';
import type { SharedFile } from './shared-file.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import { waitMs } from './wait-ms.js';

const FIRST_RETRY_MS = 1000;

export interface TrackerTalkInit {
  readonly identity: PeerIdentity;
  readonly certificate: () => SignedCertificate;
  readonly addresses: () => readonly string[];
  readonly bannedPeers: () => readonly string[];
  readonly coordinator: SwarmCoordinator;
  readonly directory: PeerDirectory;
  readonly warn: (event: string, error: unknown) => undefined;
}

/** Announces shared files to the tracker, and takes in whom it names and whom it no longer trusts. */
export class TrackerTalk {
  readonly #revoked = new Set<string>();
  #revocationsSeen = 0;

  constructor(private readonly init: TrackerTalkInit) {}

  isRevoked(serial: string): boolean {
    return this.#revoked.has(serial);
  }

  /** Announces the file again and again until the signal aborts. */
  async keepAnnouncing(shared: SharedFile, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = await this.init.coordinator
        .announce(this.#announcement(shared, false), signal)
        .catch((error: unknown) => (signal.aborted ? undefined : this.init.warn('announce-failed', error)));
      if (answer) this.#revocationsSeen = answer.revocations ?? 0;
      for (const serial of answer?.revoked ?? []) this.#revoked.add(serial);
      for (const record of answer?.peers ?? [])
        this.init.directory.learn(encodePeerRecord(record), shared.manifestId);
      await waitMs(answer?.intervalMs ?? FIRST_RETRY_MS, signal);
    }
  }

  /** Says that this host shares the file no longer; without waiting for an answer. */
  sayLeaving(shared: SharedFile, signal: AbortSignal): void {
    this.init.coordinator
      .announce(this.#announcement(shared, true), signal)
      .catch((error: unknown) => this.init.warn('announce-failed', error));
  }

  #announcement(shared: SharedFile, isLeaving: boolean) {
    const { identity, certificate, addresses, bannedPeers } = this.init;
    return {
      manifestId: shared.manifestId,
      record: createPeerRecord(identity, certificate(), addresses(), Date.now()),
      have: Buffer.from(shared.data.have.bytes).toString('base64'),
      isLeaving,
      badPeers: bannedPeers().slice(-SWARM_LIMITS.reportsPerAnnounce),
      revocationsSeen: this.#revocationsSeen,
    };
  }
}
