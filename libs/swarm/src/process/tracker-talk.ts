import { SWARM_LIMITS, type SwarmAnnounceAnswer } from '@gleaner/protocol';
import { encodePeerRecord } from '../auth/index.js';
import { ExpiringNames, type ExpiringName } from './expiring-names.js';
import type { OwnRecord } from './own-record.js';
import type { PeerDirectory } from './peer-directory.js';
import type { SharedFile } from './shared-file.js';
import { CoordinatorRefusedError, type SwarmCoordinator } from './swarm-coordinator.js';
import { waitMs } from './wait-ms.js';

/** After an announce that came to nothing; doubled with every other. A coordinator that comes back hears of everybody's files at once. */
const RETRY_MS = { first: 1000, most: 30_000 };
/** Twice what one answer tells; each is forgotten when its certificate has ended anyhow. */
const MAX_REVOKED = 2 * SWARM_LIMITS.revokedSerials;
const REVOKED_MS = (SWARM_LIMITS.certificateSeconds + SWARM_LIMITS.clockSkewSeconds) * 1000;

export interface TrackerTalkInit {
  readonly ownRecord: OwnRecord;
  readonly bannedPeers: () => readonly string[];
  readonly coordinator: SwarmCoordinator;
  readonly directory: PeerDirectory;
  /** What an earlier run was told. */
  readonly revoked?: readonly ExpiringName[];
  readonly revocationsSeen?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly warn: (event: string, error: unknown) => undefined;
  /** Uniform in [0, 1); chance when left out. */
  readonly random?: () => number;
  /** Resolves after the delay, or when the signal aborts; by the clock when left out. */
  readonly wait?: typeof waitMs;
}

/** Announces shared files to the tracker, and takes in whom it names and whom it no longer trusts. */
export class TrackerTalk {
  readonly #revoked: ExpiringNames;
  readonly #wait: typeof waitMs;
  #revocationsSeen: number;

  constructor(private readonly init: TrackerTalkInit) {
    this.#wait = init.wait ?? waitMs;
    this.#revoked = new ExpiringNames(MAX_REVOKED, init.now, init.revoked);
    this.#revocationsSeen = init.revocationsSeen ?? 0;
  }

  /** Serials of certificates that do not count, for the next run. */
  get revoked(): readonly ExpiringName[] {
    return this.#revoked.entries;
  }

  /** Up to where the coordinator has told of such. */
  get revocationsSeen(): number {
    return this.#revocationsSeen;
  }

  isRevoked(serial: string): boolean {
    return this.#revoked.has(serial);
  }

  /** Announces the file again and again until the signal aborts. */
  async keepAnnouncing(shared: SharedFile, signal: AbortSignal): Promise<void> {
    let isTold = false;
    for (let failures = 0; !signal.aborted;) {
      let againMs: number;
      // A coordinator that was started anew has forgotten whose task needed the file; an older one refuses whoever tells it more
      // than it knows. Which of them it is shows in turns.
      const announcement = {
        ...this.#announcement(shared, false),
        ...(failures % 2 === 1 && { ticket: shared.ticket }),
      };
      try {
        const answer = await this.init.coordinator.announce(announcement, signal);
        this.#noteRevoked(answer);
        for (const record of answer.peers)
          this.init.directory.learn(encodePeerRecord(record), shared.manifestId);
        failures = 0;
        isTold = false;
        againMs = answer.intervalMs;
      } catch (error) {
        if (signal.aborted) return;
        // Once is enough of a coordinator that is away for a night.
        if (!isTold) isTold = this.#tell(error);
        failures += 1;
        againMs = this.#retryMs(failures);
      }
      await this.#wait(againMs, signal);
    }
  }

  /** Says that this host shares the file no longer; without waiting for an answer. */
  sayLeaving(shared: SharedFile, signal: AbortSignal): void {
    this.init.coordinator
      .announce(this.#announcement(shared, true), signal)
      .catch((error: unknown) => void this.#tell(error));
  }

  /**
   * Whether it is told. A refusal means that the coordinator has forgotten why this host has the file, or that the jobs which read it
   * have ended: nothing is wrong then. Of a host that is no longer trusted the membership tells.
   */
  #tell(error: unknown): boolean {
    if (error instanceof CoordinatorRefusedError) return false;
    this.init.warn('announce-failed', error);
    return true;
  }

  #retryMs(failures: number): number {
    const mostMs = Math.min(RETRY_MS.first * 2 ** (failures - 1), RETRY_MS.most);
    return (mostMs * (1 + (this.init.random ?? Math.random)())) / 2;
  }

  #noteRevoked({ revoked, revocations = 0 }: SwarmAnnounceAnswer): void {
    for (const serial of revoked) this.#revoked.add(serial, this.init.now() + REVOKED_MS);
    // Files are announced side by side: an answer that comes late must not make the next one tell everything again.
    this.#revocationsSeen = Math.max(this.#revocationsSeen, revocations);
  }

  #announcement(shared: SharedFile, isLeaving: boolean) {
    const { ownRecord, bannedPeers } = this.init;
    return {
      manifestId: shared.manifestId,
      record: ownRecord.current,
      have: Buffer.from(shared.data.have.bytes).toString('base64'),
      isLeaving,
      badPeers: bannedPeers().slice(-SWARM_LIMITS.reportsPerAnnounce),
      revocationsSeen: this.#revocationsSeen,
    };
  }
}
