import { Buffer } from 'node:buffer';
import { chunkSizeBytes, SWARM_LIMITS, swarmReplicasAnswer, type SwarmReplicaOffer } from '@gleaner/protocol';
import { fetchCachedManifest, type ContentCache, type ManifestSource } from '@gleaner/swarm';
import { Bitmap } from '@gleaner/swarm/engine';
import { PROMISED_SHARE, StoreFullError, type ChunkStore } from '@gleaner/swarm/store';
import type { CoordinatorClient } from '../coordinator-client.js';
import { Deadline } from '../deadline.js';
import { shareFile } from './share-file.js';
import type { SharedFiles } from './shared-files.js';
import type { SwarmLog, SwarmSession } from './swarm-session.js';

/** Of the free part of the store, this share is offered: the rest waits for tasks. */
const OFFERED_SHARE = 0.5;
const OFFER_TIMEOUT_MS = 600_000;
const FIRST_ASK_MS = 10_000;
const ASK_AGAIN_MS = 300_000;

export interface ReplicaKeeperComponents {
  readonly client: CoordinatorClient;
  readonly store: ChunkStore;
  readonly cache: ContentCache;
  readonly manifests: ManifestSource;
  readonly files: SharedFiles;
  readonly log: SwarmLog;
}

/**
 * Bytes that a host may be asked to keep for others, by what its store and its replicas take now: never more than is kept of
 * promises, as the volunteer gave the disk for work, and the line for what work needs.
 */
export function replicaRoomBytes(store: {
  readonly freeBytes: number;
  readonly usedBytes: number;
  readonly replicaBytes: number;
}): number {
  const quotaBytes = store.freeBytes + store.usedBytes;
  const left = quotaBytes * PROMISED_SHARE - store.replicaBytes;
  return Math.max(0, Math.floor(Math.min(store.freeBytes * OFFERED_SHARE, left)));
}

/** Fetches chunks that too few volunteers hold, where there is room that nobody needs; tasks' chunks drive them out when nothing else can go. */
export class ReplicaKeeper {
  /** By the clock that nobody can set. */
  #askAtMs = performance.now() + FIRST_ASK_MS;

  constructor(private readonly components: ReplicaKeeperComponents) {}

  /** Asks for offers when it is time, and takes them up one after the other. */
  async round(session: SwarmSession, peerId: string, signal: AbortSignal): Promise<void> {
    if (performance.now() < this.#askAtMs) return;
    this.#askAtMs = performance.now() + ASK_AGAIN_MS;
    const { client, store, files, log } = this.components;
    const replicaBytes = files.replicas.reduce((sum, { manifestId, sizeBytes }) => {
      const chunks = store.have(manifestId)?.size ?? 0;
      return sum + Math.min(sizeBytes, chunks * chunkSizeBytes(sizeBytes));
    }, 0);
    const { freeBytes: unused, usedBytes } = store;
    const freeBytes = replicaRoomBytes({ freeBytes: unused, usedBytes, replicaBytes });
    const holds = store.manifestIds.slice(0, SWARM_LIMITS.heldReplicas);
    const request = { peerId, freeBytes, holds };
    const { offers, retryAfterMs } = await client.postJson(
      '/v1/swarm/replicas',
      request,
      swarmReplicasAnswer,
      signal,
    );
    this.#askAtMs = performance.now() + retryAfterMs;
    for (const offer of offers) {
      const deadline = new Deadline(signal, OFFER_TIMEOUT_MS);
      try {
        await this.#keep(offer, session, deadline.signal);
      } finally {
        deadline.end();
      }
      log('replica-kept', { blobId: offer.location.blobId });
    }
  }

  async #keep(
    { location, ticket, chunks }: SwarmReplicaOffer,
    session: SwarmSession,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, files } = this.components;
    const manifest = await fetchCachedManifest(this.components, location, signal);
    const wanted = new Bitmap(manifest.hashes.length, Buffer.from(chunks, 'base64'));
    try {
      using claim = await store.claim(location.manifestId, manifest, wanted, { isOptional: true });
      await shareFile({ files, session }, { location, ticket }, manifest, { isReplica: true });
      const peers = session.peerFetch({ location, manifest, indices: claim.missing });
      if (claim.missing.length > 0) await peers.fetch(claim.missing, signal);
    } catch (error) {
      // A task has taken the room meanwhile: it comes first.
      if (!(error instanceof StoreFullError)) throw error;
    }
  }
}
