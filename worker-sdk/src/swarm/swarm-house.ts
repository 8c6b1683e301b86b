import { readCachedManifest, type ContentCache, type ManifestSource } from '@gleaner/swarm';
import type { ChunkStore } from '@gleaner/swarm/store';
import { z } from 'zod';
import type { CoordinatorClient } from '../coordinator-client.js';
import { WakeUp } from '../wake-up.js';
import type { LateFiles } from './late-files.js';
import type { Membership } from './membership.js';
import type { MemoryFile } from './memory-file.js';
import { ReplicaKeeper } from './replicas.js';
import { shareFile } from './share-file.js';
import type { FileTicket, SharedFiles, TicketedFile } from './shared-files.js';
import type { SwarmLog, SwarmSession } from './swarm-session.js';
import type { TrafficLedger } from './traffic-ledger.js';

/** What moved is asked of the process at this interval; the rest of the housekeeping every so many rounds. */
const ROUND_MS = 2000;
const ROUNDS_PER_CHORE = 15;

export interface SwarmHouseInit {
  readonly session: SwarmSession;
  readonly membership: Membership;
  readonly files: SharedFiles;
  readonly ledger: TrafficLedger;
  readonly memory: MemoryFile;
  readonly late: LateFiles;
  readonly client: CoordinatorClient;
  readonly store: ChunkStore;
  readonly cache: ContentCache;
  readonly manifests: ManifestSource;
  readonly keepsReplicas: () => boolean;
  /** Bytes that may still be exchanged with other volunteers this month; infinite without a cap. */
  readonly leftOfMonthBytes: () => number;
  /** What moved, and how many are connected, is known anew. */
  readonly onRound: (peers: number) => void;
  readonly warn: (error: unknown) => void;
  readonly log: SwarmLog;
}

/** What a running process needs from outside: its files, fresh certificates and tickets, and that somebody counts what it moves. */
export class SwarmHouse {
  readonly #replicas: ReplicaKeeper;
  #replicating: Promise<void> | undefined;
  #toldBudget: number;

  constructor(private readonly init: SwarmHouseInit) {
    this.#replicas = new ReplicaKeeper(init);
    this.#toldBudget = init.leftOfMonthBytes();
  }

  /** Until the signal aborts, the cap is used, or there is a reason, which is returned, to start another process. */
  async keep(outer: AbortSignal): Promise<string | undefined> {
    const over = new AbortController();
    try {
      return await this.#keepUntil(AbortSignal.any([outer, over.signal]));
    } finally {
      // A replica that was being fetched is fetched by the next process, if by any.
      over.abort(new Error('the house is left'));
      await this.#replicating;
    }
  }

  async #keepUntil(signal: AbortSignal): Promise<string | undefined> {
    const { session, files, leftOfMonthBytes, warn } = this.init;
    await this.#renewTicketsOfBefore(signal);
    await this.#rejoin(signal);
    await this.#shareLate(signal).catch(warn);
    let reason: string | undefined;
    for (let round = 1; !signal.aborted && leftOfMonthBytes() > 0; round += 1) {
      await this.#look();
      if (session.hasMoved()) {
        reason = 'this machine’s network has changed';
        break;
      }
      if (round % ROUNDS_PER_CHORE === 0) {
        for (const chore of this.#chores(signal)) await chore().catch(warn);
        if (this.init.membership.identity.peerId !== files.peerId) {
          reason = 'this machine goes on as another peer';
          break;
        }
      }
      if (this.init.keepsReplicas()) this.#replicate(signal);
      await new WakeUp().wait(ROUND_MS, signal);
    }
    // The last words of a process that is told to end, not of one that is gone.
    await this.#look()
      .then(() => this.#saveMemory())
      .catch(() => undefined);
    return reason;
  }

  /** A host that has become another peer needs other tickets for what it shared as the one before. */
  async #renewTicketsOfBefore(signal: AbortSignal): Promise<void> {
    const { files, warn } = this.init;
    for (let left = files.outdated; left > 0 && !signal.aborted; left = files.outdated) {
      await files.renew(signal).catch(warn);
      // The coordinator is away: what is left has to wait for the next chores.
      if (files.outdated === left) return;
    }
  }

