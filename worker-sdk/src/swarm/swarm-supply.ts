import type { ChunkRequest, ChunkSupply } from '@gleaner/swarm';

/** Without a new chunk for so long, the origin is asked directly while peers may go on. */
const PEER_PATIENCE_MS = 15_000;
/** Chunks asked of the origin at once: what peers bring meanwhile is not asked for. */
const ORIGIN_CHUNKS = 4;

/** A joined file as the supply sees it. */
export interface PeerFetch {
  /** From peers, and from the origin by its tickets; resolves when all are stored. */
  fetch(indices: readonly number[], signal: AbortSignal): Promise<void>;
  /** Chunks of these that are not stored yet. */
  missing(indices: readonly number[]): number[];
}

export interface SwarmSupplyComponents {
  /** HTTPS alone, always sufficient. */
  readonly origin: ChunkSupply;
  /** Joins the file's swarm; undefined where there is none, at once or within seconds. */
  readonly join: (request: ChunkRequest, signal: AbortSignal) => Promise<PeerFetch | undefined>;
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
  /** {@link PEER_PATIENCE_MS} when left out. */
  readonly patienceMs?: number;
}

/** Chunks from other volunteers where there are any, and from the origin as soon as these keep a task waiting. */
export class SwarmSupply implements ChunkSupply {
  constructor(private readonly components: SwarmSupplyComponents) {}

  async bring(request: ChunkRequest, signal: AbortSignal): Promise<void> {
    const peers = await this.components.join(request, signal);
    if (!peers) {
      await this.components.origin.bring(request, signal);
      return;
    }
    const enough = new AbortController();
    const both = AbortSignal.any([signal, enough.signal]);
    const fromPeers = peers.fetch(request.indices, both);
    try {
      const outcome = await Promise.race([
        fromPeers.then(
          () => 'done' as const,
          (error: unknown) => ({ error }),
        ),
        this.#untilStalled(peers, request.indices, both),
      ]);
      signal.throwIfAborted();
      if (outcome === 'done') return;
      this.components.log('peers-keep-waiting', {
        manifestId: request.location.manifestId,
        reason: outcome === 'stalled' ? 'nothing came' : messageOf(outcome.error),
      });
      await Promise.any([this.#fromOrigin(request, peers, both), fromPeers]);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      enough.abort(new Error('no longer needed'));
      // Whoever lost the race has nobody left to tell.
      fromPeers.catch(() => undefined);
    }
  }

  async #fromOrigin(request: ChunkRequest, peers: PeerFetch, signal: AbortSignal): Promise<void> {
    for (;;) {
      const indices = peers.missing(request.indices).slice(0, ORIGIN_CHUNKS);
      if (indices.length === 0) return;
      await this.components.origin.bring({ ...request, indices }, signal);
    }
  }

  /** Resolves when no chunk has come for as long as a task may be kept waiting. */
  async #untilStalled(peers: PeerFetch, indices: readonly number[], signal: AbortSignal): Promise<'stalled'> {
    const { patienceMs = PEER_PATIENCE_MS } = this.components;
    for (let left = Number.POSITIVE_INFINITY; !signal.aborted;) {
      const now = peers.missing(indices).length;
      if (now >= left) break;
      left = now;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, patienceMs);
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        }
        signal.addEventListener('abort', done);
      });
    }
    return 'stalled';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
