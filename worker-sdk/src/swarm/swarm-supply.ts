import { backoffDelayMs, type BackoffRules } from '@gleaner/domain';
import type { ChunkRequest, ChunkSupply } from '@gleaner/swarm';
import { Deadline } from '../deadline.js';

/** A task waits at most so long for its file to be joined. */
const JOIN_PATIENCE_MS = 5000;
/** What peers bring is looked at in such intervals. */
const PEER_PATIENCE_MS = 15_000;
/** Less than this in an interval, and the origin is asked directly while peers may go on: one chunk now and then is no progress. */
const LEAST_BYTES_PER_SECOND = 32 * 1024;
/**
 * How long peers alone may take for a task's chunks in all: this, and the time of so slow a line. When what has come so far says that
 * it would be longer, the origin is asked too, and not only at the end.
 */
const PEERS_ALONE = { ms: 60_000, bytesPerSecond: 512 * 1024 };
/** Chunks asked of the origin at once: what peers bring meanwhile is not asked for. */
const ORIGIN_CHUNKS = 4;

/** Peers that failed are asked anew while the origin has not delivered either. */
const REJOIN_BACKOFF: BackoffRules = { baseMs: 2000, maxMs: 30_000 };

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
  /** Joins the file's swarm; undefined where there is none. Whatever takes longer than `joinPatienceMs` is not waited for. */
  readonly join: (request: ChunkRequest, signal: AbortSignal) => Promise<PeerFetch | undefined>;
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
  /** 15,000 when left out. */
  readonly patienceMs?: number;
  /** 60,000 when left out; see {@link PEERS_ALONE}. */
  readonly aloneMs?: number;
  /** 5,000 when left out. */
  readonly joinPatienceMs?: number;
  /** From 2 to 30 s when left out. */
  readonly rejoinBackoff?: BackoffRules;
}

/** Chunks from other volunteers where there are any, and from the origin as soon as these keep a task waiting. */
export class SwarmSupply implements ChunkSupply {
  constructor(private readonly components: SwarmSupplyComponents) {}

  async bring(request: ChunkRequest, signal: AbortSignal): Promise<void> {
    const peers = await this.#joinSoon(request, signal);
    signal.throwIfAborted();
    const enough = new AbortController();
    const both = AbortSignal.any([signal, enough.signal]);
    const fromPeers = peers?.fetch(request.indices, both);
    try {
      if (peers && fromPeers) {
        const outcome = await Promise.race([
          fromPeers.then(
            () => 'done' as const,
            (error: unknown) => ({ error }),
          ),
          this.#untilStalled(peers, request, both),
        ]);
        signal.throwIfAborted();
        if (outcome === 'done') return;
        this.components.log('peers-keep-waiting', {
          manifestId: request.location.manifestId,
          reason: outcome === 'stalled' ? 'too little came' : messageOf(outcome.error),
        });
      }
      const origin = { isLost: false };
      const fromOrigin = this.#fromOrigin(request, peers, both).finally(() => {
        origin.isLost = true;
      });
      await Promise.any([fromOrigin, this.#fromPeersAgain(request, fromPeers, origin, both)]);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      enough.abort(new Error('no longer needed'));
      // Whoever lost the race has nobody left to tell.
      fromPeers?.catch(() => undefined);
    }
  }

  async #fromOrigin(request: ChunkRequest, peers: PeerFetch | undefined, signal: AbortSignal): Promise<void> {
    if (!peers) {
      await this.components.origin.bring(request, signal);
      return;
    }
    for (;;) {
      const indices = peers.missing(request.indices).slice(0, ORIGIN_CHUNKS);
      if (indices.length === 0) return;
      await this.components.origin.bring({ ...request, indices }, signal);
    }
  }

  /**
   * The coordinator may be away for hours while peers are not: whenever asking them has failed, such as because the swarm's
   * process had to be started again, they are asked anew for as long as the origin is not lost too.
   */
  async #fromPeersAgain(
    request: ChunkRequest,
    asked: Promise<void> | undefined,
    origin: { readonly isLost: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      let problem: unknown = new Error('there is no swarm');
      try {
        if (asked) {
          await asked;
          return;
        }
      } catch (error) {
        problem = error;
      }
      signal.throwIfAborted();
      if (origin.isLost) throw problem;
      const pauseMs = backoffDelayMs(failures, this.components.rejoinBackoff ?? REJOIN_BACKOFF, 1);
      await untilAborted(AbortSignal.any([signal, AbortSignal.timeout(pauseMs)]));
      signal.throwIfAborted();
      const peers = await this.#joinSoon(request, signal);
      asked = peers?.fetch(peers.missing(request.indices), signal);
    }
  }

  /** Undefined when there is no swarm, or joining takes too long whatever the reason. */
  async #joinSoon(request: ChunkRequest, signal: AbortSignal): Promise<PeerFetch | undefined> {
    const soon = new Deadline(signal, this.components.joinPatienceMs ?? JOIN_PATIENCE_MS);
    const joining = this.components.join(request, soon.signal).catch((error: unknown) => {
      this.components.log('join-failed', {
        manifestId: request.location.manifestId,
        reason: messageOf(error),
      });
      return undefined;
    });
    const tooLate = Promise.withResolvers<undefined>();
    const giveUp = (): void => tooLate.resolve(undefined);
    if (soon.signal.aborted) giveUp();
    soon.signal.addEventListener('abort', giveUp);
    try {
      return await Promise.race([joining, tooLate.promise]);
    } finally {
      // What is fetched ahead has the worker's own signal, which would keep all that listen.
      soon.signal.removeEventListener('abort', giveUp);
      soon.end();
    }
  }

  /** Resolves when less has come in an interval, or would have come in time at this rate, than a task may be kept waiting for. */
  async #untilStalled(
    peers: PeerFetch,
    { indices, manifest }: ChunkRequest,
    signal: AbortSignal,
  ): Promise<'stalled'> {
    const { patienceMs = PEER_PATIENCE_MS, aloneMs = PEERS_ALONE.ms } = this.components;
    const leastBytes = (LEAST_BYTES_PER_SECOND * patienceMs) / 1000;
    const all = peers.missing(indices).length;
    const boundMs = aloneMs + (all * manifest.chunk * 1000) / PEERS_ALONE.bytesPerSecond;
    for (let left = all, waitedMs = 0; !signal.aborted;) {
      await untilAborted(AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]));
      waitedMs += patienceMs;
      const now = peers.missing(indices).length;
      if ((left - now) * manifest.chunk < leastBytes) break;
      if ((waitedMs * all) / (all - now) > boundMs) break;
      left = now;
    }
    return 'stalled';
  }
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