  /** What was shared before, as far as it is still there. */
  async #rejoin(signal: AbortSignal): Promise<void> {
    const { files, warn } = this.init;
    for (const file of files.all) {
      if (signal.aborted) return;
      const isKept = await this.#join(file).catch(warn);
      if (isKept === false) await files.remove(file.location.manifestId);
    }
  }

  /** Shares a file, or shows its newer ticket; says whether anything of it is kept to be shared. */
  async #join(file: TicketedFile): Promise<boolean> {
    const { session, store, cache } = this.init;
    const { manifestId } = file.location;
    const manifest = await readCachedManifest(cache, manifestId);
    if (!manifest || !(session.isJoined(manifestId) || store.manifestIds.includes(manifestId))) return false;
    await session.join(file, manifest);
    return true;
  }

  /** What tasks had from the origin because it could not be joined in time: others may have it from here. */
  async #shareLate(signal: AbortSignal): Promise<void> {
    const { late, files, warn } = this.init;
    for (const location of late.all) {
      // A coordinator that is away has no ticket for the others either: all of them wait.
      const ticket = await files.ticketFor(location, signal);
      // What is wrong with this one is told once, and keeps no other waiting.
      late.delete(location.manifestId);
      if (ticket) await this.#share({ location, ticket }).catch(warn);
    }
  }

  /** Unless nothing of it is kept any more. */
  async #share(file: FileTicket): Promise<void> {
    const { store, cache } = this.init;
    const { manifestId } = file.location;
    const manifest = await readCachedManifest(cache, manifestId);
    if (manifest && store.manifestIds.includes(manifestId)) await shareFile(this.init, file, manifest);
  }

  async #look(): Promise<void> {
    const { session, ledger, leftOfMonthBytes, onRound } = this.init;
    const progress = await session.progress();
    ledger.follow(progress);
    await ledger.saveIfMuch();
    // The same as before, until another month begins.
    const budget = progress.exchangedBytes + leftOfMonthBytes();
    if (budget !== this.#toldBudget) await session.setBudget(budget);
    this.#toldBudget = budget;
    onRound(progress.peers.length);
  }

  #chores(signal: AbortSignal): ReadonlyArray<() => Promise<void>> {
    const { session, membership, ledger } = this.init;
    return [
      async () => {
        if (await membership.renew(signal)) await session.renewCertificate();
      },
      async () => void (await membership.change(signal)),
      () => this.#renewTickets(signal),
      () => this.#shareLate(signal),
      () => this.#reportTraffic(signal),
      () => this.#saveMemory(),
      () => ledger.save(),
    ];
  }

  #replicate(signal: AbortSignal): void {
    const { session, membership, warn } = this.init;
    this.#replicating ??= this.#replicas
      .round(session, membership.identity.peerId, signal)
      .catch(warn)
      .finally(() => {
        this.#replicating = undefined;
      });
  }

  async #renewTickets(signal: AbortSignal): Promise<void> {
    const { session, files, warn } = this.init;
    const { renewed, ended } = await files.renew(signal);
    // Also what could not be joined at the start, because the coordinator was away when it was to give tickets to another peer.
    for (const file of renewed) await this.#join(file).catch(warn);
    for (const manifestId of ended) await session.leave(manifestId);
  }

  async #reportTraffic(signal: AbortSignal): Promise<void> {
    const { ledger, client, membership } = this.init;
    const report = ledger.report(membership.identity.peerId);
    if (!report) return;
    await client.postJson('/v1/swarm/traffic', report, z.unknown(), signal);
    ledger.reported(report);
  }

  async #saveMemory(): Promise<void> {
    await this.init.memory.write(await this.init.session.memory());
  }
}
