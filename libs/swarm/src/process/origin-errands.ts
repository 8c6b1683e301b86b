import { SWARM_LIMITS } from '@gleaner/protocol';
import type { SwapAction, SwapEvent } from '../engine/index.js';
import type { SharedFile } from './shared-file.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import type { TrafficBook } from './traffic-book.js';

/** An origin that cannot be reached is asked again after this, in milliseconds. */
const AWAY_MS = 2000;

export interface OriginErrandsInit {
  readonly peerId: string;
  readonly coordinator: SwarmCoordinator | undefined;
  /** Stores a chunk that the origin delivered; says whether it could. */
  readonly store: (shared: SharedFile, chunk: number, bytes: Uint8Array) => Promise<boolean>;
  readonly traffic: TrafficBook;
  readonly tell: (event: SwapEvent) => void;
  readonly warn: (event: string, error: unknown) => undefined;
}

/** Asks the origin for tickets and fetches what they name, as the engine decides. */
export class OriginErrands {
  constructor(private readonly init: OriginErrandsInit) {}

  async ask(action: Extract<SwapAction, { kind: 'origin-ask' }>, signal: AbortSignal): Promise<void> {
    const { manifestId, wanted, count, urgent } = action;
    const request = {
      manifestId,
      peerId: this.init.peerId,
      wanted: Buffer.from(wanted.bytes).toString('base64'),
      count: Math.min(count, SWARM_LIMITS.originTicketsPerCall),
      urgent,
    };
    const answer = await this.init.coordinator
      ?.requestOriginTickets(request, signal)
      .catch((error: unknown) => this.init.warn('origin-tickets-failed', error));
    const away = { chunks: [], otherwise: 'away' as const, retryAfterMs: AWAY_MS };
    this.init.tell({ kind: 'origin-granted', manifestId, ...(answer ?? away) });
  }

  async fetch(shared: SharedFile, chunk: number, signal: AbortSignal): Promise<void> {
    const { location, manifest } = shared.request;
    const bytes = await this.init.coordinator
      ?.fetchChunk(location, manifest, chunk, AbortSignal.any([shared.stop.signal, signal]))
      .catch((error: unknown) => this.init.warn('origin-fetch-failed', error));
    const isStored = bytes !== undefined && (await this.init.store(shared, chunk, bytes));
    if (isStored) this.init.traffic.add(shared.manifestId, 'fromOriginBytes', bytes.length);
    this.init.tell({ kind: 'origin-fetched', manifestId: shared.manifestId, chunk, isStored });
    if (isStored) shared.stored(chunk);
  }
}
